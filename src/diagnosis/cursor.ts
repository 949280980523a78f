import type { RedactionCounts } from './redact/redactor.ts'

/**
 * How far a container's log has been read, and everything needed to go on from there on any machine. It rests only where
 * redactor and artifact decoder are neutral, and is stored in every segment, so that the segments alone are the truth.
 */
export interface Cursor {
  /** Number of the last segment; the next is one higher. */
  readonly segment: number
  /** Timestamp of the last line that was consumed, as the kubelet wrote it; absent at the beginning. */
  readonly time?: string
  /** The latest timestamp consumed, where that is another: two writers of one log may be out of order. */
  readonly latest?: string
  /** How many consumed lines at the end carry exactly that timestamp. */
  readonly sameTime: number
  /** Digest of the last consumed line: a resumed log must hold it, or something was lost. */
  readonly digest?: string
  /** Lines and bytes consumed, without timestamps, newlines included: what the end line must say. */
  readonly lines: number
  readonly bytes: number
  /** Bytes of text and artifacts stored so far. */
  readonly stored: number
  /** Artifacts begun so far. */
  readonly artifacts: number
  /** The artifact in whose middle the cursor rests. */
  readonly artifact?: OpenArtifact
  /** The line before an artifact has a say in the one behind it, by naming a secret, say: that one is withheld. */
  readonly withhold?: true
  /** Secrets removed so far, by rule. */
  readonly redactions: RedactionCounts
  /** What is known to be missing or cut, one sentence each; at most {@link maxGaps}. */
  readonly gaps: readonly string[]
  /** Set when there is nothing more to read. */
  readonly end?: End
}

export interface OpenArtifact {
  readonly name: string
  readonly index: number
  /** Binary artifacts are stored only where policy allows; `dropped` where it does not. No cursor rests where it is `undecided`. */
  readonly kind: 'text' | 'binary' | 'dropped' | 'undecided'
  /** What is missing in it. */
  readonly gap?: string
}

/** How listening ended. `proven`: the end line's counts are those that were read. */
export type End = 'proven' | 'terminated' | 'gone' | 'cut' | 'late' | 'cancelled'

const maxGaps = 20
/** Some quote what the API server says. */
const maxGap = 4000
/** RFC 3339 with nanoseconds, and a blank. */
const timestampBytes = 31

/** Bytes of the log that were read until there, timestamps included: what a line costs, however short it is. */
export function bytesRead({ bytes, lines }: Pick<Cursor, 'bytes' | 'lines'>): number {
  return bytes + lines * timestampBytes
}

/** Only suspected: the rotated file may have ended with the last line that was read. An end line with the right counts disproves it. */
export const rotationGap = 'the log was rotated while nobody could follow it: lines may be missing here'

export const start: Cursor = { segment: 0, sameTime: 0, lines: 0, bytes: 0, stored: 0, artifacts: 0, redactions: {}, gaps: [] }

export function withGap(cursor: Cursor, sentence: string): Cursor {
  const gap = sentence.length > maxGap ? `${sentence.slice(0, maxGap)}…` : sentence
  if (cursor.gaps.includes(gap) || cursor.gaps.length >= maxGaps) return cursor
  return { ...cursor, gaps: [...cursor.gaps, gap] }
}

export function addCounts(a: RedactionCounts, b: RedactionCounts): RedactionCounts {
  const sum: Record<string, number> = { ...a }
  for (const [rule, count] of Object.entries(b)) sum[rule] = (sum[rule] ?? 0) + count
  return sum
}

/** FNV-1a, 32 bits twice over: tells lines apart, is no signature. */
export function digestOf(bytes: Uint8Array): string {
  let a = 0x811c9dc5
  let b = 0x9dc5811c
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193)
    b = Math.imul(b ^ byte, 0x01000197)
  }
  return `${(a >>> 0).toString(16)}-${(b >>> 0).toString(16)}`
}

/** What a cursor tells of the log before it, for the record of the container. */
export function heard({ lines, bytes, gaps, end }: Cursor) {
  return { lines, bytes, proven: end === 'proven', gaps }
}
