import type { Deps } from '../../deps.ts'
import { twinOf } from '../comparison.ts'
import { containersOf, type Diagnosis, type DiagnosisRequest } from '../diagnosis.ts'
import { readSegment, segmentKey } from '../segment.ts'

interface ReadOptions {
  readonly follow: boolean
  readonly twin?: boolean
  readonly signal: AbortSignal
}

/**
 * The text of a diagnosis' log as it was stored: all containers in order, artifacts left out. With `follow` it goes on
 * until the diagnosis is over, whoever listens, on whatever machine: segments are readable at once. What is new is looked for every
 * 200 ms at first, once a second after 50 s, and every 5 s after 50 minutes. `twin`: of the healthy replica, in the place of the target.
 */
export function readLog(
  deps: Pick<Deps, 'store' | 'records' | 'clock'>,
  diagnosis: Pick<DiagnosisRequest, 'id' | 'adopted'>,
  options: ReadOptions,
): ReadableStream<Uint8Array> {
  const pieces = follow(deps, diagnosis, options)
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await pieces.next()
      if (next.done) controller.close()
      else controller.enqueue(next.value)
    },
    async cancel() {
      await pieces.return(undefined)
    },
  })
}

/** Whether nothing more will be printed: the log is whole, though the bug report may be waiting for its tracker. */
function isOver(diagnosis: Pick<Diagnosis, 'state' | 'outcome'>): boolean {
  return diagnosis.state === 'done' || diagnosis.outcome !== undefined
}

async function* follow(
  deps: Pick<Deps, 'store' | 'records' | 'clock'>,
  diagnosis: Pick<DiagnosisRequest, 'id' | 'adopted'>,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const { signal } = options
  const { id } = diagnosis
  const part = options.twin ? twinOf(id) : id
  const containers = containersOf(diagnosis)
  const from = deps.clock.now()
  let over = !options.follow
  for (let at = 0, segment = 1; at < containers.length && !signal.aborted; ) {
    const found = await readSegment(deps.store, segmentKey(part, containers[at] ?? '', segment), signal)
    if (found) {
      segment += 1
      if (!found.header.artifact && found.body.length > 0) yield found.body
      if (found.header.cursor.end) {
        at += 1
        segment = 1
      }
      continue
    }
    // Asked before the segment was looked for: what was written until then has been seen.
    if (over) return
    over = isOver((await deps.records.get(id)) ?? { state: 'done' })
    if (!over) await deps.clock.sleep(pauseAfter(deps.clock.now() - from), signal)
  }
}

/**
 * By how long somebody has followed: each look is two requests, of which a Worker has 10,000 in all, and the longest diagnosis, of two
 * containers of 30 minutes that each may start 10 minutes late, must be followed to its end.
 */
const pauseAfter = (ms: number): number => Math.max(200, Math.min(1000, ms / 50), Math.min(5000, ms / 600))
