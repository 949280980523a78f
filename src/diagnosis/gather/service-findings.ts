import type { Cluster, Raw, RawContainer, RawPod } from '../../ports/cluster/cluster.ts'
import type { CheckRequest, Finding } from '../diagnosis.ts'
import { conditionsOf, containersOf } from './containers.ts'
import { evidenceFinding } from './evidence-finding.ts'

/** The part of `v1.Service` that findings are made of. */
interface Service {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: {
    readonly type?: string
    readonly clusterIP?: string
    readonly clusterIPs?: readonly string[]
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly ServicePort[]
  }
}

interface ServicePort {
  readonly port: number
  readonly name?: string
  readonly protocol?: string
  readonly targetPort?: number | string
}

type Reader = Pick<Cluster, 'listPods'>
const maxAsked = 4

/** Services whose `selector` the pod has. */
function servicesOf(pod: RawPod, services: readonly Raw[]): readonly Service[] {
  const { labels = {} } = pod.metadata
  return (services as unknown as readonly Service[]).filter(({ spec: { selector = {} } = {} }) => {
    const pairs = Object.entries(selector)
    return pairs.length > 0 && pairs.every(([key, value]) => labels[key] === value)
  })
}

/** The numbers of TCP ports to which these services send what is for the pod. */
export function targetPortsOf(pod: RawPod, services: readonly Raw[]): readonly number[] {
  return servicesOf(pod, services).flatMap(({ spec: { ports = [] } = {} }) =>
    ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').flatMap((port) => resolved(pod, port) ?? []),
  )
}

/** Services that are to lead to the pod and do not, and those that it calls and that lead nowhere. Reads pods of its namespace. */
export async function serviceFindings(
  pod: RawPod,
  services: readonly Raw[],
  called: readonly CheckRequest[],
  cluster: Reader,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const leadHere = servicesOf(pod, services)
  const own = leadHere.flatMap((service) => portFindings(service, pod))
  const all = services as unknown as readonly Service[]
  // Beside a Service that leads to the pod, one that selects others of its kind (a canary, the old version) may have none now.
  const isMeant = leadHere.length > 0 ? bearsName : isNear
  const near = all.filter((service) => isMeant(service, pod) && !leadHere.includes(service)).slice(0, maxAsked)
  const neighbours = calledServices(pod, all, called).slice(0, maxAsked)
  const [missed, led] = await Promise.all([
    Promise.all(near.map((service) => missing(service, pod, cluster, signal))),
    Promise.all(neighbours.map((one) => leading(one, pod, cluster, signal))),
  ])
  return [...own, ...missed.flat(), ...led.flat()]
}

function portFindings({ metadata: { name }, spec: { ports = [] } = {} }: Service, pod: RawPod, whose = 'of the pod'): readonly Finding[] {
  return ports.flatMap((port) => {
    if (typeof port.targetPort !== 'string' || resolved(pod, port) !== undefined) return []
    const names = declared(pod).flatMap((one) => one.name ?? [])
    const title = `Service ${name} forwards its port ${port.port} to a port named ${port.targetPort}, and no container ${whose} has one of that name${names.length > 0 ? ` (they have ${names.join(', ')})` : ''}`
    return [
      evidenceFinding('service', `${name}/port-${port.port}`, 'error', title, {
        cause: 'A targetPort that is a name is looked up among the ports of the containers: without one of that name the Service leads nowhere',
        next: "Compare targetPort of the Service with the names of the container's ports",
      }),
    ]
  })
}

/** A Service that matches the pod in part, or bears its name: it may be meant for it. */
function isNear(service: Service, pod: RawPod): boolean {
  const { selector = {}, type } = service.spec ?? {}
  const { labels = {} } = pod.metadata
  const isLike = type !== 'ExternalName' && Object.entries(selector).some(([key, value]) => labels[key] === value)
  return isLike || bearsName(service, pod)
}

function bearsName({ metadata: { name }, spec: { selector = {}, type } = {} }: Service, { metadata, spec }: RawPod): boolean {
  if (Object.keys(selector).length === 0 || type === 'ExternalName') return false
  const { labels = {} } = metadata
  return [labels.app, labels['app.kubernetes.io/name'], labels['k8s-app'], spec.containers[0]?.name, metadata.name].includes(name)
}

