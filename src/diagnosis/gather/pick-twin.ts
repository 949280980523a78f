import { type Cluster, ClusterForbidden, type RawPod } from '../../ports/cluster/cluster.ts'
import { controllerOf, workloadOfPod } from './workload-of.ts'

export type PickedTwin =
  | { readonly kind: 'picked'; readonly pod: RawPod; readonly workload: string }
  /** One sentence. */
  | { readonly kind: 'none'; readonly message: string }

/** Who was restarted later than that is no picture of health. */
const calmMs = 3_600_000

/** Labels that name an application, of which its replicas have the same. */
const appLabels = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app', 'k8s-app', 'name']
/** Labels that controllers give to one pod, or to one revision. */
const ownLabel =
  /^(pod-template-hash|rollouts-pod-template-hash|controller-revision-hash|pod-template-generation|statefulset\.kubernetes\.io\/|apps\.kubernetes\.io\/pod-index|(batch\.kubernetes\.io\/)?(controller-uid|job-name|job-completion-index))/

/**
 * A healthy replica of the pod: another pod of the same workload that is ready in all its containers, was not restarted for an hour and is not being
 * deleted. Preferred are those of the same revision, then on other nodes, then with fewer ephemeral containers and restarts, then the oldest.
 * `now` is in milliseconds since the epoch. Throws ClusterUnavailable, to be called again.
 */
export async function pickTwin(
  target: RawPod,
  container: string | undefined,
  now: number,
  cluster: Pick<Cluster, 'listPods' | 'getWorkload'>,
  signal: AbortSignal,
): Promise<PickedTwin> {
  const none = (message: string): PickedTwin => ({ kind: 'none', message })
  const owner = controllerOf(target)
  if (!owner || owner.kind === 'Node') return none('The pod belongs to no workload, so it has no replicas to compare it with')
  const selector = selectorOf(target)
  if (selector === undefined) return none('The pod has no labels by which its replicas could be found')
  try {
    const pods = await cluster.listPods(target.metadata.namespace, selector, signal)
    const workload = await workloadOfPod(target, cluster, signal)
    const replicas = await ofWorkload(workload, pods, target, cluster, signal)
    const [twin] = replicas.filter((pod) => isHealthy(pod, container, now)).toSorted(byFitness(target))
    if (twin) return { kind: 'picked', pod: twin, workload }
    if (replicas.length === 0) return none(`The ${inWords(workload)} has no other pod to compare with`)
    const others = replicas.length === 1 ? '1 other pod, which is not' : `${replicas.length} other pods, none of which is`
    return none(`The ${inWords(workload)} has ${others} healthy (ready in all containers, and not restarted within the last hour)`)
  } catch (error) {
    if (error instanceof ClusterForbidden) return none(`No replica can be looked for: ${error.message}`)
    throw error
  }
}

function selectorOf({ metadata: { labels = {} } }: RawPod): string | undefined {
  const all = Object.entries(labels).filter(([key]) => !ownLabel.test(key))
  const telling = all.filter(([key]) => appLabels.includes(key))
  const text = (telling.length > 0 ? telling : all).map(([key, value]) => `${key}=${value}`).join(',')
  return text === '' ? undefined : text
}

/** Those of the same workload, the target left out. Each owner is asked for once. */
async function ofWorkload(
  workload: string,
  pods: readonly RawPod[],
  target: RawPod,
  cluster: Pick<Cluster, 'getWorkload'>,
  signal: AbortSignal,
): Promise<readonly RawPod[]> {
  const known = new Map<string, string>()
  const replicas: RawPod[] = []
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner || pod.metadata.uid === target.metadata.uid) continue
    const key = `${owner.kind}/${owner.name}`
    const its = known.get(key) ?? (await workloadOfPod(pod, cluster, signal))
    known.set(key, its)
    if (its === workload) replicas.push(pod)
  }
  return replicas
}

function isHealthy({ metadata, spec, status }: RawPod, container: string | undefined, now: number): boolean {
  const statuses = status.containerStatuses ?? []
  const wanted = container === undefined || spec.containers.some(({ name }) => name === container)
  const calm = statuses.every(({ lastState }) => {
    const ended = lastState?.terminated?.finishedAt
    return ended === undefined || now - Date.parse(ended) >= calmMs
  })
  const ready = statuses.length > 0 && statuses.every((one) => one.ready === true && one.state?.running !== undefined)
  return metadata.deletionTimestamp === undefined && status.phase === 'Running' && wanted && ready && calm
}

function byFitness(target: RawPod): (a: RawPod, b: RawPod) => number {
  const owner = controllerOf(target)
  const rank = (pod: RawPod): readonly number[] => [
    controllerOf(pod)?.name === owner?.name ? 0 : 1,
    pod.spec.nodeName === target.spec.nodeName ? 1 : 0,
    pod.spec.ephemeralContainers?.length ?? 0,
    (pod.status.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
    Date.parse(String(pod.metadata.creationTimestamp)) || 0,
  ]
  return (a, b) => {
    const [left, right] = [rank(a), rank(b)]
    const at = left.findIndex((value, n) => value !== right[n])
    if (at >= 0) return (left[at] as number) - (right[at] as number)
    return a.metadata.name < b.metadata.name ? -1 : 1
  }
}

/** `deployment/cart` → `deployment "cart"` */
function inWords(workload: string): string {
  const slash = workload.indexOf('/')
  return `${workload.slice(0, slash)} "${workload.slice(slash + 1)}"`
}
