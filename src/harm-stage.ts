import type { Finding } from './diagnosis/diagnosis.ts'
import { harmBetween } from './diagnosis/gather/harm-between.ts'
import { noteHarm } from './diagnosis/inject/harm-switch.ts'
import { leavePlace } from './diagnosis/inject/node-places.ts'
import { leavePod } from './diagnosis/inject/pod-lease.ts'
import type { Examined } from './examine.ts'
import { type GatherOutcome, podOf, type StageContext } from './stage-context.ts'

/**
 * Gives the pod back, and tells of restarts and OOM kills since it was gathered; a harmed pod counts towards the pause. Nothing where no container was
 * added.
 */
export async function harmSince(
  outcome: GatherOutcome,
  examined: readonly Examined[],
  { request, deps, id, part, cluster }: Pick<StageContext, 'request' | 'deps' | 'id' | 'part' | 'cluster'>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (outcome.kind === 'failed' || outcome.gathered.uid === undefined) return []
  const { pod, uid, gathered } = podOf(outcome)
  const containers = examined.flatMap(({ container }) => (container ? [container] : []))
  // One that still runs has the pod, and its place on the node, until its own deadline.
  if (containers.every(({ exitCode }) => exitCode !== undefined)) {
    await leavePlace({ cluster: request.cluster, node: gathered.node, id: part }, deps)
    await leavePod(request.cluster, uid, id, deps)
  }
  if (containers.length === 0) return []
  const now = await cluster().getPod(pod, signal)
  if (!now || now.metadata.uid !== uid) return []
  const { findings, harmed } = harmBetween(gathered, now)
  if (harmed) await noteHarm(id, deps)
  return findings
}
