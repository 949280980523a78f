import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Parser } from 'tap-parser'

/** Where the scripts run: `busybox` as in the image, where nothing else exists; `debian` with dash, mawk and coreutils, as in the demo. */
export type Userland = 'busybox' | 'debian'

/** What the scripts may need of Debian's essential packages, without busybox. */
const debian = 'awk cat cut date find fold grep head ls readlink renice sed setsid sleep stat tr wc yes'.split(' ')

/** What runs in the pod, copied beside checks of the test's own, with no programs but those of one userland. */
export class Diagnostics {
  readonly home = mkdtempSync(join(tmpdir(), 'diagnostics-'))
  readonly path: string

  constructor(userland: Userland, busybox: string, checks: Readonly<Record<string, string>> = {}) {
    cpSync(fileURLToPath(new URL('../../diagnostics', import.meta.url)), this.home, { recursive: true })
    const bin = join(this.home, 'bin')
    mkdirSync(bin)
    for (const [name, body] of Object.entries(checks)) writeFileSync(join(this.home, 'checks', name), `#!/bin/sh\n${body}\n`)
    if (userland === 'busybox') {
      symlinkSync(busybox, join(bin, 'busybox'))
      symlinkSync(busybox, join(bin, 'sh'))
      this.path = bin
    } else {
      for (const name of debian) symlinkSync(`/usr/bin/${name}`, join(bin, name))
      symlinkSync('/bin/dash', join(bin, 'sh'))
      this.path = bin
    }
    for (const file of ['runner', ...readdirSync(join(this.home, 'checks')).map((name) => join('checks', name))]) {
      const path = join(this.home, file)
      writeFileSync(path, readFileSync(path, 'utf8').replace('#!/bin/sh', `#!${join(bin, 'sh')}`))
      chmodSync(path, 0o755)
    }
  }

  start(args: readonly string[]): ChildProcess {
    return spawn(join(this.home, 'runner'), [...args], { env: { PATH: this.path }, cwd: this.home, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  async run(...args: readonly string[]): Promise<Printed> {
    return printed(this.start(args))
  }

  /** What is printed to its proven end, within 40 s. */
  async report(...args: readonly string[]): Promise<Printed> {
    const told = await this.run('--deadline=40', ...args)
    proveEnd(told.text)
    return told
  }

  remove(): void {
    rmSync(this.home, { recursive: true })
  }
}

export interface Printed {
  readonly code: number | null
  readonly text: string
  readonly stderr: string
  readonly points: readonly Point[]
}

export interface Point {
  readonly ok: boolean
  readonly name: string
  readonly skip?: string
  readonly diag?: { readonly check?: string; readonly id?: string; readonly severity?: string; readonly evidence?: string }
}

/** What a runner printed, as an independent TAP parser understands it. */
export async function printed(child: ChildProcess): Promise<Printed> {
  if (!child.stdout || !child.stderr) throw new Error('Cannot read what the runner prints: its output is not a pipe')
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code, stderr] = await Promise.all([ended, readText(child.stderr)])
  const bytes = Buffer.concat(chunks)
  return { code, text: bytes.toString('latin1'), stderr, points: parse(bytes.toString('utf8')) }
}

export function parse(text: string): Point[] {
  const points: Point[] = []
  const parser = new Parser({ bail: false })
  parser.on('assert', (result: Point & { skip: string | boolean }) =>
    points.push({
      ok: result.ok,
      name: result.name,
      ...(result.skip ? { skip: String(result.skip) } : {}),
      ...(result.diag ? { diag: result.diag } : {}),
    }),
  )
  parser.on('child', () => {
    throw new Error('Cannot take the stream for ours: it holds a subtest')
  })
  parser.end(text)
  return points
}

/** Throws unless the last line counts all lines and bytes before it. */
export function proveEnd(text: string): void {
  const match = /# autodiagnose end lines=(\d+) bytes=(\d+)\n$/.exec(text)
  if (!match) throw new Error(`Cannot find the end line in ${JSON.stringify(text.slice(-200))}`)
  const before = text.slice(0, match.index)
  const lines = before.split('\n').length - 1
  if (lines !== Number(match[1]) || before.length !== Number(match[2]))
    throw new Error(`Cannot prove the end: "${match[0].trim()}" after ${lines} lines and ${before.length} bytes`)
}
