import { type Cluster, ClusterForbidden, type Raw, type RawPod } from '../../ports/cluster/cluster.ts'
import type { Target } from '../diagnosis.ts'
import { pickOf } from './pick-pod.ts'

export type WorkloadOf =
  /** `kind/name`, such as `deployment/cart`: the same for all pods that are made for it. `pod`: the target, or the least healthy one of it. */
  | { readonly kind: 'found'; readonly workload: string; readonly pod?: string }
  /** There is nothing to look at, or not for this service; one sentence. */
  | { readonly kind: 'gone'; readonly message: string }

type Reader = Pick<Cluster, 'getPod' | 'getWorkload' | 'listPods'>

/**
 * What a target belongs to: the workload that a person would name; of a service, what its least healthy pod belongs to. Reading workloads is an optional right; without it, names and labels
 * that the controllers give tell as much for Deployments, Rollouts and CronJobs. Throws ClusterUnavailable, to be called again.
 */
export async function workloadOf(target: Target, cluster: Reader, signal: AbortSignal): Promise<WorkloadOf> {
  const { namespace } = target
  switch (target.kind) {
    case 'selector':
      return { kind: 'found', workload: `selector/${target.selector}` }
    case 'workload': {
      const { workload: kind, name } = target
      const read = await readOptional(namespace, kind, name, cluster, signal)
      if (read === 'absent') return { kind: 'gone', message: `There is no ${kind} "${name}" in namespace "${namespace}" of this cluster any more` }
      const pod = typeof read === 'string' ? undefined : await leastHealthyOf(target, read, cluster, signal)
      // A service makes no pods: what is counted by workload is so however an alert names it.
      const workload = kind === 'service' && pod ? await workloadOfPod(pod, cluster, signal) : ownerOf(kind, name, read)
      return { kind: 'found', workload, ...(pod ? { pod: pod.metadata.name } : {}) }
    }
    case 'pod': {
      const pod = await podOrMessage(target, cluster, signal)
      if (typeof pod === 'string') return { kind: 'gone', message: pod }
      return { kind: 'found', workload: await workloadOfPod(pod, cluster, signal), pod: target.name }
    }
  }
}

async function leastHealthyOf(
  target: Extract<Target, { readonly kind: 'workload' }>,
  workload: Raw,
  cluster: Reader,
  signal: AbortSignal,
): Promise<RawPod | undefined> {
  try {
    const picked = await pickOf(target, workload, cluster, signal)
    return picked.kind === 'picked' ? picked.pod : undefined
  } catch (error) {
    if (error instanceof ClusterForbidden) return undefined
    throw error
  }
}

async function podOrMessage(
  pod: { readonly namespace: string; readonly name: string },
  cluster: Reader,
  signal: AbortSignal,
): Promise<RawPod | string> {
  const { namespace, name } = pod
  try {
    return (await cluster.getPod({ namespace, name }, signal)) ?? `There is no pod "${name}" in namespace "${namespace}" of this cluster any more`
  } catch (error) {
    if (error instanceof ClusterForbidden) return `${error.message}; grant the service its rights of infra/kubernetes there`
    throw error
  }
}

/** As {@link workloadOf} for a pod that was read. */
export async function workloadOfPod(pod: RawPod, cluster: Pick<Cluster, 'getWorkload'>, signal: AbortSignal): Promise<string> {
  const { namespace, name, labels = {} } = pod.metadata
  const owner = controllerOf(pod)
  // The controller of a static pod's mirror is its node.
  if (!owner || owner.kind === 'Node') return `pod/${name}`
  if (owner.kind === 'ReplicaSet') {
    const guessed = madeFor(owner.name, labels)
    if (guessed !== undefined) return guessed
  }
  if (owner.kind !== 'ReplicaSet' && owner.kind !== 'Job') return reference(owner)
  const kind = owner.kind.toLowerCase()
  const read = await readOptional(namespace, kind, owner.name, cluster, signal)
  return ownerOf(kind, owner.name, read)
}

/** A ReplicaSet and its pods carry, as a label, the hash that its name ends with. Sources: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label, https://argo-rollouts.readthedocs.io */
function madeFor(replicaSet: string, labels: Readonly<Record<string, string>>): string | undefined {
  for (const [label, kind] of [
    ['rollouts-pod-template-hash', 'rollout'],
    ['pod-template-hash', 'deployment'],
  ] as const) {
    const suffix = `-${labels[label] ?? ''}`
    if (suffix !== '-' && replicaSet.endsWith(suffix) && replicaSet !== suffix) return `${kind}/${replicaSet.slice(0, -suffix.length)}`
  }
  return undefined
}

/** The workload, or what controls it if that is a ReplicaSet or Job. Where it could not be read, the name of a Job tells of its CronJob. */
function ownerOf(kind: string, name: string, read: Raw | 'absent' | 'forbidden'): string {
  if (kind !== 'replicaset' && kind !== 'job') return `${kind}/${name}`
  const owner = typeof read === 'string' ? undefined : controllerOf(read)
  if (owner) return reference(owner)
  // A CronJob appends the minutes since 1970, older ones the seconds.
  const [, cronJob] = (typeof read === 'string' && kind === 'job' && /^(.+)-\d{8,10}$/.exec(name)) || []
  return cronJob === undefined ? `${kind}/${name}` : `cronjob/${cronJob}`
}

async function readOptional(
  namespace: string,
  kind: string,
  name: string,
  cluster: Pick<Cluster, 'getWorkload'>,
  signal: AbortSignal,
): Promise<Raw | 'absent' | 'forbidden'> {
  try {
    return (await cluster.getWorkload(namespace, kind, name, signal)) ?? 'absent'
  } catch (error) {
    if (error instanceof ClusterForbidden) return 'forbidden'
    throw error
  }
}

interface Owner {
  readonly kind: string
  readonly name: string
}

export function controllerOf({ metadata }: Raw): Owner | undefined {
  const { ownerReferences = [] } = (metadata ?? {}) as { readonly ownerReferences?: readonly (Owner & { readonly controller?: boolean })[] }
  return ownerReferences.find(({ controller }) => controller === true)
}

function reference({ kind, name }: Owner): string {
  return `${kind.toLowerCase()}/${name}`
}
