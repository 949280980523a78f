import type { Raw, RawContainer, RawContainerStatus, RawPod } from '../ports/cluster/cluster.ts'
import { secondTime } from './clock.ts'
import type { Container } from './container.ts'

/** The pod's status, as its containers' processes are now. */
export function statusOf(pod: RawPod, containers: ReadonlyMap<string, Container>): RawPod['status'] {
  const statuses = (specs: readonly RawContainer[] = []): RawContainerStatus[] =>
    specs.flatMap(({ name }) => containers.get(name)?.status ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))
  const own = statuses(pod.spec.containers)
  const ephemeral = statuses(pod.spec.ephemeralContainers)
  const phase = phaseOf(pod.spec.containers.flatMap(({ name }) => containers.get(name) ?? []))
  const ready = own.length > 0 && own.every((status) => status.ready)
  const why = phase === 'Failed' ? 'PodFailed' : phase === 'Succeeded' ? 'PodCompleted' : 'ContainersNotReady'
  return {
    ...pod.status,
    observedGeneration: pod.metadata.generation ?? 1,
    phase,
    conditions: [
      condition(pod, 'Initialized', true),
      condition(pod, 'Ready', ready, why),
      condition(pod, 'ContainersReady', ready, why),
      condition(pod, 'PodScheduled', true),
    ],
    containerStatuses: own,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
  }
}

function phaseOf(containers: readonly Container[]): string {
  if (containers.length > 0 && containers.every(({ final }) => final)) {
    return containers.some(({ state }) => state.terminated?.exitCode !== 0) ? 'Failed' : 'Succeeded'
  }
  return containers.some(({ everRan }) => everRan) ? 'Running' : 'Pending'
}

/** The time of a condition is that of its last change. */
function condition(pod: RawPod, type: string, holds: boolean, reason?: string): Raw {
  const status = holds ? 'True' : 'False'
  const before = ((pod.status.conditions ?? []) as readonly Raw[]).find((one) => one.type === type && one.status === status)
  return {
    type,
    status,
    ...(holds || !reason ? {} : { reason }),
    lastProbeTime: null,
    lastTransitionTime: before?.lastTransitionTime ?? secondTime(),
  }
}
