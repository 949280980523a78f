import type { Clock } from '../../deps.ts'
import { type Cluster, ClusterForbidden, ClusterUnavailable, type LogAnswer, type PodRef, type RawPod } from '../../ports/cluster/cluster.ts'
import type { Store } from '../../ports/store/store.ts'
import { bytesRead, type Cursor } from '../cursor.ts'
import type { Redactor } from '../redact/redactor.ts'
import { adopt } from '../segment.ts'
import { consume } from './consume.ts'
import { secondBefore } from './log-lines.ts'
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
  /** A container that has not ended by then is given up; what it printed until then is read all the same. */
  readonly giveUpAt: number
}

export interface TurnDeps {
  readonly cluster: Pick<Cluster, 'openLog' | 'getPod'>
  readonly store: Pick<Store, 'create' | 'get'>
  readonly redactor: Redactor
  readonly clock: Clock
  /** Whether somebody cancelled the diagnosis; asked once a second, and after hundreds of segments every 5 s. */
  readonly cancelled: () => Promise<boolean>
}

/**
 * One listening turn: follows the log from the cursor on, stores it in segments, and returns the cursor behind the last
 * one. A turn may run again from an old cursor, or beside another worker's: segments that exist are adopted, never rewritten.
 * It ends after 32 MiB of log, too, for a host may bound the CPU time of a step.
 * The cursor's `end` tells when there is nothing more to do. Throws StoreUnavailable when the store fails for long, and
 * ClusterUnavailable when the API server does after the container is to be given up.
 */
export async function listenTurn(params: TurnParams, deps: TurnDeps, signal: AbortSignal): Promise<Cursor> {
  let cursor = await adopt(deps.store, params.id, params.container, params.cursor, signal)
  let state: ReadState = { backoffMs: 0 }
  const leaveBehind = bytesRead(cursor) + turnBytes
  const lookUntil = Math.max(params.giveUpAt, deps.clock.now()) + lateMs
  while (!cursor.end && deps.clock.now() < params.turnEndsAt && bytesRead(cursor) < leaveBehind && !signal.aborted) {
    if (state.backoffMs > 0) await deps.clock.sleep(Math.min(state.backoffMs, params.turnEndsAt - deps.clock.now()), signal)
    const read = new AbortController()
    const both = AbortSignal.any([signal, read.signal])
    const writer = new SegmentWriter(params.id, params.container, cursor, deps, both)
    try {
      state = await readOnce(params, deps, cursor, { ...state, lookUntil, leaveBehind }, writer, both)
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

/** Of the log, timestamps included. Redaction, at its slowest, takes some seconds for as much. */
const turnBytes = 32 * 1024 ** 2

/** So long the end of a log is looked for when the container is to be given up: the service may have been away until then. */
const lateMs = 30_000

const afterCancel = 'the diagnosis was cancelled: what the container printed later is missing'

interface ReadState {
  /** The container has ended: its log is read to its end and not beyond. */
  readonly ended?: boolean
  /** So many lines it had: it is read once more to see whether that was all. */
  readonly total?: number
  /** The last consumed line was not in the log; it is looked for once more. */
  readonly lost?: boolean
  readonly backoffMs: number
}

async function readOnce(
  params: TurnParams,
  deps: TurnDeps,
  cursor: Cursor,
  state: ReadState & { readonly lookUntil: number; readonly leaveBehind: number },
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
  if (await deps.cancelled()) return end('cancelled', afterCancel)
  const late = deps.clock.now() >= params.giveUpAt
  const follow = !state.ended && !late
  const leaveAt = late ? params.turnEndsAt : Math.min(params.turnEndsAt, params.giveUpAt)
  const open = (left: AbortSignal): Promise<LogAnswer> =>
    deps.cluster.openLog(
      params.pod,
      params.container,
      { follow, ...(cursor.time === undefined ? {} : { sinceTime: secondBefore(cursor.time) }) },
      left,
    )

  try {
    const consumed = await consume(open, { deps, cursor, pipeline, writer, signal, leaveAt, leaveBehind: state.leaveBehind })
    const { how, rest } = consumed
    switch (how) {
      case 'gone':
        return end('gone', `the log is gone: ${consumed.message}`)
      case 'proven':
      case 'cut':
        return end(how)
      case 'cancelled':
        return end(how, afterCancel)
      case 'turn':
        return state
      case 'idle':
        // Not followed, a log has no reason to be silent.
        if (follow) return { backoffMs: 0 }
        break
      case 'wait':
      case 'error':
      case 'unsettled':
      case 'eof':
        break
    }
    const failed = how === 'wait' || how === 'error' || how === 'idle'
    const why = consumed.message ?? (how === 'idle' ? 'it stays silent' : 'its stream broke off')
    if (failed && deps.clock.now() >= state.lookUntil) return end('late', `the log could not be read to its end in time: ${why}`)
    const takeRest = (): void => {
      if (rest) for (const piece of pipeline.take(rest)) writer.put(piece)
    }
    const now = hasEnded(await deps.cluster.getPod(params.pod, signal), params)
    if (now === 'gone') {
      takeRest()
      return end('gone', 'the pod was deleted before everything was read')
    }
    if (now === 'running' && late && !failed) return end('late', 'the container did not end in time; what it printed later is missing')
    if (now === 'running') return consumed.news ? { backoffMs: 100 } : { backoffMs: slower().backoffMs }
    if (failed) return { ...slower(), ended: true }
    if (how === 'unsettled') {
      if (!follow && state.lost) return end('terminated', 'the log no longer has the last line that was read: lines behind it may be missing')
      return { ...slower(), ended: true, lost: !follow }
    }
    // A quiet end of the stream proves nothing. What is not cut yet is in this pipeline, so the count of lines is of all.
    if (state.total !== pipeline.lines) return { ended: true, total: pipeline.lines, backoffMs: 0 }
    takeRest()
    if (pipeline.ended) return end(pipeline.ended)
    return end('terminated', params.endLine ? 'the container ended without its end line' : undefined)
  } catch (error) {
    if (error instanceof ClusterForbidden) return end('gone', `the log may not be read: ${error.message}`)
    if (!(error instanceof ClusterUnavailable)) throw error
    // Not the container's fault: whoever called may try again for much longer.
    if (deps.clock.now() >= state.lookUntil) throw error
    return slower()
  }
}

function hasEnded(pod: RawPod | undefined, params: TurnParams): 'gone' | 'running' | 'ended' {
  if (!pod || pod.metadata.uid !== params.uid) return 'gone'
  const { ephemeralContainerStatuses = [], containerStatuses = [], initContainerStatuses = [] } = pod.status
  const status = [...ephemeralContainerStatuses, ...containerStatuses, ...initContainerStatuses].find(({ name }) => name === params.container)
  return status?.state?.terminated ? 'ended' : 'running'
}
