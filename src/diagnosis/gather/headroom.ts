import type { Raw, RawContainer, RawPod } from '../../ports/cluster/cluster.ts'
import type { Headroom } from '../gathered.ts'

/** An older measurement says nothing about now. */
const staleMs = 180_000

export const isStale = (at: number, now: number): boolean => now - at > staleMs

/** What is read of a PodMetrics. https://github.com/kubernetes/metrics/blob/v0.34.4/pkg/apis/metrics/v1beta1/types.go */
export interface UsageMetrics {
  readonly timestamp?: string
  /** The time that is measured, until the timestamp: a duration of Go. */
  readonly window?: string
  readonly containers?: readonly { readonly name: string; readonly usage?: { readonly memory?: string; readonly cpu?: string } }[]
}

/**
 * Memory left below the pod's limit. Its cgroup has one only if the pod itself or every container has, init containers among
 * them, though they have ended; then it is the sum of containers and sidecars, or what an init container takes beside the
 * sidecars before it, if that is more. `now` is in milliseconds since the epoch, `unread` why the metrics could not be read.
 * Source: https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/cm/helpers_linux.go
 */
export function headroomOf(pod: RawPod, metrics: Raw | undefined, now: number, unread?: string): Headroom {
  const limitBytes = podLimit(pod)
  if (limitBytes === undefined) return { kind: 'unlimited' }
  if (!metrics) return { kind: 'unknown', why: unread ?? 'metrics.k8s.io has no measurement of this pod, or is not installed' }
  const at = Date.parse(String(metrics.timestamp ?? new Date(now).toISOString()))
  if (isStale(at, now)) return { kind: 'unknown', why: `the last measurement in metrics.k8s.io is ${Math.round((now - at) / 1000)} s old` }
  const usage = containerUsage(metrics)
  for (const { name, state } of [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]) {
    if (!state?.running) continue
    if (!usage.has(name)) return { kind: 'unknown', why: `metrics.k8s.io has not measured container ${name} yet` }
    if (Date.parse(state.running.startedAt ?? '') > at) return { kind: 'unknown', why: `container ${name} was started after the last measurement` }
  }
  // Nothing runs, and what will run at any moment is not known.
  if (usage.size === 0) return { kind: 'unknown', why: 'metrics.k8s.io has not measured this pod yet' }
  const usedBytes = [...usage.values()].reduce((sum, bytes) => sum + bytes, 0)
  return { kind: 'known', freeBytes: limitBytes - usedBytes, limitBytes, usedBytes }
}

/** Bytes by container, of those that were measured. */
export function containerUsage(metrics: Raw | undefined): ReadonlyMap<string, number> {
  const { containers = [] } = (metrics ?? {}) as UsageMetrics
  return new Map(containers.flatMap(({ name, usage }) => (usage?.memory === undefined ? [] : [[name, quantityBytes(usage.memory)] as const])))
}

function podLimit({ spec, status }: RawPod): number | undefined {
  const own = memoryOf(spec as Limited)
  if (own !== undefined) return own
  const limits = new Map([...spec.containers, ...(spec.initContainers ?? [])].map((container) => [container, limitOf(container, status)]))
  if ([...limits.values()].includes(undefined)) return undefined
  const bytes = (container: RawContainer): number => limits.get(container) ?? 0
  let [sidecars, initial] = [0, 0]
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') sidecars += bytes(container)
    else initial = Math.max(initial, sidecars + bytes(container))
  }
  return Math.max(
    initial,
    spec.containers.reduce((sum, container) => sum + bytes(container), sidecars),
  )
}

/** While a container is resized in place, the smaller of what is wanted and what is. */
function limitOf(container: RawContainer, status: RawPod['status']): number | undefined {
  const wanted = memoryOf(container)
  const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
  const actual = memoryOf(all.find(({ name }) => name === container.name) as Limited | undefined)
  return wanted === undefined || actual === undefined ? wanted : Math.min(wanted, actual)
}

type Limited = Pick<RawContainer, 'resources'>

function memoryOf(of: Limited | undefined): number | undefined {
  const memory = of?.resources?.limits?.memory
  return memory === undefined || quantityBytes(memory) === 0 ? undefined : quantityBytes(memory)
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** Whole bytes of a Kubernetes quantity: see {@link quantity}. */
export function quantityBytes(text: string): number {
  return Math.ceil(quantity(text))
}

/**
 * The number of a Kubernetes quantity in any of its forms.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 *
 * @throws RangeError for what is none.
 */
export function quantity(text: string): number {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(text)
  const unit = match ? units[match[2] ?? ''] : undefined
  if (!match || unit === undefined) throw new RangeError(`Cannot read quantity "${text}"`)
  return Number(match[1]) * unit
}
