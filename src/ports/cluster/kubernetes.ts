import type { Clock } from '../../deps.ts'
import { type Answer, ApiClient, anyHost, refusal } from './api-client.ts'
import { type AddAnswer, type Cluster, ClusterUnavailable, type LogAnswer, type PodRef, type Raw, type RawPod, type Transport } from './cluster.ts'
import { readEnd } from './log-end.ts'
import { apiPath, podPath } from './path.ts'
import { patchRefusal } from './refusals.ts'
import { accessReviewRequest, patchRequest, selfReviewRequest } from './typed-api.ts'
import { watchPod } from './watch-pod.ts'
import { watchPods } from './watch-pods.ts'

export interface KubernetesOptions {
  readonly name: string
  readonly transport: Transport
  readonly clock: Clock
  /** How long a call may take that is no stream. Default: 15 s. */
  readonly timeoutMs?: number
}

/** Root and version of the API, and the resource. */
const workloads: Readonly<Record<string, readonly [version: readonly string[], resource: string]>> = {
  deployment: [['apis', 'apps', 'v1'], 'deployments'],
  statefulset: [['apis', 'apps', 'v1'], 'statefulsets'],
  daemonset: [['apis', 'apps', 'v1'], 'daemonsets'],
  replicaset: [['apis', 'apps', 'v1'], 'replicasets'],
  job: [['apis', 'batch', 'v1'], 'jobs'],
  service: [['api', 'v1'], 'services'],
}
const pageSize = 500
const patchAttempts = 5

