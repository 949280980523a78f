import type { Raw, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { lengthOf, since } from './ago.ts'
import { containersOf, type PodContainer } from './containers.ts'
import { containerOf, countOf, lastSeen, type PodEvent, words } from './events.ts'
import { evidenceFinding, times } from './evidence-finding.ts'
import { readySince } from './ready-since.ts'
import { plainWords } from './runtime-words.ts'

const recentMs = 600_000
const kinds = ['Startup', 'Liveness', 'Readiness'] as const

export interface Probe {
  readonly httpGet?: { readonly host?: string; readonly path?: string; readonly port: number | string; readonly scheme?: string }
  readonly tcpSocket?: { readonly host?: string; readonly port: number | string }
  readonly grpc?: { readonly port: number }
  readonly exec?: { readonly command?: readonly string[] }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly failureThreshold?: number
}

export interface ProbeFindings {
  /** The kubelet restarts the container for it. */
  readonly killing: readonly Finding[]
  readonly failing: readonly Finding[]
  /** Names of containers whose last end was the kubelet's doing for a probe. */
  readonly killed: readonly string[]
}

/** Probes that have a container killed, and those that fail now. What failed while a container started is no finding. `now` is in milliseconds. */
export function probeFindings(pod: RawPod, events: readonly PodEvent[], now: number): ProbeFindings {
  const killing: Finding[] = []
  const failing: Finding[] = []
  const killed: string[] = []
  for (const container of containersOf(pod).filter(({ kind }) => kind !== 'init')) {
    const { status } = container
    if (!status?.state || status.state.terminated) continue
    for (const kind of kinds) {
      const event = lastOf(kind, container.name, events)
      if (!event) {
        const quiet = kind === 'Readiness' ? notReady(pod, container, events, now) : undefined
        if (quiet) failing.push(quiet)
        continue
      }
      const kill = events.find(
        (other) =>
          other.reason === 'Killing' && containerOf(other) === container.name && new RegExp(`failed ${kind} probe`, 'i').test(other.message ?? ''),
      )
      if (kill && now - lastSeen(kill) < 6 * recentMs) {
        killing.push(told(container, kind, event, 'error', [event, kill]))
        if (isLastEnd(pod, container, kill)) killed.push(container.name)
      } else if (!status.ready || isShaky(pod, container, kind, event, now)) {
        failing.push(told(container, kind, event, status.ready ? 'warn' : 'error', [event]))
      }
    }
  }
  return { killing, failing, killed }
}

/**
 * A kill is told when it begins; the container then has the grace period to end, and a busy node may take longer. Where as many kills are known as make half
 * of the restarts, and it ended as what is asked to end does, the last was one, too: the kubelet drops events when there are many.
 */
function isLastEnd({ spec }: RawPod, { status }: PodContainer, kill: PodEvent): boolean {
  const ended = status?.state?.terminated ?? status?.lastState?.terminated
  const laterMs = Date.parse(ended?.finishedAt ?? '') - lastSeen(kill)
  const graceMs = 1000 * Number(spec.terminationGracePeriodSeconds ?? 30)
  if (laterMs > -5000 && laterMs < graceMs + 10_000) return true
  return [0, 137, 143].includes(ended?.exitCode ?? -1) && 2 * countOf(kill) >= (status?.restartCount ?? 0)
}

/** A container that is ready, and whose liveness probe fails now and then, is near its end; one that was slow to start is not. */
function isShaky(pod: RawPod, container: PodContainer, kind: string, event: PodEvent, now: number): boolean {
  if (kind !== 'Liveness' || countOf(event) < 2 || wasStarting(container, event, now)) return false
  return now - lastSeen(event) < recentMs && lastSeen(event) > readySince(pod)
}

/** Failed for the last time among the first asks, as many as are waited for before a kill, and has been asked at least twice since. */
function wasStarting({ spec, status }: PodContainer, event: PodEvent, now: number): boolean {
  const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 } = probeOf(spec, 'Liveness') ?? {}
  const begun = Date.parse(status?.state?.running?.startedAt ?? '')
  const firstAsksEnd = begun + 1000 * (initialDelaySeconds + failureThreshold * periodSeconds)
  return lastSeen(event) < firstAsksEnd && now - lastSeen(event) > 1000 * (2 * periodSeconds + timeoutSeconds + 1)
}

function lastOf(kind: string, container: string, events: readonly PodEvent[]): PodEvent | undefined {
  return events
    .filter((event) => event.reason === 'Unhealthy' && containerOf(event) === container && (event.message ?? '').startsWith(`${kind} probe `))
    .toSorted((a, b) => lastSeen(a) - lastSeen(b))
    .at(-1)
}

