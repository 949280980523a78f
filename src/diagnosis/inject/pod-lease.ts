import type { Deps } from '../../deps.ts'
import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Refusal } from '../diagnosis.ts'

/** Who has a pod for itself, until when at the latest, in milliseconds since the epoch. */
interface Lease {
  readonly id: string
  readonly until: number
}

const keyOf = (cluster: string, uid: string) => `pod:${cluster}/${uid}`

/**
 * Takes a pod for one diagnosis: the headroom that was measured is spent once, and the budget of containers is counted once. Taking it
 * again is no change. Returns the id of the diagnosis that has it: another one's where the pod is not to be had.
 */
export async function takePod(cluster: string, uid: string, lease: Lease, deps: Pick<Deps, 'records' | 'clock'>): Promise<string> {
  const now = deps.clock.now()
  const kept = await deps.records.changeValue<Lease>(keyOf(cluster, uid), (before) =>
    before && before.id !== lease.id && before.until > now ? before : lease,
  )
  return kept.id
}

/**
 * Takes the pod from a diagnosis that is over and whose containers have ended: a cancelled one left it taken, because its container ran on.
 * False where that is not so.
 */
export async function takeOver(
  cluster: string,
  holder: string,
  pod: Pick<RawPod, 'metadata' | 'status'> | undefined,
  deps: Pick<Deps, 'records'>,
): Promise<boolean> {
  if (!pod || (await deps.records.get(holder))?.outcome === undefined) return false
  const own = pod.status.ephemeralContainerStatuses?.filter(({ name }) => name.startsWith(`${holder}-`)) ?? []
  if (own.length === 0 || !own.every(({ state }) => state?.terminated)) return false
  await leavePod(cluster, pod.metadata.uid, holder, deps)
  return true
}

/** Gives the pod back, if this diagnosis has it. */
export async function leavePod(cluster: string, uid: string, id: string, deps: Pick<Deps, 'records'>): Promise<void> {
  await deps.records.changeValue<Lease, Lease | undefined>(keyOf(cluster, uid), (before) => (before?.id === id ? undefined : before))
}

/** Why the pod could not be taken now; the refusal names who has it. */
export async function busyNow(
  cluster: string,
  uid: string,
  pod: () => Promise<RawPod | undefined>,
  deps: Pick<Deps, 'records' | 'clock'>,
): Promise<Refusal | undefined> {
  const kept = await deps.records.getValue<Lease>(keyOf(cluster, uid))
  if (!kept || kept.until <= deps.clock.now() || (await takeOver(cluster, kept.id, await pod(), deps))) return undefined
  return busy(kept.id)
}

export function busy(holder: string): Refusal {
  return {
    code: 'busy',
    message: `A container of diagnosis "${holder}" is at work in this pod, and two at once would share what memory the pod has left: look at that one, or ask again when its container has ended (with another Idempotency-Key, where one was sent)`,
  }
}
