import type { Clock } from '../../deps.ts'
import type { Cluster, PodRef, RawContainerStatus, RawPod } from '../../ports/cluster/cluster.ts'

export type Started =
  | { readonly kind: 'started' }
  | { readonly kind: 'gone'; readonly message: string }
  /** The kubelet never gives up by itself: an image that cannot be pulled waits forever. */
  | { readonly kind: 'not-started'; readonly message: string }

/** Watches until the container runs or has ended, at the longest until `until` (milliseconds since the epoch); then names the waiting reason. */
export async function waitForStart(
  pod: PodRef,
  uid: string,
  container: string,
  until: number,
  deps: { readonly cluster: Pick<Cluster, 'watchPod'>; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Started> {
  let seen: RawContainerStatus | undefined
  // Between two attempts the kubelet says ContainerCreating again.
  let telling: RawContainerStatus | undefined
  const found = await watchUntil(pod, until, deps, signal, (now): Started | undefined => {
    if (!now || now.metadata.uid !== uid) return { kind: 'gone', message: 'the pod was deleted before the container started' }
    seen = statusOf(now, container) ?? seen
    if (seen?.state?.waiting?.message) telling = seen
    if (seen?.state?.running || seen?.state?.terminated) return { kind: 'started' }
    // The kubelet starts nothing in it any more.
    if (now.status.phase === 'Succeeded' || now.status.phase === 'Failed')
      return { kind: 'gone', message: `the pod finished (${now.status.phase}) before the container started` }
    return undefined
  })
  if (found) return found
  const waiting = (telling ?? seen)?.state?.waiting
  const why = waiting ? `${waiting.reason ?? 'waiting'}${waiting.message ? `: ${waiting.message}` : ''}` : 'the kubelet has not seen it'
  return { kind: 'not-started', message: `the container did not start in time, ${why}` }
}

/** Watches until the container has ended, at the longest until `until`; returns its status then, as far as there is one. */
export async function waitForEnd(
  pod: PodRef,
  uid: string,
  container: string,
  until: number,
  deps: { readonly cluster: Pick<Cluster, 'watchPod'>; readonly clock: Clock },
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

const firstReadMs = 2000

async function watchUntil<T>(
  pod: PodRef,
  until: number,
  deps: { readonly cluster: Pick<Cluster, 'watchPod'>; readonly clock: Clock },
  signal: AbortSignal,
  decide: (pod: RawPod | undefined) => T | undefined,
): Promise<T | undefined> {
  const done = new AbortController()
  // The pod is read once even if the time is up already, as it is after a restart: what is true now is told.
  const left = Math.max(firstReadMs, until - deps.clock.now())
  const timer = deps.clock.sleep(left, done.signal).then(() => done.abort())
  try {
    for await (const now of deps.cluster.watchPod(pod, AbortSignal.any([signal, done.signal]))) {
      const decided = decide(now)
      if (decided !== undefined || deps.clock.now() >= until) return decided
    }
    return undefined
  } finally {
    done.abort()
    await timer
  }
}

function statusOf(pod: RawPod, container: string): RawContainerStatus | undefined {
  return pod.status.ephemeralContainerStatuses?.find(({ name }) => name === container)
}