function told({ name, what, spec }: PodContainer, kind: string, event: PodEvent, severity: 'error' | 'warn', proof: readonly PodEvent[]): Finding {
  const probe = probeOf(spec, kind)
  const said = portUnknown(event.message, spec) ?? plainWords((event.message ?? '').replace(/^\w+ probe /, ''))
  const count = countOf(event)
  const asks = asksOf(probe)
  const restarted = proof.length > 1 ? ', and the kubelet restarts it' : ''
  const title = `${kind} probe of ${what.charAt(0).toLowerCase()}${what.slice(1)}${asks ? ` (${asks})` : ''} ${said.trim()}${count > 1 ? ` (${times(count)})` : ''}${restarted}`
  const cause = causeOf(said, probe)
  return evidenceFinding('probe', `${name}/${kind.toLowerCase()}`, severity, title, {
    evidence: words(proof),
    cause: cause ?? 'The application does not answer the probe as the kubelet expects it',
    next: `Compare the ${kind.toLowerCase()} probe with what the application serves, and how fast`,
  })
}

/** The kubelet tries to read the name of a port as a number where the container has no port of that name. */
function portUnknown(message = '', spec: PodContainer['spec']): string | undefined {
  const [, name] = /strconv\.Atoi: parsing "([^"]+)": invalid syntax/.exec(message) ?? []
  if (name === undefined) return undefined
  const names = (spec?.ports ?? []).flatMap((port) => port.name ?? [])
  return `asks for a port named ${name}, and the container has none of that name${names.length > 0 ? ` (it has ${names.join(', ')})` : ''}`
}

const causes: readonly (readonly [RegExp, string])[] = [
  [
    /^asks for a port named/,
    'A port by name is looked up among the ports that the container declares: without it nothing is asked, and the probe cannot succeed',
  ],
  [/statuscode: 404/, 'The application does not serve that path there'],
  [/statuscode: 40[13]/, 'The application wants credentials, which the kubelet does not have'],
  [/statuscode: 5\d\d/, 'The application itself says that it is not well'],
  [/statuscode: 3\d\d/, 'The application redirects, and the kubelet does not follow to another host'],
  [/refused/, "Nothing listens at the pod's address and that port: the program is not there yet, listens on another port, or on localhost alone"],
  [
    /deadline exceeded|timed? ?out|timeout/i,
    'The answer takes longer than the timeout of the probe: the application hangs, is slow, or has too little CPU',
  ],
  [/HTTP response to HTTPS client|malformed HTTP|tls:|x509|\bEOF\b/i, 'Scheme of probe and server differ: one speaks TLS, the other does not'],
  [/executable file not found|no such file/i, 'The image does not have what the probe runs or looks at'],
  [/NOT_SERVING|Unimplemented|grpc/i, 'The gRPC health service of the application is not there, or says that it does not serve'],
]

function causeOf(said: string, probe: Probe | undefined): string | undefined {
  return causes.find(([pattern]) => pattern.test(said))?.[1] ?? (probe?.exec ? 'The command of the probe ends with an error' : undefined)
}

/** A container that runs, is not ready, and of which no event tells why: events are kept for an hour, and may not be readable. */
function notReady(pod: RawPod, { name, what, spec, status }: PodContainer, events: readonly PodEvent[], now: number): Finding | undefined {
  const probe = probeOf(spec, 'Readiness')
  const age = since(status?.state?.running?.startedAt, now)
  if (!probe || age === undefined || status?.ready !== false || status.started === false || events.some((one) => one.reason === 'NodeNotReady'))
    return undefined
  const { initialDelaySeconds = 0, periodSeconds = 10 } = probe
  if (age < 1000 * (initialDelaySeconds + Math.max(20, 3 * periodSeconds)) || pod.metadata.deletionTimestamp) return undefined
  const title = `${what} is not ready, though it has run for ${lengthOf(age)}: its readiness probe (${asksOf(probe)}) does not succeed`
  return evidenceFinding('probe', `${name}/readiness`, 'error', title, {
    cause: 'The application is not ready yet, does not serve what the probe asks for, or answers too late',
    next: 'Compare the readiness probe with what the application serves, and how fast',
  })
}

export function probeOf(spec: Raw | undefined, kind: string): Probe | undefined {
  return spec?.[`${kind.toLowerCase()}Probe`] as Probe | undefined
}

/** What a probe asks, in short. */
function asksOf({ httpGet, tcpSocket, grpc, exec }: Probe = {}): string | undefined {
  if (httpGet) return `GET :${httpGet.port}${httpGet.path ?? '/'}`
  if (tcpSocket) return `TCP :${tcpSocket.port}`
  if (grpc) return `gRPC :${grpc.port}`
  return exec ? 'a command' : undefined
}
