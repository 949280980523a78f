import type { Raw, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { evidenceFinding, times } from './evidence-finding.ts'
import type { PodEvent } from './readings.ts'

const recentMs = 600_000
const maxOthers = 5

/** Probes that have a container killed, and those that fail now. What failed while a container started is no finding. */
export function probeFindings(
  pod: RawPod,
  events: readonly PodEvent[],
  now: number,
): { readonly killing: readonly Finding[]; readonly failing: readonly Finding[] } {
  const killing: Finding[] = []
  const failing: Finding[] = []
  for (const event of events.toSorted((a, b) => lastSeen(a) - lastSeen(b))) {
    const [, kind = '', said = ''] = (event.reason === 'Unhealthy' && /^(Liveness|Readiness|Startup) probe (.*)$/s.exec(event.message ?? '')) || []
    const name = containerOf(event)
    const status = pod.status.containerStatuses?.find((one) => one.name === name)
    if (kind === '' || !status?.state || status.state.terminated) continue
    const killed = events.find(
      (other) => other.reason === 'Killing' && containerOf(other) === name && new RegExp(`failed ${kind} probe`, 'i').test(other.message ?? ''),
    )
    const count = countOf(event)
    const recent = now - lastSeen(event) < recentMs
    const asks = asksOf(pod, name, kind)
    const title = `${kind} probe of container ${name}${asks ? ` (${asks})` : ''} ${said}${count > 1 ? ` (${times(count)})` : ''}`
    const next = `Compare the ${kind.toLowerCase()} probe with what the application serves, and how fast`
    const id = `${name}/${kind.toLowerCase()}`
    if (killed && now - lastSeen(killed) < 6 * recentMs) {
      killing.push(evidenceFinding('probe', id, 'error', `${title}, and the kubelet restarts it`, { evidence: words([event, killed]), next }))
    } else if (!status.ready || (recent && kind === 'Liveness' && count > 1)) {
      failing.push(evidenceFinding('probe', id, status.ready ? 'warn' : 'error', title, { evidence: words([event]), next }))
    }
  }
  // The last word of each probe.
  return { killing: killing.reverse(), failing: failing.reverse() }
}

/** What the probe asks, in short. */
function asksOf({ spec }: RawPod, name: string, kind: string): string | undefined {
  const probe = spec.containers.find((container) => container.name === name)?.[`${kind.toLowerCase()}Probe`] as Raw | undefined
  const { httpGet, tcpSocket, grpc, exec } = (probe ?? {}) as Readonly<Record<string, { readonly port?: unknown; readonly path?: string }>>
  if (httpGet) return `GET :${httpGet.port}${httpGet.path ?? '/'}`
  if (tcpSocket) return `TCP :${tcpSocket.port}`
  if (grpc) return `gRPC :${grpc.port}`
  return exec ? 'a command' : undefined
}

/** Told better by the container's own state, or by the findings about probes and scheduling. */
const toldElsewhere = new Set(['BackOff', 'Failed', 'Unhealthy', 'FailedScheduling', 'InspectFailed', 'ErrImageNeverPull', 'ProbeWarning'])

/** Other warnings of the last ten minutes, in the words of the event. */
export function eventFindings(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  const waits = (pod.status.containerStatuses ?? []).some(({ state }) => state?.waiting)
  const ready = (pod.status.containerStatuses ?? []).every((status) => status.ready)
  return events
    .filter(
      ({ type, reason = '', involvedObject }) =>
        type === 'Warning' && !toldElsewhere.has(reason) && !/ephemeralContainers/.test(involvedObject?.fieldPath ?? ''),
    )
    .filter((event) => now - lastSeen(event) < recentMs)
    .toSorted((a, b) => lastSeen(b) - lastSeen(a))
    .slice(0, maxOthers)
    .map((event) => {
      const { reason = 'Warning', message = '' } = event
      const severity = waits ? 'error' : ready ? 'info' : 'warn'
      return evidenceFinding('event', reason, severity, `${reason}: ${message}`, { evidence: words([event]) })
    })
}

function containerOf({ involvedObject }: PodEvent): string {
  return /^spec\.(?:initC|c)ontainers\{(.+)\}$/.exec(involvedObject?.fieldPath ?? '')?.[1] ?? ''
}

function countOf({ series, count }: PodEvent): number {
  return series?.count ?? count ?? 1
}

function lastSeen({ series, lastTimestamp, eventTime, firstTimestamp }: PodEvent): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? '') || 0
}

function words(events: readonly PodEvent[]): string {
  return events
    .map((event) =>
      `${event.lastTimestamp ?? event.eventTime ?? ''} ${event.reason}: ${event.message}${countOf(event) > 1 ? ` (x${countOf(event)})` : ''}`.trim(),
    )
    .join('\n')
}