const differing = 'Selector and labels differ, so the Service has no endpoints and what is sent to it goes nowhere'

async function missing(
  { metadata: { name }, spec: { selector = {} } = {} }: Service,
  pod: RawPod,
  cluster: Reader,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const selected = await podsOf(selector, pod, cluster, signal)
  if (!selected || selected.length > 0) return []
  const { labels = {} } = pod.metadata
  const differ = Object.entries(selector).filter(([key, value]) => labels[key] !== value)
  const has = differ.map(([key]) => (labels[key] === undefined ? `no ${key}` : `${key}=${labels[key]}`))
  const title = `Service ${name} selects no pod: none has the labels of its selector ${shown(selector)}, and this one has ${has.join(', ')}`
  return [
    evidenceFinding('service', `${name}/no-pods`, 'error', title, {
      cause: differing,
      next: 'Compare the selector of the Service with the labels of the pods',
    }),
  ]
}

/** Why a Service that was asked for leads to no pod, by those of its namespace that come nearest. */
export function serviceWithoutPods(raw: Raw, pods: readonly RawPod[]): readonly Finding[] {
  const { metadata, spec: { selector = {}, type } = {} } = raw as unknown as Service
  const pairs = Object.entries(selector)
  if (type === 'ExternalName' || pairs.length === 0) return []
  const matching = ({ metadata: { labels = {} } }: RawPod) => pairs.filter(([key, value]) => labels[key] === value).length
  const [nearest] = pods.toSorted((a, b) => matching(b) - matching(a) || nameFits(metadata.name, b) - nameFits(metadata.name, a))
  const near = nearest && (matching(nearest) > 0 || nameFits(metadata.name, nearest) > 0) ? nearest : undefined
  const labels = near?.metadata.labels ?? {}
  const has = pairs
    .filter(([key, value]) => labels[key] !== value)
    .map(([key]) => (labels[key] === undefined ? `no ${key}` : `${key}=${labels[key]}`))
  const title = `Service ${metadata.name} selects no pod: none has the labels of its selector ${shown(selector)}${near ? `; pod ${near.metadata.name} has ${has.join(', ')}` : ''}`
  return [
    evidenceFinding('service', `${metadata.name}/no-pods`, 'error', title, {
      cause: near ? differing : 'The pods that it is meant for are not there, or have other labels',
      next: 'Compare the selector of the Service with the labels of the pods',
    }),
  ]
}

function nameFits(service: string, { metadata }: RawPod): number {
  return Object.values(metadata.labels ?? {}).includes(service) || metadata.name.startsWith(`${service}-`) ? 1 : 0
}

/** `address`: the program knows it by that, and not by name. */
interface Called {
  readonly service: Service
  readonly port?: number
  readonly address?: string
}

function calledServices(pod: RawPod, services: readonly Service[], called: readonly CheckRequest[]): readonly Called[] {
  const found = new Map<Service, Omit<Called, 'service'>>()
  for (const { name: check, param = '' } of called) {
    const { host, port } = serverOf(check, param)
    const [first, namespace, ...rest] = host.split('.')
    const isHere = namespace === undefined || (namespace === pod.metadata.namespace && /^(svc(\.\S+)?)?$/.test(rest.join('.')))
    const byAddress = services.find((service) => addressesOf(service).includes(host))
    const service = byAddress ?? (isHere ? services.find(({ metadata }) => metadata.name === first) : undefined)
    if (!service || (found.has(service) && port === undefined)) continue
    found.set(service, { ...(byAddress ? { address: host } : {}), ...(port === undefined ? {} : { port }) })
  }
  return [...found].map(([service, how]) => ({ service, ...how }))
}

/** As hosts of URLs, where IPv6 stands in brackets. */
function addressesOf({ spec }: Service): readonly string[] {
  const all = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP])
  return all.filter((one) => /[.:]/.test(one)).map((one) => (one.includes(':') ? `[${one}]` : one))
}

