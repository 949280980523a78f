import type { RawContainer, RawPod } from '../../ports/cluster/cluster.ts'
import type { CheckRequest } from '../diagnosis.ts'
import { hidden, type Redactor } from '../redact/redactor.ts'
import { isAlarming } from './alarming-line.ts'
import { mayBeAsked } from './may-be-asked.ts'
import { type Neighbour, neighboursIn } from './neighbours.ts'
import { declaredBy, specTexts } from './spec-neighbours.ts'

/** Neighbours that are looked at; each may take a dns check and one of http or tcp. */
const maxNeighbours = 8
/** Paths of one server: more of them say no more about it. */
const maxOfOneServer = 2
const maxLines = 200

/**
 * What the container's spec and the end of its own log name as its neighbours: URLs become http checks, host:port tcp checks,
 * each host a dns check before them. What stands next to words of trouble in the log comes first, then the spec, then the rest of
 * the log. Only redacted text is read, because checks become arguments that everyone who may get the pod can read.
 */
export function hintsFor(pod: RawPod, container: string | undefined, log: string, redactor: Redactor): readonly CheckRequest[] {
  const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === container)
  const lines = redactor.text('hints', log).text.split('\n').slice(-maxLines).reverse()
  const [troubled, calm] = [lines.filter((line) => trouble.test(line)), lines.filter((line) => !trouble.test(line))]
  const own = ownAddresses(pod, spec)
  const found: CheckRequest[] = []
  const declared = declaredBy(spec, redactor)
  const logged = (texts: readonly string[]): readonly Neighbour[] => texts.flatMap((text) => neighboursIn(text, 'log')).flatMap(trusted(declared))
  const secured = securedBy(lines, declared)
  for (const neighbour of [...logged(troubled), ...declared, ...logged(calm)]) {
    const check = own(neighbour) ? undefined : checkFor(secured(neighbour))
    if (!check || found.some((other) => same(other, check))) continue
    if (check.name !== 'dns' && found.filter((other) => serverOf(other) === serverOf(check)).length >= maxOfOneServer) continue
    found.push(check)
    if (found.length === maxNeighbours) break
  }
  const checks = withDns(found)
  return checks.some(({ name }) => name === 'dns') || !lines.some((line) => unresolved.test(line))
    ? checks
    : [...nameTo(pod, spec, redactor), ...checks]
}

/** The servers that a container's spec names, as host:port or host, each once; without its own. Redacted. */
export function calledBy(pod: RawPod, spec: RawContainer | undefined, redactor: Redactor): readonly string[] {
  const own = ownAddresses(pod, spec)
  const others = declaredBy(spec, redactor).filter((one) => !own(one) && !isLoopback(one.host) && !one.host.includes(hidden))
  return [...new Set(others.map(({ host, port }) => (port === undefined ? host : `${host}:${port}`)))]
}

/** What resolvers say where no nameserver gives an answer; that a name does not exist is another matter. */
const unresolved = /temporary failure in name resolution|\bEAI_AGAIN\b|server misbehaving|Errno -3\b/i

/**
 * A name to ask for where the log says that names are not resolved, but not which: one of a Service in the spec, else one that each cluster
 * has. A pod with the resolver of the node does not know that.
 */
function nameTo({ spec: { dnsPolicy } }: RawPod, spec: RawContainer | undefined, redactor: Redactor): readonly CheckRequest[] {
  const [, name] = /(?<![\w.@/-])([a-z][a-z0-9-]*\.[a-z0-9-]+\.svc(?:\.[a-z0-9-]+)*)\b/.exec(specTexts(spec, redactor).join('\n')) ?? []
  if (name !== undefined) return [{ name: 'dns', param: name }]
  return dnsPolicy === 'Default' ? [] : [{ name: 'dns', param: 'kubernetes.default.svc' }]
}

/**
 * Ports of which no more is known are asked by TLS: the usual ones of HTTPS where anything fails, and where the log says that TLS fails, what
 * it names beside that, or the only one that can be meant.
 */
function securedBy(lines: readonly string[], declared: readonly Neighbour[]): (neighbour: Neighbour) => Neighbour {
  const alarming = lines.filter(isAlarming)
  const tls = alarming.filter((line) => /\b(certificates?|TLS|SSL|x509|handshake)\b/i.test(line))
  const isOpen = ({ url, port }: Neighbour) => url === undefined && port !== undefined && !otherwise.has(port)
  const only = new Set(declared.filter(isOpen).map(({ host, port }) => `${host}:${port}`)).size === 1
  return (neighbour) => {
    const { host, port } = neighbour
    if (port === undefined || !isOpen(neighbour)) return neighbour
    const usual = port === 443 || (alarming.length > 0 && /^[1-9]\d?443$/.test(`${port}`))
    const meant = tls.some((line) => only || neighboursIn(line, 'log').some((named) => named.host === host && named.port === port))
    return meant || usual ? { ...neighbour, url: `https://${host}${port === 443 ? '' : `:${port}`}`, bare: true } : neighbour
  }
}

