import type { Context } from 'hono'
import type { RawContainerStatus, RawPod } from '../ports/cluster/cluster.ts'
import { badRequest, forbidden, invalid, wrong } from './api-error.ts'
import type { ReadOptions } from './container-log.ts'
import type { Kubelet } from './kubelet.ts'
import { streamed } from './streamed.ts'

/** `GET …/pods/<name>/log`: what the API server answers itself, then the kubelet's stream. */
export function serveLog(context: Context, pod: RawPod, kubelet: Kubelet): Response {
  const query = (name: string) => context.req.query(name)
  const options = readOptions(pod, query)
  const name = containerOf(pod, query('container'))
  const previous = isTrue(query('previous'))
  const log = kubelet.container(pod, name)?.log(previous)
  if (previous && !log) throw badRequest(`previous terminated container "${name}" in pod "${pod.metadata.name}" not found`)
  if (!log) throw badRequest(whyNoLog(pod, name))
  return streamed('text/plain', context.req.raw.signal, (signal) => log.read(options, signal))
}

const isTrue = (value: string | undefined) => value === 'true' || value === '1' || value === ''

function readOptions(pod: RawPod, query: (name: string) => string | undefined): ReadOptions {
  const integer = (name: string, least: number, rule: string) => {
    const text = query(name)
    if (text === undefined) return undefined
    if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
    const value = Number(text)
    if (value < least) throw invalid('PodLogOptions', pod.metadata.name, [wrong(name, value, `must be ${rule}`)])
    return value
  }
  const tailLines = integer('tailLines', 0, 'greater than or equal to 0')
  const limitBytes = integer('limitBytes', 1, 'greater than 0')
  const sinceSeconds = integer('sinceSeconds', 1, 'greater than 0')
  const sinceTime = query('sinceTime')
  if (sinceTime !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(sinceTime)) {
    throw badRequest(`parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(sinceTime)} as "2006"`)
  }
  if (sinceTime !== undefined && sinceSeconds !== undefined) {
    throw invalid('PodLogOptions', pod.metadata.name, [forbidden('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified')])
  }
  const since = sinceTime !== undefined ? Date.parse(sinceTime) : sinceSeconds !== undefined ? Date.now() - sinceSeconds * 1000 : undefined
  return {
    follow: isTrue(query('follow')),
    timestamps: isTrue(query('timestamps')),
    ...(since === undefined ? {} : { sinceMs: Math.floor(since / 1000) * 1000 }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  }
}

function containerOf(pod: RawPod, asked: string | undefined): string {
  const names = [...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])].map(({ name }) => name)
  if (asked) {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`)
    return asked
  }
  const [only, second] = pod.spec.containers
  if (only && !second) return only.name
  const choice = pod.spec.containers.map(({ name }) => name).join(' ')
  throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${choice}]`)
}

/** Source: https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/kubelet_pods.go (validateContainerLogStatus) */
function whyNoLog(pod: RawPod, name: string): string {
  const all = [...(pod.status.containerStatuses ?? []), ...(pod.status.ephemeralContainerStatuses ?? [])]
  const waiting = all.find((status: RawContainerStatus) => status.name === name)?.state?.waiting
  if (!waiting) return `container "${name}" in pod "${pod.metadata.name}" is not available`
  const why = { ErrImagePull: "image can't be pulled", ImagePullBackOff: 'trying and failing to pull image' }[waiting.reason ?? ''] ?? waiting.reason
  return `container "${name}" in pod "${pod.metadata.name}" is waiting to start: ${why}`
}
