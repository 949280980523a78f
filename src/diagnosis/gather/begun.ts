import type { Clock } from '../../deps.ts'
import type { Cluster, RawPod } from '../../ports/cluster/cluster.ts'
import { readTarget } from './target.ts'

const pauseMs = 250
/** Counted, not timed: three seconds. */
const looks = 12
/** What has not begun by then waits for more than the status. */
const youngMs = 20_000

interface Deps {
  readonly cluster: Pick<Cluster, 'getPod'>
  readonly clock: Clock
}

/**
 * The pod, read again for a moment where its target is just being started: the status comes a second or so after the first line of its log, and a
 * container that is added before sees no process of it.
 */
export async function onceBegun(pod: RawPod, container: string | undefined, { cluster, clock }: Deps, signal: AbortSignal): Promise<RawPod> {
  const { namespace, name, uid } = pod.metadata
  let latest = pod
  for (let look = 0; look < looks && isBeginning(latest, container, clock.now()); look++) {
    await clock.sleep(pauseMs, signal)
    signal.throwIfAborted()
    const now = await cluster.getPod({ namespace, name }, signal)
    if (now?.metadata.uid !== uid) break
    latest = now
  }
  return latest
}

/** Its init containers have done their work, and the kubelet makes the target: for the first time, and not for long. */
function isBeginning(pod: RawPod, asked: string | undefined, now: number): boolean {
  const { spec, status } = pod
  const own = readTarget(pod, asked).status
  const since = Date.parse(String(status.startTime ?? ''))
  return (
    spec.nodeName !== undefined &&
    now - since < youngMs &&
    own?.state?.waiting?.reason === 'ContainerCreating' &&
    own.restartCount === 0 &&
    (status.initContainerStatuses ?? []).every(({ state }) => state?.running || state?.terminated?.exitCode === 0)
  )
}
