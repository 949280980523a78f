import type { Raw, RawPod } from '../../ports/cluster/cluster.ts'
import type { CheckRequest, Finding } from '../diagnosis.ts'
import { checkForUrl } from './hints.ts'
import { type Probe, probeOf } from './probe-findings.ts'
import { targetPortsOf } from './service-findings.ts'
import type { TargetReading } from './target.ts'

const maxPorts = 6
/** A container that has run for less may not listen yet. */
const startingMs = 5000

/**
 * Where the target itself is to serve: whether something listens there, by what it declares, its probes and the Services that lead to it; and, where a probe of its
 * fails, what is answered to the same question from inside. Nothing while it does not run. `now` is in milliseconds.
 */
export function ownHints(
  pod: RawPod,
  { container, spec, status }: TargetReading,
  services: readonly Raw[],
  findings: readonly Finding[],
  now: number,
): readonly CheckRequest[] {
  const started = status?.state?.running?.startedAt
  if (!spec || started === undefined) return []
  const failing = findings.some(({ id }) => id.startsWith(`probe/${container}/`))
  const probes = ['Startup', 'Liveness', 'Readiness'].flatMap((kind) => probeOf(spec, kind) ?? [])
  const number = (port: number | string): number | undefined =>
    typeof port === 'number' ? port : spec.ports?.find(({ name }) => name === port)?.containerPort
  const asked = probes.flatMap((probe) => portsOf(probe).flatMap((port) => number(port) ?? []))
  const declared = (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(({ containerPort }) => containerPort)
  const certain = status?.ready === true && now - Date.parse(started) < startingMs ? [] : [...declared, ...targetPortsOf(pod, services)]
  const ports = [...new Set([...(failing || certain.length > 0 ? asked : []), ...certain])].slice(0, maxPorts)
  const urls = failing ? probes.flatMap(({ httpGet }) => (httpGet && !httpGet.host ? (urlOf(httpGet, number(httpGet.port)) ?? []) : [])) : []
  return [...ports.map((port) => ({ name: 'listening', param: String(port) })), ...new Map(urls.map((one) => [one.param, one])).values()]
}

function portsOf({ httpGet, tcpSocket, grpc }: Probe): readonly (number | string)[] {
  return [httpGet, tcpSocket, grpc].flatMap((asks) => (asks === undefined || ('host' in asks && asks.host) ? [] : [asks.port]))
}

function urlOf({ path = '/', scheme = 'HTTP' }: NonNullable<Probe['httpGet']>, port: number | undefined): CheckRequest | undefined {
  if (port === undefined) return undefined
  return checkForUrl(`${scheme.toLowerCase()}://localhost:${port}${path.startsWith('/') ? path : `/${path}`}`)
}
