import { join } from '../join.ts'

/** One line of a log that was asked for with timestamps. */
export interface LogLine {
  /** As the kubelet wrote it; absent where the line has none: then it is the kubelet's own words, or the rest of a line begun before. */
  readonly time?: string
  /** Without timestamp and newline. Longer lines than {@link maxLineBytes} are cut to that. */
  readonly bytes: Uint8Array
  /** How many bytes the line had, without timestamp and newline, cut or not. */
  readonly length: number
  /** Whether a newline ended it. Only the last line of a stream may have none. */
  readonly ended: boolean
}

/** A line is kept up to this, a little less than what the redactor takes as one line; what is behind it is dropped, and {@link LogLine.length} tells. CRI fragments are 16 KiB, the kubelet joins them. */
export const maxLineBytes = 61_440

/** Splits a log stream into lines, however the bytes arrive, in bounded memory. */
export class LineSplitter {
  private parts: Uint8Array[] = []
  private kept = 0
  private total = 0

  /** Whether bytes of an unfinished line are held. */
  get holds(): boolean {
    return this.total > 0
  }

  *push(chunk: Uint8Array): Generator<LogLine> {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      this.keep(chunk.subarray(from, at))
      yield this.take(true)
      from = at + 1
    }
    if (from < chunk.length) this.keep(chunk.slice(from))
  }

  /** The unfinished line at the end of the stream, if there is one. */
  flush(): LogLine | undefined {
    return this.holds ? this.take(false) : undefined
  }

  private keep(part: Uint8Array): void {
    this.total += part.length
    const room = maxLineBytes + maxTimeBytes - this.kept
    if (room <= 0 || part.length === 0) return
    const kept = part.length > room ? part.subarray(0, room) : part
    this.parts.push(kept)
    this.kept += kept.length
  }

  private take(ended: boolean): LogLine {
    const bytes = this.parts.length === 1 ? (this.parts[0] as Uint8Array) : join(this.parts, this.kept)
    const total = this.total
    this.parts = []
    this.kept = 0
    this.total = 0
    const time = timeOf(bytes)
    if (time === undefined) return { bytes: bytes.subarray(0, maxLineBytes), length: total, ended }
    const from = time.length + 1
    return { time, bytes: bytes.subarray(from, from + maxLineBytes), length: Math.max(0, total - from), ended }
  }
}

const maxTimeBytes = 40
const ascii = new TextDecoder('latin1')

/** The RFC 3339 timestamp that the line begins with, if it does. Accepts any fraction and `Z` or an offset. */
function timeOf(line: Uint8Array): string | undefined {
  if (line.length < 20 || line[4] !== 45 || line[7] !== 45 || line[10] !== 84 || line[13] !== 58 || line[16] !== 58) return undefined
  const space = line.indexOf(32)
  const length = space < 0 ? line.length : space
  if (length > maxTimeBytes) return undefined
  const text = ascii.decode(line.subarray(0, length))
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text) ? text : undefined
}

/** The second before that of a timestamp, for `sinceTime`: the kubelet gets whole seconds, and what was written behind a line may be a little older. */
export function secondBefore(time: string): string {
  return secondOf(new Date(Date.parse(time) - 1000).toISOString())
}

function secondOf(time: string): string {
  return new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}

/** Orders two timestamps to the nanosecond, whatever their offsets. */
export function compareTimes(a: string, b: string): number {
  if (a === b) return 0
  return Date.parse(secondOf(a)) - Date.parse(secondOf(b)) || nanos(a) - nanos(b)
}

/** The later of two timestamps; quick where both are written alike. */
export function laterOf(a: string, b: string): string {
  if (a.length === b.length && a.endsWith('Z') && b.endsWith('Z')) return a > b ? a : b
  return compareTimes(a, b) > 0 ? a : b
}

function nanos(time: string): number {
  return Number((/\.(\d{1,9})/.exec(time)?.[1] ?? '').padEnd(9, '0'))
}
