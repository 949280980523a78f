import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Changes } from './changes.ts'
import { nanoTime } from './clock.ts'

/** Longer lines are split, as containerd does (`max_container_log_line_size`). */
const maxLineBytes = 16_384

export interface ReadOptions {
  readonly follow: boolean
  readonly timestamps: boolean
  /** Milliseconds since the epoch, of a whole second: the kubelet gets no finer one. */
  readonly sinceMs?: number
  readonly tailLines?: number
  readonly limitBytes?: number
}

/**
 * One container's log in a file of the CRI's form, `<time> <stdout|stderr> <F|P> <text>`, where P marks the fragment of a
 * line that goes on in the next record.
 * Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
 */
export class ContainerLog {
  readonly #path: string
  readonly #file: number
  readonly #changes = new Changes()
  readonly #rest = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  #open = true

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true })
    this.#path = path
    this.#file = openSync(path, 'a')
  }

  /** Takes bytes as the process writes them; whole lines and full fragments reach the file at once. */
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    if (!this.#open) return
    let rest = Buffer.concat([this.#rest[stream], bytes])
    for (;;) {
      const newline = rest.indexOf(10)
      if (newline >= 0 && newline <= maxLineBytes) {
        this.#record(stream, 'F', rest.subarray(0, newline))
        rest = rest.subarray(newline + 1)
      } else if (rest.length >= maxLineBytes) {
        this.#record(stream, 'P', rest.subarray(0, maxLineBytes))
        rest = rest.subarray(maxLineBytes)
      } else break
    }
    this.#rest[stream] = Buffer.from(rest)
    this.#changes.tell()
  }

  /** No more will come. What stands without a final newline is written as a fragment. */
  end(): void {
    if (!this.#open) return
    for (const stream of ['stdout', 'stderr'] as const) if (this.#rest[stream].length > 0) this.#record(stream, 'P', this.#rest[stream])
    this.#open = false
    closeSync(this.#file)
    this.#changes.tell()
  }

  /** The log as the kubelet serves it. With `follow` it ends when the container does. */
  async *read(options: ReadOptions, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    let left = options.limitBytes ?? Number.POSITIVE_INFINITY
    let lineBegins = true
    let skip = options.tailLines === undefined ? 0 : Math.max(0, (await this.#countRecords(signal)) - options.tailLines)
    for await (const record of this.#records(options.follow, signal)) {
      if (skip-- > 0) continue
      const time = record.subarray(0, record.indexOf(32)).toString('latin1')
      if (options.sinceMs !== undefined && Date.parse(time) < options.sinceMs) continue
      const tag = record.indexOf(32, time.length + 1) + 1
      const whole = record[tag] === 70
      const text = record.subarray(tag + 2)
      const line = Buffer.concat([Buffer.from(options.timestamps && lineBegins ? `${time} ` : ''), text, Buffer.from(whole ? '\n' : '')])
      lineBegins = whole
      if (line.length > 0) yield line.subarray(0, left)
      left -= line.length
      if (left <= 0) return
    }
  }

  #record(stream: string, tag: string, text: Uint8Array): void {
    writeSync(this.#file, Buffer.concat([Buffer.from(`${nanoTime()} ${stream} ${tag} `), text, Buffer.from('\n')]))
  }

  async #countRecords(signal: AbortSignal): Promise<number> {
    let count = 0
    for await (const _ of this.#records(false, signal)) count++
    return count
  }

  /** Records without their newline; with `follow`, waits for more while the container runs. */
  async *#records(follow: boolean, signal: AbortSignal): AsyncGenerator<Buffer> {
    const file = await open(this.#path)
    try {
      let rest: Buffer = Buffer.alloc(0)
      while (!signal.aborted) {
        const seen = this.#changes.count
        const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536))
        rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
        for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
          yield rest.subarray(0, end)
          rest = rest.subarray(end + 1)
        }
        if (bytesRead > 0) continue
        if (seen === this.#changes.count && !(follow && this.#open)) return
        await this.#changes.after(seen, signal)
      }
    } finally {
      await file.close()
    }
  }
}