/** Ports of what does not speak HTTP: mail, databases, queues, caches, directories. */
const otherwise = new Set([
  22, 25, 53, 389, 465, 587, 636, 1433, 1521, 2181, 3306, 4222, 5432, 5433, 5671, 5672, 6379, 6380, 9042, 9092, 9093, 11_211, 27_017,
])

/**
 * Whoever can write into the log, by a Referer say, must not choose what is requested from inside the pod. Of a server that only the
 * log names, the root alone is asked, and none on the pod's own loopback; paths count where the spec names the same server.
 */
function trusted(declared: readonly Neighbour[]): (neighbour: Neighbour) => readonly Neighbour[] {
  return (neighbour) => {
    if (declared.some(({ host, port }) => host === neighbour.host && port === neighbour.port)) return [neighbour]
    return isLoopback(neighbour.host) ? [] : [{ ...neighbour, bare: true }]
  }
}

function isLoopback(host: string): boolean {
  return /^(localhost|.*\.localhost|0\.0\.0\.0|127\.[\d.]+|\[::1?\]|\[::ffff:7f.*\])$/.test(host)
}

const trouble = /error|fail|refused|timeout|timed out|deadline|unreachable|no such host|unavailable|exception|panic|\b[45]\d\d\b/i

/** Where the target itself serves is no neighbour: its log says so when it starts. */
function ownAddresses(pod: RawPod, spec: RawContainer | undefined): (neighbour: Neighbour) => boolean {
  const ips = [pod.status.podIP, ...((pod.status.podIPs ?? []) as readonly { readonly ip?: string }[]).map(({ ip }) => ip)]
  const ports = new Set((spec?.ports ?? []).map(({ containerPort }) => containerPort))
  return ({ host, port, serving }) =>
    /^(0\.0\.0\.0|\[::\])$/.test(host) ||
    host === pod.metadata.name ||
    ips.includes(host.replace(/^\[|\]$/g, '')) ||
    (isLoopback(host) && (serving || (port !== undefined && ports.has(port))))
}

function checkFor({ url, host, port, bare }: Neighbour): CheckRequest | undefined {
  if (url !== undefined) {
    const { origin, pathname } = new URL(url)
    const check = checkForUrl(bare || pathname.includes(hidden) ? origin : url)
    if (check && !check.param?.includes(hidden)) return check
  }
  if (!mayBeAsked(host)) return undefined
  return port === undefined ? { name: 'dns', param: host } : { name: 'tcp', param: `${host}:${port}` }
}

const maxParam = 500

/** An http check of a URL without user, query and fragment: what is secret in it must not reach the container's arguments. */
export function checkForUrl(text: string): CheckRequest | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const host = url.host.replace(/\.(?=:\d+$|$)/, '')
  if (!/^https?:$/.test(url.protocol) || host === '' || !mayBeAsked(url.hostname)) return undefined
  const path = looksSecret(url.pathname) ? '' : url.pathname === '/' ? (/^https?:\/\/[^/]+$/i.test(text) ? '' : '/') : url.pathname
  const param = `${url.protocol}//${host}${path}`
  return param.length > maxParam ? undefined : { name: 'http', param }
}

/** A path may be a secret as a whole: the webhook of a chat, a signed link. */
function looksSecret(path: string): boolean {
  if (/\/(hooks?|webhooks?)\/./i.test(path)) return true
  return path.split('/').some((segment) => segment.length >= 20 && /\d/.test(segment) && /[a-z]/i.test(segment))
}

function same(a: CheckRequest, b: CheckRequest): boolean {
  if (a.name === b.name) return a.param === b.param || (a.name === 'http' && a.param?.replace(/\/$/, '') === b.param?.replace(/\/$/, ''))
  // An http check connects too.
  return a.name !== 'dns' && b.name !== 'dns' && serverOf(a) === serverOf(b)
}

function serverOf({ name, param = '' }: CheckRequest): string {
  if (name !== 'http') return param
  const url = new URL(param)
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`
}

/** Each name is looked up before it is connected to, so that trouble with it is told as what it is. */
function withDns(found: readonly CheckRequest[]): readonly CheckRequest[] {
  const asked = new Set<string>()
  return found.flatMap((check) => {
    const host = check.name === 'http' ? new URL(check.param ?? '').hostname : (check.param ?? '').replace(/:\d+$/, '')
    if (asked.has(host)) return check.name === 'dns' ? [] : [check]
    if (host === 'localhost' || /^[\d.]+$|^\[/.test(host)) return [check]
    asked.add(host)
    return check.name === 'dns' ? [check] : [{ name: 'dns', param: host }, check]
  })
}
