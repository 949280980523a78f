import type { Clock, Deps } from '../../deps.ts'
import { TrackerUnavailable } from '../../ports/tracker/tracker.ts'

interface Lease {
  readonly holder: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** Longer than any tracker takes to find and open an issue: every request of ours ends within seconds. */
const leaseMs = 120_000
const laterMs = 3000

/**
 * Does the work for a trouble alone: trackers cannot tell two that open an issue with the same marker at once. Who dies holds the others up for
 * two minutes. Throws TrackerUnavailable where somebody else is at it.
 */
export async function alone<T>(
  trouble: string,
  holder: string,
  deps: Pick<Deps, 'records'> & { readonly clock: Pick<Clock, 'now'> },
  work: () => Promise<T>,
): Promise<T> {
  const key = `report:${trouble}`
  const now = deps.clock.now()
  const lease: Lease = { holder, until: now + leaseMs }
  const kept = await deps.records.changeValue<Lease>(key, (before) => (before && before.holder !== holder && before.until > now ? before : lease))
  if (kept.holder !== holder) throw new TrackerUnavailable(`"${kept.holder}" is looking for the report of trouble "${trouble}"`, laterMs)
  try {
    return await work()
  } finally {
    await deps.records.changeValue<Lease, Lease | undefined>(key, (before) => (before?.holder === holder ? undefined : before))
  }
}