/** One cluster behind a transport; see {@link Cluster}. */
export function kubernetesCluster({ name, transport, clock, timeoutMs = 15_000 }: KubernetesOptions): Cluster {
  const api = new ApiClient(name, transport, timeoutMs)

  const getPod = async (pod: PodRef, signal: AbortSignal): Promise<RawPod | undefined> => {
    const doing = `read pod "${pod.namespace}/${pod.name}"`
    return (await found(doing, api.get(doing, podPath(pod), signal))) as RawPod | undefined
  }

  return {
    name,
    getPod,

    async version(signal) {
      const doing = 'read the version'
      return expected(doing, await api.get(doing, '/version', signal))
    },

    async listPods(namespace, labelSelector, signal) {
      const doing = `list pods of namespace "${namespace}" with "${labelSelector}"`
      const pods: RawPod[] = []
      let next: string | undefined
      do {
        const path = apiPath(['api', 'v1', 'namespaces', namespace, 'pods'], { labelSelector, limit: pageSize, continue: next })
        const list = expected(doing, await api.get(doing, path, signal))
        pods.push(...(list.items as readonly Raw[]).map((item) => ({ apiVersion: 'v1', kind: 'Pod', ...item }) as unknown as RawPod))
        next = (list.metadata as { continue?: string } | undefined)?.continue || undefined
      } while (next !== undefined)
      return pods
    },

    async getWorkload(namespace, kind, workload, signal) {
      const [version, resource] = workloads[kind] ?? []
      if (!version || !resource) throw new RangeError(`Unknown kind of workload "${kind}": known are ${Object.keys(workloads).join(', ')}`)
      const doing = `read ${kind} "${namespace}/${workload}"`
      return found(doing, api.get(doing, apiPath([...version, 'namespaces', namespace, resource, workload]), signal))
    },

    async listPodEvents(pod, uid, signal) {
      const doing = `list events of pod "${pod.namespace}/${pod.name}"`
      const fieldSelector = `involvedObject.kind=Pod,involvedObject.name=${pod.name},involvedObject.uid=${uid}`
      const path = apiPath(['api', 'v1', 'namespaces', pod.namespace, 'events'], { fieldSelector, limit: pageSize })
      return expected(doing, await api.get(doing, path, signal))
    },

    async listEventsOf(namespace, kind, object, signal) {
      const doing = `list events of ${kind} "${namespace}/${object}"`
      const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${object}`
      return expected(
        doing,
        await api.get(doing, apiPath(['api', 'v1', 'namespaces', namespace, 'events'], { fieldSelector, limit: pageSize }), signal),
      )
    },

    async listServices(namespace, signal) {
      const doing = `list services of namespace "${namespace}"`
      const list = await found(doing, api.get(doing, apiPath(['api', 'v1', 'namespaces', namespace, 'services'], { limit: pageSize }), signal))
      return (list?.items ?? []) as readonly Raw[]
    },

    async getNode(node, signal) {
      const doing = `read node "${node}"`
      return found(doing, api.get(doing, apiPath(['api', 'v1', 'nodes', node]), signal))
    },

    async podMetrics(pod, signal) {
      const path = apiPath(['apis', 'metrics.k8s.io', 'v1beta1', 'namespaces', pod.namespace, 'pods', pod.name])
      const doing = `read metrics of pod "${pod.namespace}/${pod.name}"`
      return found(doing, api.get(doing, path, signal))
    },

    async tailLog(pod, container, { tailLines, limitBytes, previous }, signal) {
      const doing = `read the log of container "${container}" of pod "${pod.namespace}/${pod.name}"`
      const path = podPath(pod, ['log'], { container, tailLines, ...(previous ? { previous } : {}) })
      const answer = await api.read(doing, new Request(anyHost + path), signal, (response) => readEnd(response.body, limitBytes))
      if (answer.ok) return answer.value
      if (answer.status.code === 403) throw refusal(doing, answer.status)
      return undefined
    },

    async addEphemeralContainer(pod, uid, container, { dryRun = false }, signal): Promise<AddAnswer> {
      const doing = `add container "${container.name}" to pod "${pod.namespace}/${pod.name}"`
      for (let attempt = 1; ; attempt++) {
        const answer = await api.json(doing, await patchRequest(pod, uid, container, dryRun), signal)
        if (answer.ok) return { kind: 'added' }
        if (answer.status.code === 409) {
          if (attempt === patchAttempts)
            throw new ClusterUnavailable(`Cannot ${doing}: it is changed by others all the time: ${answer.status.message}`)
          await clock.sleep(20 * 2 ** attempt, signal)
          continue
        }
        const refused = patchRefusal(answer.status, pod, uid)
        if (refused !== 'changed') return { kind: 'refused', ...refused }
        // A mutating webhook may have altered what it stored of our own request.
        const now = await getPod(pod, signal)
        const there = now?.metadata.uid === uid && now.spec.ephemeralContainers?.find((one) => one.name === container.name)
        if (there && JSON.stringify(there.args) === JSON.stringify(container.args)) return { kind: 'added' }
        const message = `Pod "${pod.namespace}/${pod.name}" has another ephemeral container named "${container.name}", which cannot be changed: ask again, for a new name`
        return { kind: 'refused', code: 'invalid', message }
      }
    },

    watchPod: (pod, signal) => watchPod(pod, { api, clock }, signal),
    watchPods: (namespace, signal) => watchPods(namespace, { api, clock }, signal),

    async openLog(pod, container, { sinceTime, follow }, signal): Promise<LogAnswer> {
      const doing = `follow the log of container "${container}" of pod "${pod.namespace}/${pod.name}"`
      const answer = await api.open(doing, podPath(pod, ['log'], { container, timestamps: true, follow, sinceTime }), signal)
      if (answer.ok) return { kind: 'open', body: answer.value }
      const { code, message, details } = answer.status
      if (code === 403) throw refusal(doing, answer.status)
      // A kubelet that has not heard of the pod or container yet answers 404, too, but names no object of kind pods.
      const podIsGone = code === 404 && details?.kind === 'pods' && !details.causes?.length
      const containerIsGone = code === 400 && /is not valid for pod/.test(message)
      return { kind: podIsGone || containerIsGone ? 'gone' : 'wait', message }
    },

    async whoAmI(signal) {
      const answer = await api.json('ask who we are', await selfReviewRequest(), signal)
      if (!answer.ok) return undefined
      return (answer.value.status as { userInfo?: { username?: string } } | undefined)?.userInfo?.username
    },

    async mayI(what, signal) {
      const { verb, resource, subresource, group = '', namespace } = what
      const request = await accessReviewRequest({ verb, resource, group, namespace, ...(subresource ? { subresource } : {}) })
      const answer = await api.json('ask for our rights', request, signal)
      if (!answer.ok) return undefined
      return (answer.value.status as { allowed?: boolean } | undefined)?.allowed === true
    },
  }
}

function expected<T>(doing: string, answer: Answer<T>): T {
  if (answer.ok) return answer.value
  throw refusal(doing, answer.status)
}

async function found<T>(doing: string, asked: Promise<Answer<T>>): Promise<T | undefined> {
  const answer = await asked
  if (!answer.ok && answer.status.code === 404) return undefined
  return expected(doing, answer)
}
