import type { Clock } from '../../deps.ts'
import type { Cluster } from '../../ports/cluster/cluster.ts'
import type { Gathered } from '../gathered.ts'
import { harmBetween } from './harm-between.ts'
import { headroomOf } from './headroom.ts'
import { readTarget } from './target.ts'

/**
 * What decides about an injection, read again: after a first container, or when the service was away since it was gathered. What the
 * target is compared with in the end (`restarts`) stays as it was. `ownContainers`: how many of this diagnosis are in the pod already; if
 * the target was harmed since, no other is added.
 */
export async function refresh(
  gathered: Gathered,
  ownContainers: number,
  deps: { readonly cluster: Pick<Cluster, 'getPod' | 'podMetrics'>; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Gathered> {
  const { podRef } = gathered
  if (!podRef || gathered.refusal) return gathered
  let unread: string | undefined
  const [pod, metrics] = await Promise.all([
    deps.cluster.getPod(podRef, signal),
    deps.cluster.podMetrics(podRef, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      unread = error instanceof Error ? error.message : String(error)
      return undefined
    }),
  ])
  if (!pod) return { ...gathered, refusal: { code: 'pod-deleted', message: 'The pod was deleted before a container was added' } }
  if (pod.metadata.uid !== gathered.uid)
    return { ...gathered, refusal: { code: 'pod-replaced', message: 'The pod was replaced by another one of its name before a container was added' } }
  const target = readTarget(pod, gathered.container)
  const { targetId: _, ...before } = gathered
  const now: Gathered = {
    ...before,
    ...target.gathered,
    restarts: gathered.restarts,
    at: deps.clock.now(),
    headroom: headroomOf(pod, metrics, deps.clock.now(), unread),
    ...(target.refusal ? { refusal: target.refusal } : {}),
  }
  if (now.refusal || ownContainers === 0 || !harmBetween(gathered, pod).harmed) return now
  const message = 'The target was harmed while the first container ran, so no second one is added'
  return { ...now, refusal: { code: 'harmed', message } }
}
