import type { Deps } from '../deps.ts'
import type { Diagnosis } from '../diagnosis/diagnosis.ts'

const pollMs = 100

/** Waits for a diagnosis to become what is wanted; returns it as it is then, or as it is after `timeoutMs`, an abort, or when the service stops. */
export async function waitUntil(
  wanted: (diagnosis: Diagnosis) => boolean,
  id: string,
  timeoutMs: number,
  deps: Pick<Deps, 'records' | 'clock' | 'stopping'>,
  requestSignal: AbortSignal,
): Promise<Diagnosis | undefined> {
  const signal = AbortSignal.any([requestSignal, deps.stopping])
  const until = deps.clock.now() + timeoutMs
  for (;;) {
    const diagnosis = await deps.records.get(id)
    if (!diagnosis || wanted(diagnosis)) return diagnosis
    const left = until - deps.clock.now()
    if (left <= 0 || signal.aborted) return diagnosis
    await deps.clock.sleep(Math.min(pollMs, left), signal)
  }
}

export function isDone(diagnosis: Pick<Diagnosis, 'state'>): boolean {
  return diagnosis.state === 'done'
}

/** Whether there is nothing to wait for any more: a tracker that is down may take its note hours later. */
export function isTold(diagnosis: Pick<Diagnosis, 'state' | 'reported'>): boolean {
  return isDone(diagnosis) || diagnosis.reported !== undefined
}
