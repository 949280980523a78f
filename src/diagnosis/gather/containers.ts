import type { RawContainer, RawContainerStatus, RawPod } from '../../ports/cluster/cluster.ts'

/** A container of a pod, with what is known of it. */
export interface PodContainer {
  readonly name: string
  /** `sidecar`: an init container that goes on running beside the others. */
  readonly kind: 'init' | 'sidecar' | 'main'
  readonly spec?: RawContainer
  readonly status?: RawContainerStatus
  /** As the beginning of a sentence. */
  readonly what: string
}

/** Init containers first, for the others wait for them; no ephemeral ones. */
export function containersOf({ spec, status }: RawPod): readonly PodContainer[] {
  const of = (specs: readonly RawContainer[], statuses: readonly RawContainerStatus[], init: boolean): readonly PodContainer[] => {
    const names = new Set([...specs, ...statuses].map(({ name }) => name))
    return [...names].map((name) => {
      const [own, known] = [specs.find((one) => one.name === name), statuses.find((one) => one.name === name)]
      const kind = !init ? 'main' : own?.restartPolicy === 'Always' ? 'sidecar' : 'init'
      const what = `${kind === 'init' ? 'Init container' : kind === 'sidecar' ? 'Sidecar container' : 'Container'} ${name}`
      return { name, kind, what, ...(own ? { spec: own } : {}), ...(known ? { status: known } : {}) }
    })
  }
  return [...of(spec.initContainers ?? [], status.initContainerStatuses ?? [], true), ...of(spec.containers, status.containerStatuses ?? [], false)]
}

/** The condition of a pod, node or workload; what it may say beside that is untyped elsewhere. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string | null
}

export function conditionsOf(status: unknown): readonly Condition[] {
  const { conditions } = (status ?? {}) as { readonly conditions?: readonly Condition[] }
  return Array.isArray(conditions) ? conditions : []
}

/** The init container that the others wait for: it runs, or does not come to its end. */
export function blockingInit(pod: RawPod): PodContainer | undefined {
  return containersOf(pod).find(({ kind, status }) => kind === 'init' && status?.state !== undefined && status.state.terminated?.exitCode !== 0)
}

/**
 * Containers that wait to be created, or to run again. For a while after a pod was bound to its node the kubelet has posted nothing of its
 * containers, and events tell already what keeps them from being created: those wait, too.
 */
export function waitingOf(pod: RawPod): readonly PodContainer[] {
  const { spec, status } = pod
  const isNew = spec.nodeName !== undefined && (status.phase ?? 'Pending') === 'Pending'
  return containersOf(pod).filter((container) => {
    const state = container.status?.state
    return state === undefined ? isNew : state.waiting !== undefined
  })
}

/** When a container of the pod last began, in milliseconds since the epoch; 0 if none has. */
export function lastBegin(pod: RawPod): number {
  const times = containersOf(pod).flatMap(({ status }) =>
    [status?.state?.running, status?.state?.terminated, status?.lastState?.terminated].map((one) => Date.parse(one?.startedAt ?? '') || 0),
  )
  return Math.max(0, ...times)
}
