import type { Cluster, Raw, RawPod } from '../../ports/cluster/cluster.ts'
import type { CheckRequest, Finding, Target } from '../diagnosis.ts'
import { claimFindings } from './claim-findings.ts'
import type { Beside } from './findings.ts'
import { type NodeReading, readNode } from './node-findings.ts'
import { optional } from './optional.ts'
import type { PodEvent } from './readings.ts'
import { serviceFindings, serviceWithoutPods } from './service-findings.ts'
import { workloadFindings } from './workload-findings.ts'

type Reader = Pick<Cluster, 'listEventsOf' | 'listServices' | 'getNode' | 'listPods'>

export interface Around extends Beside {
  /** Of the pod's namespace; empty where they may not be read. */
  readonly listed: readonly Raw[]
  readonly pressure?: string
}

/** None of it is worth waiting long for. */
const patienceMs = 5000

/**
 * What stands around the pod, as far as the rights of the service reach: its node, the Services of its namespace, the events of its claims, the workload that was asked for.
 * `called`: the servers that the target calls. Never throws but for `signal`; `now` is in milliseconds.
 */
export async function readAround(
  pod: RawPod,
  { target, workload, called }: { readonly target: Target; readonly workload?: Raw; readonly called: readonly CheckRequest[] },
  cluster: Reader,
  now: number,
  signal: AbortSignal,
): Promise<Around> {
  const both = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  const { namespace } = pod.metadata
  const { nodeName } = pod.spec
  const [node, listed = [], claims, refusals] = await Promise.all([
    nodeName ? optional('nodes', cluster, now, () => cluster.getNode(nodeName, both)) : undefined,
    optional(`services of ${namespace}`, cluster, now, () => cluster.listServices(namespace, both)),
    claimFindings(pod, cluster, now, both),
    workload && isShort(workload) ? eventsOfWorkload(target, cluster, now, both) : [],
  ])
  signal.throwIfAborted()
  const { findings, pressure }: NodeReading = readNode(node, now)
  return {
    node: findings,
    claims,
    listed,
    services: await serviceFindings(pod, listed, called, cluster, both),
    workload:
      workload && target.kind === 'workload'
        ? workloadFindings({ kind: target.workload, name: target.name, workload, events: refusals, hasPods: true }, now)
        : [],
    ...(pressure === undefined ? {} : { pressure }),
  }
}

const kinds: Readonly<Record<string, string>> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  daemonset: 'DaemonSet',
  replicaset: 'ReplicaSet',
  job: 'Job',
}

/** Why a workload that is there has no pod to look at. */
export async function withoutPods(
  target: Target,
  workload: Raw | undefined,
  cluster: Reader,
  now: number,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (!workload || target.kind !== 'workload') return []
  const both = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  const { namespace, name, workload: kind } = target
  if (kind === 'service') {
    const pods = (await optional(`pods of ${namespace}`, cluster, now, () => cluster.listPods(namespace, '', both))) ?? []
    return serviceWithoutPods(workload, pods)
  }
  const events = await eventsOfWorkload(target, cluster, now, both)
  signal.throwIfAborted()
  return workloadFindings({ kind, name, workload, events, hasPods: false }, now)
}

async function eventsOfWorkload(target: Target, cluster: Reader, now: number, signal: AbortSignal): Promise<readonly PodEvent[]> {
  if (target.kind !== 'workload') return []
  const { namespace, name, workload: kind } = target
  const list = await optional(`events of ${namespace}`, cluster, now, () => cluster.listEventsOf(namespace, kinds[kind] ?? kind, name, signal))
  return (Array.isArray(list?.items) ? list.items : []) as readonly PodEvent[]
}

/** Fewer pods than are wanted have been made. */
function isShort({ spec, status }: Raw): boolean {
  const { replicas: wanted } = (spec ?? {}) as { readonly replicas?: number }
  const { replicas: made, desiredNumberScheduled, currentNumberScheduled } = (status ?? {}) as Readonly<Record<string, number | undefined>>
  return (made ?? currentNumberScheduled ?? 0) < (desiredNumberScheduled ?? wanted ?? 0)
}
