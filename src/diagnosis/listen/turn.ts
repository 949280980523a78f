import type { Clock } from '../../deps.ts'
import { type Cluster, ClusterForbidden, ClusterUnavailable, type PodRef, type RawPod } from '../../ports/cluster/cluster.ts'
import type { Store } from '../../ports/store/store.ts'
import type { Cursor } from '../cursor.ts'
import type { Redactor } from '../redact/redactor.ts'
import { adopt } from '../segment.ts'
import { type Consumed, consume } from './consume.ts'
import { secondOf } from './log-lines.ts'
import { Pipeline, type PipelineOptions } from './pipeline.ts'
import { Adopted, SegmentWriter } from './segment-writer.ts'

export interface TurnParams extends PipelineOptions {
  readonly id: string
  readonly pod: PodRef
  readonly uid: string
  readonly container: string
  /** Where an earlier turn left off. */
  readonly cursor: Cursor
  /** The turn ends then, in milliseconds since the epoch, whatever is left to read. */
  readonly turnEndsAt: number
  /** A container that has not ended by then is given up. */
  readonly giveUpAt: number
}

export interface TurnDeps {
  readonly cluster: Pick<Cluster, 'openLog' | 'getPod'>
  readonly store: Pick<Store, 'create' | 'get'>
  readonly redactor: Redactor
  readonly clock: Clock
  /** Whether somebody cancelled the diagnosis; asked once a second. */
  readonly cancelled: () => Promise<boolean>
}

/**
 * One listening turn: follows the log from the cursor on, stores it in segments, and returns the cursor behind the last
 * one. A turn may run again from an old cursor, or beside another worker's: segments that exist are adopted, never rewritten.
 * The cursor's `end` tells when there is nothing more to do. Throws StoreUnavailable when the store fails for long.
 */
export async function listenTurn(params: TurnParams, deps: TurnDeps, signal: AbortSignal): Promise<Cursor> {
  let cursor = await adopt(deps.store, params.id, params.container, params.cursor, signal)
  let state: ReadState = { backoffMs: 0 }
  while (!cursor.end && deps.clock.now() < params.turnEndsAt && !signal.aborted) {
    if (state.backoffMs > 0) await deps.clock.sleep(Math.min(state.backoffMs, params.turnEndsAt - deps.clock.now()), signal)
    const read = new AbortController()
    const both = AbortSignal.any([signal, read.signal])
    const writer = new SegmentWriter(params.id, params.container, cursor, deps, both)
    try {
      state = await readOnce(params, deps, cursor, state, writer, both)
      cursor = await writer.drained()
    } catch (error) {
      if (!(error instanceof Adopted)) throw error
      cursor = await adopt(deps.store, params.id, params.container, error.cursor, signal)
    } finally {
      read.abort()
    }
  }
  return cursor
}

interface ReadState {
  /** The container has ended, and the log had this many lines: it is read once more, to its end and not beyond, to see whether that was all. */
  readonly total?: number
  readonly backoffMs: number
}

async function readOnce(
  params: TurnParams,
  deps: TurnDeps,
  cursor: Cursor,
  state: ReadState,
  writer: SegmentWriter,
  signal: AbortSignal,
): Promise<ReadState> {
  const pipeline = new Pipeline(cursor, deps.redactor, params)
  const end = (how: Parameters<Pipeline['finish']>[0], gap?: string): ReadState => {
    if (gap) pipeline.gap(gap)
    for (const piece of pipeline.finish(how)) writer.put(piece)
    return state
  }
  const slower = (): ReadState => ({ ...state, backoffMs: Math.min(1000, Math.max(100, state.backoffMs * 2)) })
  if (await deps.cancelled()) return end('cancelled')
  if (deps.clock.now() >= params.giveUpAt) return end('late', 'the container did not end in time; what it printed later is missing')

  let consumed: Consumed = { how: 'eof', news: false }
  try {
    const log = await deps.cluster.openLog(params.pod, params.container, openOptions(cursor, state), signal)
    if (log.kind === 'gone') return end('gone', `the log is gone: ${log.message}`)
    if (log.kind === 'wait') consumed = { how: 'error', news: false }
    else consumed = await consume(log.body, { params, deps, cursor, pipeline, writer, signal })
    switch (consumed.how) {
      case 'proven':
      case 'cut':
      case 'cancelled':
        return end(consumed.how)
      case 'turn':
        return state
      case 'idle':
        return { backoffMs: 0 }
      case 'error':
      case 'eof':
        break
    }
    const ended = hasEnded(await deps.cluster.getPod(params.pod, signal), params)
    if (ended === 'gone') {
      if (consumed.rest) for (const piece of pipeline.take(consumed.rest)) writer.put(piece)
      return end('gone', 'the pod was deleted before everything was read')
    }
    if (ended === 'running') return consumed.news ? { backoffMs: 100 } : { backoffMs: slower().backoffMs }
    if (consumed.how === 'error') return slower()
    // A quiet end of the stream proves nothing. What is not cut yet is in this pipeline, so the count of lines is of all.
    if (state.total !== pipeline.lines) return { total: pipeline.lines, backoffMs: 0 }
    if (consumed.rest) for (const piece of pipeline.take(consumed.rest)) writer.put(piece)
    if (pipeline.ended) return end(pipeline.ended)
    return end('terminated', params.endLine ? 'the container ended without its end line' : undefined)
  } catch (error) {
    if (error instanceof ClusterForbidden) return end('gone', `the log may not be read: ${error.message}`)
    if (error instanceof ClusterUnavailable) return slower()
    throw error
  }
}

function openOptions(cursor: Cursor, state: ReadState): { readonly sinceTime?: string; readonly follow: boolean } {
  return { follow: state.total === undefined, ...(cursor.time === undefined ? {} : { sinceTime: secondOf(cursor.time) }) }
}

function hasEnded(pod: RawPod | undefined, params: TurnParams): 'gone' | 'running' | 'ended' {
  if (!pod || pod.metadata.uid !== params.uid) return 'gone'
  const { ephemeralContainerStatuses = [], containerStatuses = [], initContainerStatuses = [] } = pod.status
  const status = [...ephemeralContainerStatuses, ...containerStatuses, ...initContainerStatuses].find(({ name }) => name === params.container)
  return status?.state?.terminated ? 'ended' : 'running'
}
