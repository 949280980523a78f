import type { LogAnswer } from '../../ports/cluster/cluster.ts'
import { type Cursor, rotationGap } from '../cursor.ts'
import { Alarm } from './alarm.ts'
import { LineSplitter, type LogLine } from './log-lines.ts'
import type { Pipeline } from './pipeline.ts'
import { Resume } from './resume.ts'
import type { SegmentWriter } from './segment-writer.ts'
import type { TurnDeps } from './turn.ts'

/** How reading one stream of a log ended, and whether it brought lines that were not consumed before. */
export interface Consumed {
  /**
   * `idle`: silent for long, to be opened again (follow has stalled at rotation). `error`: the stream broke or carried the kubelet's words.
   * `unsettled`: it ended before the last consumed line was found. `gone`, `wait`: as openLog says.
   */
  readonly how: 'eof' | 'unsettled' | 'error' | 'idle' | 'turn' | 'proven' | 'cut' | 'cancelled' | 'gone' | 'wait'
  readonly news: boolean
  /** Why there was no log. */
  readonly message?: string
  /** The line at the end that no newline ended: data only if the container has ended. */
  readonly rest?: LogLine
}

export interface ConsumeContext {
  readonly deps: Pick<TurnDeps, 'clock' | 'cancelled'>
  readonly cursor: Cursor
  readonly pipeline: Pipeline
  readonly writer: SegmentWriter
  readonly signal: AbortSignal
  /** The stream is left then at the latest, in milliseconds since the epoch. */
  readonly leaveAt: number
  /** It is left, too, behind the first segment that ends beyond so many bytes, as `bytesRead` counts them. */
  readonly leaveBehind: number
}

/** A segment is cut at this size, */
const segmentBytes = 262_144
/**
 * or so long after its first line: a second at first, 5 s where there are 300 already. Each is written once and read three times, and a
 * Worker has 10,000 requests, perhaps for the whole diagnosis.
 */
const paceAfter = (segments: number): number => Math.min(5000, Math.max(1000, (1000 * segments) / 60))
const idleMs = 10_000

/** Opens a stream, which may take as long as the log is silent, and reads it until it ends or something else wants the reader. */
export async function consume(open: (signal: AbortSignal) => Promise<LogAnswer>, context: ConsumeContext): Promise<Consumed> {
  const { deps, pipeline, writer, signal, leaveAt, leaveBehind } = context
  const left = new AbortController()
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  const splitter = new LineSplitter()
  const resume = new Resume(context.cursor)
  const alarm = new Alarm(deps.clock)
  let news = false
  let words = false
  let dirtySince: number | undefined
  let heardAt = deps.clock.now()
  const paceMs = paceAfter(context.cursor.segment)
  let cancelAt = heardAt + paceMs
  let pending: Promise<Read | LogAnswer> = open(AbortSignal.any([signal, left.signal]))
  const cutIf = (due: boolean): void => {
    if (due && pipeline.dirty && pipeline.neutral) {
      writer.put(pipeline.cut())
      dirtySince = undefined
    }
  }
  const leave = (how: Consumed['how'], rest?: LogLine): Consumed => {
    cutIf(how !== 'proven' && how !== 'cut' && how !== 'cancelled')
    const judged = rest && rest.time !== undefined ? resume.judge(rest) : 'old'
    if (judged === 'lost') pipeline.gap(rotationGap)
    // A line that may be all that is left settles it, too.
    return { how: how === 'unsettled' && judged === 'lost' ? 'eof' : how, news, ...(rest && judged !== 'old' ? { rest } : {}) }
  }
  try {
    for (;;) {
      await writer.room()
      const wakeAt = Math.min(leaveAt, heardAt + idleMs, cancelAt, dirtySince === undefined ? Number.POSITIVE_INFINITY : dirtySince + paceMs)
      const result = await alarm.race(pending, wakeAt)
      const now = deps.clock.now()
      if (dirtySince !== undefined && now >= dirtySince + paceMs) {
        cutIf(true)
        // Where redactor or decoder hold something back, once more a little later: a time in the past would wake at once, again and again.
        dirtySince = pipeline.dirty ? now : undefined
      }
      if (signal.aborted || now >= leaveAt) return leave('turn')
      if (now >= cancelAt) {
        if (await deps.cancelled()) return leave('cancelled')
        cancelAt = now + paceMs
      }
      if (result === 'time') {
        if (now >= heardAt + idleMs) return leave('idle')
        continue
      }
      if (result.kind === 'gone' || result.kind === 'wait') return { ...leave(result.kind), message: result.message }
      if (result.kind === 'broken') return leave('error')
      if (result.kind === 'eof') return leave(resume.settled ? 'eof' : words ? 'error' : 'unsettled', splitter.flush())
      heardAt = now
      if (result.kind === 'open') {
        reader = result.body.getReader()
        pending = read(reader)
        continue
      }
      for (const line of splitter.push(result.chunk)) {
        const judged = resume.judge(line)
        // The last line without a timestamp before the place was found may be the kubelet's.
        words = line.time === undefined
        if (judged === 'old') continue
        if (line.time === undefined) return leave('error')
        if (judged === 'lost') pipeline.gap(rotationGap)
        news = true
        for (const piece of pipeline.take(line)) writer.put(piece)
        if (pipeline.ended === 'proven') return leave('proven')
        if (pipeline.full) return leave('cut')
        cutIf(pipeline.pending >= segmentBytes)
        if (!pipeline.dirty && pipeline.read >= leaveBehind) return leave('turn')
      }
      if (pipeline.dirty) dirtySince ??= now
      if (reader) pending = read(reader)
    }
  } finally {
    alarm.stop()
    // Whether or not the opening heeds the abort, nothing that it brings is left open.
    if (reader) await reader.cancel().catch(() => undefined)
    else pending.then((late) => (late.kind === 'open' ? late.body.cancel() : undefined)).catch(() => undefined)
    left.abort()
  }
}

type Read = { readonly kind: 'chunk'; readonly chunk: Uint8Array } | { readonly kind: 'eof' } | { readonly kind: 'broken'; readonly cause: unknown }

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Read> {
  try {
    const { done, value } = await reader.read()
    return done ? { kind: 'eof' } : { kind: 'chunk', chunk: value }
  } catch (cause) {
    return { kind: 'broken', cause }
  }
}
