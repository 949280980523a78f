import type { Clock, Deps } from '../../deps.ts'
import { TrackerUnavailable } from '../../ports/tracker/tracker.ts'

interface Lease {
  readonly holder: string
  /** Of one call alone: the same holder may be at work in two processes, and after a crash. */
  readonly turn: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

const leaseMs = 120_000
/** The work ends so long before its lease that a tracker's lists show by then what was sent last. */
const workMs = 90_000
/** What was sent and not answered may be made all the same, and not be in the tracker's lists yet. */
const lostMs = 10_000
const laterMs = 3000

/**
 * Does the work for a trouble alone: trackers cannot tell two that open an issue with the same marker at once. Who dies holds the others up for
 * two minutes. Throws TrackerUnavailable where somebody else is at it; the signal of the work aborts with one after 90 s.
 */
export async function alone<T>(
  trouble: string,
  holder: string,
  deps: Pick<Deps, 'records'> & { readonly clock: Pick<Clock, 'now'> },
  work: (inTime: AbortSignal) => Promise<T>,
): Promise<T> {
  const { records, clock } = deps
  const key = `report:${trouble}`
  const now = clock.now()
  const lease: Lease = { holder, turn: crypto.randomUUID(), until: now + leaseMs }
  const isOurs = (other: Lease | undefined) => other?.turn === lease.turn
  const kept = await records.changeValue<Lease>(key, (before) => (before && !isOurs(before) && before.until > now ? before : lease))
  if (!isOurs(kept)) throw new TrackerUnavailable(`"${kept.holder}" is looking for the report of trouble "${trouble}"`, laterMs)
  const limit = new AbortController()
  const tooLong = new TrackerUnavailable(`The tracker took longer than ${workMs / 1000} s to find or open the report of trouble "${trouble}"`, lostMs)
  const timer = setTimeout(() => limit.abort(tooLong), workMs)
  let after: Lease | undefined
  try {
    return await work(limit.signal)
  } catch (error) {
    if (error instanceof TrackerUnavailable) after = { ...lease, until: clock.now() + lostMs }
    throw error
  } finally {
    clearTimeout(timer)
    await records.changeValue<Lease, Lease | undefined>(key, (before) => (isOurs(before) ? after : before))
  }
}