function serverOf(check: string, param: string): { readonly host: string; readonly port?: number } {
  if (check === 'http' && URL.canParse(param)) {
    const { hostname, port, protocol } = new URL(param)
    return { host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) }
  }
  const [, host = '', port] = /^([^:]+)(?::(\d+))?$/.exec(param) ?? []
  return check === 'dns' || check === 'tcp' ? { host, ...(port ? { port: Number(port) } : {}) } : { host: '' }
}

/** What keeps a Service from leading to a server. */
async function leading({ service, port, address }: Called, pod: RawPod, cluster: Reader, signal: AbortSignal): Promise<readonly Finding[]> {
  const { name } = service.metadata
  const what = `Service ${name}${address === undefined ? '' : ` (${address})`}, which the pod calls,`
  const { selector = {}, ports = [], type } = service.spec ?? {}
  const found = (trouble: string, title: string, cause: string, next: string) => [
    evidenceFinding('service', `${name}/${trouble}`, 'error', title, { cause, next }),
  ]
  if (type === 'ExternalName') return []
  if (port !== undefined && ports.length > 0 && !ports.some((one) => one.port === port))
    return found(
      `no-port-${port}`,
      `${what} has no port ${port} (it has ${ports.map((one) => one.port).join(', ')})`,
      'The pod calls another port than the Service offers; nothing answers there',
      'Compare the port that is called with those of the Service',
    )
  if (Object.keys(selector).length === 0) return []
  const behind = await podsOf(selector, pod, cluster, signal)
  if (!behind) return []
  const going = behind.filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && !/Succeeded|Failed/.test(status.phase ?? ''))
  if (going.length === 0)
    return found(
      'no-pods',
      `${what} has no endpoints: no pod has the labels of its selector ${shown(selector)}`,
      'The pods that are to serve it are not there (scaled to 0, not made), or have other labels',
      'Compare the selector of the Service with the labels of the pods that are to serve it',
    )
  const ready = going.filter(({ status }) => conditionsOf(status).some((one) => one.type === 'Ready' && one.status === 'True'))
  if (ready.length === 0) {
    const why = going
      .slice(0, 3)
      .map((one) => `${one.metadata.name}${reasonOf(one)}`)
      .join(', ')
    return found(
      'not-ready',
      `${what} has no ready endpoints: none of its ${going.length} pods is ready (${why})`,
      'A Service sends to pods that are ready only; why they are not is their own trouble',
      `Diagnose pod ${going[0]?.metadata.name}`,
    )
  }
  return ready[0] ? portFindings(service, ready[0], 'of the pods behind it') : []
}

/** What keeps a pod from being ready, in a word; of a container between two runs that it ended. */
function reasonOf({ status }: RawPod): string {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const waits = all.flatMap(({ state }) => state?.waiting?.reason ?? []).filter((reason) => reason !== 'PodInitializing')
  const ends = all.flatMap(({ state }) => (state?.terminated && state.terminated.reason !== 'Completed' ? [state.terminated] : []))
  const scheduled = conditionsOf(status).find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
  const [ended] = ends.map(({ reason, exitCode }) => (reason === undefined || reason === 'Error' ? `ended with exit code ${exitCode}` : reason))
  const why = waits[0] ?? ended ?? scheduled?.reason
  return why ? `: ${why}` : ''
}

async function podsOf(
  selector: Readonly<Record<string, string>>,
  pod: RawPod,
  cluster: Reader,
  signal: AbortSignal,
): Promise<readonly RawPod[] | undefined> {
  try {
    return await cluster.listPods(pod.metadata.namespace, shown(selector), signal)
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

function shown(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

type Port = NonNullable<RawContainer['ports']>[number]

function declared(pod: RawPod): readonly Port[] {
  return containersOf(pod)
    .filter(({ kind }) => kind !== 'init')
    .flatMap(({ spec }) => spec?.ports ?? [])
}

/** The number of the port that a Service sends to. */
function resolved(pod: RawPod, { port, targetPort = port, protocol = 'TCP' }: ServicePort): number | undefined {
  if (typeof targetPort === 'number') return targetPort
  return declared(pod).find((one) => one.name === targetPort && (one.protocol ?? 'TCP') === protocol)?.containerPort
}
