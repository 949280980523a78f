import { type Cluster, ClusterForbidden, type Raw, type RawPod } from '../../ports/cluster/cluster.ts'
import type { Refusal, RefusalCode, Target } from '../diagnosis.ts'
import { conditionsOf } from './containers.ts'

/** `workload`: what was asked for, where that is one and is there. */
export type Picked =
  | { readonly kind: 'picked'; readonly pod: RawPod; readonly workload?: Raw }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly workload?: Raw }

/** The pod that was named, or the least healthy one of a workload or selector; else why there is none. */
export async function pickPod(target: Target, cluster: Pick<Cluster, 'getPod' | 'listPods' | 'getWorkload'>, signal: AbortSignal): Promise<Picked> {
  const { namespace } = target
  try {
    switch (target.kind) {
      case 'pod': {
        const pod = await cluster.getPod({ namespace, name: target.name }, signal)
        const message = `There is no pod "${target.name}" in namespace "${namespace}" of this cluster; kubectl -n ${namespace} get pods lists them`
        return pod ? { kind: 'picked', pod } : refused('pod-not-found', message)
      }
      case 'workload': {
        const workload = await cluster.getWorkload(namespace, target.workload, target.name, signal)
        if (workload) return { ...(await pickOf(target, workload, cluster, signal)), workload }
        return refused('pod-not-found', `There is no ${target.workload} "${target.name}" in namespace "${namespace}" of this cluster`)
      }
      case 'selector':
        return leastHealthy(await cluster.listPods(namespace, target.selector, signal), `pods with labels "${target.selector}"`, namespace)
    }
  } catch (error) {
    if (!(error instanceof ClusterForbidden)) throw error
    const optional = target.kind === 'workload' ? ', or name a pod: workloads are an optional right' : ''
    return refused('rbac', `${error.message}; grant the service its rights of infra/kubernetes there${optional}`)
  }
}

/** The least healthy pod that a workload, which was read, selects; else why there is none. */
export async function pickOf(
  target: Extract<Target, { readonly kind: 'workload' }>,
  workload: Raw,
  cluster: Pick<Cluster, 'listPods'>,
  signal: AbortSignal,
): Promise<Picked> {
  const { namespace, workload: kind, name } = target
  const what = `${kind} "${name}"`
  const selector = kind === 'service' ? selectorOfService(workload) : selectorOf(workload)
  if (selector === undefined) return refused('pod-not-found', `The ${what} selects no pods, or in a form that is not supported; name the pod`)
  const pods = await cluster.listPods(namespace, selector, signal)
  return leastHealthy(kind === 'job' && isDone(workload, pods) ? withoutTries(pods) : pods, `pods of ${what}`, namespace)
}

/** A Job that has done its work: the pods that failed were its tries before. Its controller says so a moment after them. */
function isDone({ spec, status }: Raw, pods: readonly RawPod[]): boolean {
  const { completions = 1 } = (spec ?? {}) as { readonly completions?: number | null }
  if (pods.filter(({ status: { phase } }) => phase === 'Succeeded').length >= (completions ?? 1)) return true
  return conditionsOf(status).some(({ type, status: is }) => (type === 'Complete' || type === 'SuccessCriteriaMet') && is === 'True')
}

function withoutTries(pods: readonly RawPod[]): readonly RawPod[] {
  const well = pods.filter(({ status }) => status.phase !== 'Failed')
  return well.length > 0 ? well : pods
}

function refused(code: RefusalCode, message: string): Picked {
  return { kind: 'refused', refusal: { code, message } }
}

/** Among equals the newest, then by name, so that the same pods give the same answer. */
function leastHealthy(pods: readonly RawPod[], what: string, namespace: string): Picked {
  const made = (pod: RawPod) => Date.parse(String(pod.metadata.creationTimestamp)) || 0
  const [pod] = pods.toSorted((a, b) => healthOf(a) - healthOf(b) || made(b) - made(a) || (a.metadata.name < b.metadata.name ? -1 : 1))
  return pod ? { kind: 'picked', pod } : refused('pod-not-found', `There are no ${what} in namespace "${namespace}"`)
}

/** Low is sick: not ready before ready, more restarts before fewer; what has ended tells less, and what is being deleted least. */
function healthOf(pod: RawPod): number {
  if (pod.metadata.deletionTimestamp !== undefined) return 1e8
  if (pod.status.phase === 'Succeeded') return 1e7
  if (pod.status.phase === 'Failed') return 1e6
  const statuses = pod.status.containerStatuses ?? []
  const ready = statuses.length > 0 && statuses.every((status) => status.ready === true)
  const restarts = statuses.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0)
  return (ready ? 1000 : 0) - Math.min(restarts, 999)
}

interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[]
}

/** A Service's is a plain map; it has none where its endpoints are kept by hand, or where it is another name of a host. */
function selectorOfService({ spec }: Raw): string | undefined {
  const { selector: matchLabels, type } = (spec ?? {}) as { readonly selector?: LabelSelector['matchLabels']; readonly type?: string }
  return type === 'ExternalName' ? undefined : selectorOf({ spec: { selector: { matchLabels } } })
}

/** As the query of a list takes it; undefined for one that would select all pods or that has an unknown operator. */
function selectorOf(workload: Raw): string | undefined {
  const { matchLabels = {}, matchExpressions = [] } = ((workload.spec as { readonly selector?: LabelSelector } | undefined)?.selector ??
    {}) as LabelSelector
  const parts = [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => {
      switch (operator) {
        case 'In':
          return `${key} in (${values.join(',')})`
        case 'NotIn':
          return `${key} notin (${values.join(',')})`
        case 'Exists':
          return key
        case 'DoesNotExist':
          return `!${key}`
        default:
          return undefined
      }
    }),
  ]
  return parts.length > 0 && !parts.includes(undefined) ? parts.join(',') : undefined
}
