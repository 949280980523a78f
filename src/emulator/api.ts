import { type Context, Hono } from 'hono'
import type { Raw, RawPod } from '../ports/cluster/cluster.ts'
import { ApiError, badRequest, invalid, noSuchResource, notFound, wrong } from './api-error.ts'
import { secondTime } from './clock.ts'
import { withEphemeralContainers } from './ephemeral-containers.ts'
import type { Kubelet } from './kubelet.ts'
import { newPod } from './new-pod.ts'
import { serveLog } from './pod-log.ts'
import { podMetrics } from './pod-metrics.ts'
import type { PodTable } from './pod-table.ts'
import { serveWatch } from './pod-watch.ts'
import { fieldTest, labelTest } from './selectors.ts'

/** What the API is of: the pods, what runs them, and the workloads that can be read, by `<kind>/<namespace>/<name>`. */
export interface World {
  readonly table: PodTable
  readonly kubelet: Kubelet
  readonly workloads: ReadonlyMap<string, Raw>
  /** Requests wait for it. */
  readonly ready: Promise<void>
}

const pods = '/api/v1/namespaces/:namespace/pods'
const kinds = ['deployments', 'statefulsets', 'daemonsets', 'replicasets']

/** Speaks the Kubernetes API as far as this service uses it. Where it differs from a real one: docs/emulator.md. */
export function createApi({ table, kubelet, workloads, ready }: World): Hono {
  const app = new Hono()

  const namespaceOf = (context: Context) => context.req.param('namespace') ?? ''
  const podOf = (context: Context): RawPod => {
    const name = context.req.param('name') ?? ''
    const pod = table.get({ namespace: namespaceOf(context), name })
    if (!pod) throw notFound('pods', name)
    return pod
  }
  app.use(async (context, next) => {
    // As fetch, which stands here for a real cluster, rejects with what the caller aborted for.
    context.req.raw.signal.throwIfAborted()
    await ready
    await next()
  })

  app.get('/version', (context) => context.json(version))

  app.get(pods, (context) => {
    const [byField, byLabel] = [fieldTest(context.req.query('fieldSelector')), labelTest(context.req.query('labelSelector'))]
    const picks = (pod: RawPod) => pod.metadata.namespace === namespaceOf(context) && byField(pod) && byLabel(pod)
    if (['1', 'true'].includes(context.req.query('watch') ?? '')) return serveWatch(context, table, picks)
    const items = table
      .list()
      .filter(picks)
      .map(({ kind, apiVersion, ...item }) => item)
    return context.json({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: String(table.version) }, items })
  })
  app.post(pods, async (context) => context.json(createPod(table, kubelet, namespaceOf(context), await bodyOf(context)), 201))
  app.get(`${pods}/:name`, (context) => context.json(podOf(context)))
  app.get(`${pods}/:name/log`, (context) => serveLog(context, podOf(context), kubelet))

  app.patch(`${pods}/:name/ephemeralcontainers`, async (context) => {
    const dryRun = dryRunOf(context)
    const type = context.req.header('content-type')?.split(';')[0]
    if (type !== 'application/strategic-merge-patch+json') throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
    const patch = await bodyOf(context)
    const pod = podOf(context)
    const patched = withEphemeralContainers(pod, patch)
    if (patched === pod || dryRun) return context.json(patched)
    const stored = table.put(patched)
    kubelet.sync(stored)
    return context.json(stored)
  })

  app.delete(`${pods}/:name`, (context) => {
    const pod = podOf(context)
    const seconds = Number(context.req.query('gracePeriodSeconds') ?? pod.spec.terminationGracePeriodSeconds)
    const deletionTimestamp = secondTime(Date.now() + seconds * 1000)
    const generation = (pod.metadata.generation ?? 0) + 1
    const stored = table.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: seconds, generation } })
    void kubelet.delete(stored, seconds * 1000)
    return context.json(stored)
  })

  app.get('/api/v1/namespaces/:namespace/events', (context) => {
    const items = kubelet.events.list(namespaceOf(context), context.req.query('fieldSelector'))
    return context.json({ kind: 'EventList', apiVersion: 'v1', metadata: { resourceVersion: String(table.version) }, items })
  })

  app.get('/apis/metrics.k8s.io/v1beta1/namespaces/:namespace/pods/:name', async (context) => {
    const metrics = await podMetrics(podOf(context), kubelet)
    if (!metrics) throw notFound('podmetrics.metrics.k8s.io', `${namespaceOf(context)}/${context.req.param('name')}`)
    return context.json(metrics)
  })

  app.get('/apis/apps/v1/namespaces/:namespace/:kind/:name', (context) => {
    const { namespace, kind, name } = context.req.param()
    if (!kinds.includes(kind)) throw noSuchResource()
    const object = workloads.get(`${kind}/${namespace}/${name}`)
    if (!object) throw notFound(`${kind}.apps`, name)
    return context.json(object)
  })

  app.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', async (context) => {
    const review = await bodyOf(context)
    const asked = (review.spec as Raw | undefined)?.resourceAttributes as Raw | undefined
    if (!asked) {
      const cause = wrong('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')
      throw invalid('', '', [cause], 'authorization.k8s.io')
    }
    return context.json({ ...review, status: { allowed: isServed(asked) } }, 201)
  })

  app.notFound(() => answer(noSuchResource()))
  app.onError((error) => {
    if (error instanceof ApiError) return answer(error)
    throw error
  })

  return app
}

/** Makes a pod of a manifest and starts it, as `kubectl create` would. */
export function createPod(table: PodTable, kubelet: Kubelet, namespace: string, manifest: Raw): RawPod {
  const pod = newPod(manifest, namespace)
  const { name } = pod.metadata
  if (table.get(pod.metadata)) throw new ApiError(409, 'AlreadyExists', `pods "${name}" already exists`, { name, kind: 'pods' })
  const stored = table.put(pod)
  kubelet.sync(stored)
  return stored
}

/** The version that this speaks like; what else it is stands in gitVersion. */
const version = { major: '1', minor: '34', gitVersion: 'v1.34.4+emulator', platform: `${process.platform}/${process.arch}` }

const answer = (error: ApiError) => Response.json(error.toStatus(), { status: error.code })

async function bodyOf(context: Context): Promise<Raw> {
  try {
    return await context.req.json()
  } catch (error) {
    throw badRequest((error as Error).message)
  }
}

function dryRunOf(context: Context): boolean {
  const dryRun = context.req.queries('dryRun') ?? []
  if (dryRun.every((value) => value === 'All')) return dryRun.length > 0
  const message = `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`
  throw invalid('PatchOptions', '', [{ reason: 'FieldValueNotSupported', message, field: 'dryRun' }], 'meta.k8s.io')
}

const served = ['pods get', 'pods list', 'pods watch', 'pods/ephemeralcontainers patch', 'pods/log get', 'events list', 'pods.metrics.k8s.io get']

/** What this serves is allowed to everyone; the rest to no one. */
function isServed({ verb, resource, subresource, group }: Raw): boolean {
  const name = `${resource}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`
  return served.includes(`${name} ${verb}`) || (group === 'apps' && verb === 'get' && kinds.includes(String(resource)))
}
