import type { Clock } from '../../deps.ts'
import type { Cluster, PodRef, RawContainerStatus, RawPod } from '../../ports/cluster/cluster.ts'

export type Started =
  | { readonly kind: 'started' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'gone'; readonly message: string }
  /** The kubelet never gives up by itself: an image that cannot be pulled waits forever. */
  | { readonly kind: 'not-started'; readonly message: string }

export interface WaitDeps {
  readonly cluster: Pick<Cluster, 'watchPod' | 'getPod'>
  readonly clock: Clock
}

/** How often a flag in the records is looked at. */
const cancelMs = 1000

/**
 * Watches until the container runs or has ended, at the longest until `until` (milliseconds since the epoch); then names the waiting
 * reason. Throws ClusterUnavailable when the API server cannot say then what is true.
 */
export async function waitForStart(
  pod: PodRef,
  uid: string,
  container: string,
  until: number,
  deps: WaitDeps & { readonly cancelled: () => Promise<boolean> },
  signal: AbortSignal,
): Promise<Started> {
  let seen: RawContainerStatus | undefined
  // Between two attempts the kubelet says ContainerCreating again.
  let telling: RawContainerStatus | undefined
  let added = true
  const decide = (now: RawPod | undefined): Started | undefined => {
    if (!now || now.metadata.uid !== uid) return { kind: 'gone', message: 'the pod was deleted before the container started' }
    seen = statusOf(now, container) ?? seen
    added = now.spec.ephemeralContainers?.some(({ name }) => name === container) ?? false
    if (seen?.state?.waiting?.message) telling = seen
    if (seen?.state?.running || seen?.state?.terminated) return { kind: 'started' }
    // The kubelet starts nothing in it any more.
    if (now.status.phase === 'Succeeded' || now.status.phase === 'Failed')
      return { kind: 'gone', message: `the pod finished (${now.status.phase}) before the container started` }
    return undefined
  }
  const stop = new AbortController()
  const cancelling = untilCancelled(deps, stop.signal)
  try {
    const found = await Promise.race([watchUntil(pod, until, deps, AbortSignal.any([signal, stop.signal]), decide), cancelling])
    if (found) return found
  } finally {
    stop.abort()
  }
  if (!added) return { kind: 'not-started', message: 'the API server did not take the container: its answer was lost, and it is not in the pod' }
  const waiting = (telling ?? seen)?.state?.waiting
  const why = waiting ? `${waiting.reason ?? 'waiting'}${waiting.message ? `: ${waiting.message}` : ''}` : 'the kubelet has not seen it'
  return { kind: 'not-started', message: `the container did not start in time, ${why}` }
}

/** Watches until the container has ended, at the longest until `until`; returns its status then, as far as there is one. Throws as {@link waitForStart}. */
export async function waitForEnd(
  pod: PodRef,
  uid: string,
  container: string,
  until: number,
  deps: WaitDeps,
  signal: AbortSignal,
): Promise<RawContainerStatus | undefined> {
  let last: RawContainerStatus | undefined
  await watchUntil(pod, until, deps, signal, (now) => {
    if (!now || now.metadata.uid !== uid) return true
    last = statusOf(now, container) ?? last
    return last?.state?.terminated ? true : undefined
  })
  return last
}

async function watchUntil<T>(
  pod: PodRef,
  until: number,
  deps: WaitDeps,
  signal: AbortSignal,
  decide: (pod: RawPod | undefined) => T | undefined,
): Promise<T | undefined> {
  const left = until - deps.clock.now()
  if (left > 0) {
    const done = new AbortController()
    const timer = deps.clock.sleep(left, done.signal).then(() => done.abort())
    try {
      for await (const now of deps.cluster.watchPod(pod, AbortSignal.any([signal, done.signal]))) {
        const decided = decide(now)
        if (decided !== undefined) return decided
      }
    } finally {
      done.abort()
      await timer
    }
  }
  // What the watch told last may be old, for it outlasts an API server that is away; after a restart it told nothing.
  return decide(await deps.cluster.getPod(pod, signal))
}

/** Resolves once the diagnosis is cancelled; never, when `signal` aborts first. */
async function untilCancelled(deps: { readonly cancelled: () => Promise<boolean>; readonly clock: Clock }, signal: AbortSignal): Promise<Started> {
  while (!signal.aborted) {
    // Records that cannot be read now are asked again.
    if (await deps.cancelled().catch(() => false)) return { kind: 'cancelled' }
    await deps.clock.sleep(cancelMs, signal)
  }
  return new Promise(() => undefined)
}

function statusOf(pod: RawPod, container: string): RawContainerStatus | undefined {
  return pod.status.ephemeralContainerStatuses?.find(({ name }) => name === container)
}
