import type { Deps } from '../deps.ts'
import type { Diagnosis } from '../diagnosis/diagnosis.ts'

/** Whoever has waited long is told a little later: each look is a request to the database, of which a Worker has so many. */
const pauseAfter = (waitedMs: number): number => Math.min(1000, Math.max(100, waitedMs / 50))

/**
 * Waits for a diagnosis to become what is wanted; returns it as it is then, or as it is after `timeoutMs`, an abort, or when the service
 * stops. It is looked at every 100 ms for the first 5 s, and then less and less often, down to once a second.
 */
export async function waitUntil(
  wanted: (diagnosis: Diagnosis) => boolean,
  id: string,
  timeoutMs: number,
  deps: Pick<Deps, 'records' | 'clock' | 'stopping'>,
  requestSignal: AbortSignal,
): Promise<Diagnosis | undefined> {
  const signal = AbortSignal.any([requestSignal, deps.stopping])
  const from = deps.clock.now()
  for (;;) {
    const diagnosis = await deps.records.get(id)
    if (!diagnosis || wanted(diagnosis)) return diagnosis
    const waitedMs = deps.clock.now() - from
    const left = timeoutMs - waitedMs
    if (left <= 0 || signal.aborted) return diagnosis
    await deps.clock.sleep(Math.min(pauseAfter(waitedMs), left), signal)
  }
}

export function isDone(diagnosis: Pick<Diagnosis, 'state'>): boolean {
  return diagnosis.state === 'done'
}

/** Whether there is nothing to wait for any more: a tracker that is down may take its note hours later. */
export function isTold(diagnosis: Pick<Diagnosis, 'state' | 'reported'>): boolean {
  return isDone(diagnosis) || diagnosis.reported !== undefined
}
