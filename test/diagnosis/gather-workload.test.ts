import { describe, expect, test } from 'vitest'
import type { Target } from '../../src/diagnosis/diagnosis.ts'
import { pickPod } from '../../src/diagnosis/gather/pick-pod.ts'
import { workloadOf } from '../../src/diagnosis/gather/workload-of.ts'
import { type Cluster, ClusterForbidden, ClusterUnavailable, type Raw, type RawPod } from '../../src/ports/cluster/cluster.ts'
import { answering, rbac, signal, status } from '../contract/scripted-cluster.ts'
import { captured } from './gather-world.ts'

const namespace = 'shop'
const owned = (kind: string, name: string, controller = true) => ({ ownerReferences: [{ kind, name, controller, apiVersion: 'x/v1', uid: 'u' }] })

/** A pod of that name and owner, and the workloads that can be read by `kind/name`; `forbidden` or `away`: none can. */
function world(metadata: Raw, workloads: Readonly<Record<string, Raw>> | 'forbidden' | 'away' = 'forbidden') {
  const asked: string[] = []
  const pod = { ...captured('healthy-web').pod, metadata: { name: 'it', namespace, uid: 'u1', ...metadata } } as RawPod
  const cluster: Pick<Cluster, 'getPod' | 'getWorkload' | 'listPods'> = {
    listPods: async () => [pod],
    getPod: async ({ name }) => (name === 'it' ? pod : undefined),
    getWorkload: async (_, kind, name) => {
      asked.push(`${kind}/${name}`)
      if (workloads === 'forbidden') throw new ClusterForbidden(`Cannot read ${kind} "${name}"`)
      if (workloads === 'away') throw new ClusterUnavailable('away')
      return workloads[`${kind}/${name}`]
    },
  }
  return { cluster, asked }
}

const itsPod: Target = { kind: 'pod', namespace, name: 'it' }
const workload = (kind: string, name: string): Target => ({ kind: 'workload', namespace, workload: kind, name })
const forms = (hash: string, label = 'pod-template-hash') => ({ labels: { app: 'cart', [label]: hash } })

describe('a pod belongs to', () => {
  test.each([
    ['its deployment, by the hash that its labels tell', { ...owned('ReplicaSet', 'cart-57bcf49487'), ...forms('57bcf49487') }, 'deployment/cart'],
    ['a deployment whose name has dashes and dots', { ...owned('ReplicaSet', 'my.cart-v2-57bc'), ...forms('57bc') }, 'deployment/my.cart-v2'],
    ['its rollout', { ...owned('ReplicaSet', 'cart-57bc'), ...forms('57bc', 'rollouts-pod-template-hash') }, 'rollout/cart'],
    ['a replicaset of another hash', { ...owned('ReplicaSet', 'cart-57bc'), ...forms('bc') }, 'replicaset/cart-57bc'],
    ['a replicaset that is nothing but a hash', { ...owned('ReplicaSet', '-57bc'), ...forms('57bc') }, 'replicaset/-57bc'],
    ['a replicaset of its own', { ...owned('ReplicaSet', 'cart'), labels: { app: 'cart' } }, 'replicaset/cart'],
    ['a statefulset', owned('StatefulSet', 'db'), 'statefulset/db'],
    ['a daemonset', owned('DaemonSet', 'agent'), 'daemonset/agent'],
    ['what a custom controller calls its own', owned('SparkApplication', 'sums'), 'sparkapplication/sums'],
    ['a job', owned('Job', 'backup'), 'job/backup'],
    ['a cronjob, by the number in the name of its job', owned('Job', 'backup-29384756'), 'cronjob/backup'],
    ['a cronjob of older days', owned('Job', 'backup-1763078400'), 'cronjob/backup'],
    ['a job whose number is no time', owned('Job', 'backup-2026'), 'job/backup-2026'],
    ['nobody', {}, 'pod/it'],
    ['nobody, where an owner does not control it', owned('ReplicaSet', 'cart-57bc', false), 'pod/it'],
    ['nobody, where it is static', owned('Node', 'node-1'), 'pod/it'],
  ])('%s', async (_, metadata, expected) => {
    expect(await workloadOf(itsPod, world(metadata).cluster, signal)).toEqual({ kind: 'found', workload: expected, pod: 'it' })
  })

  test.each([
    ['healthy-caller', 'deployment/apples'],
    ['static', 'pod/orchard-lab'],
  ])('what a real cluster says: %s', async (name, expected) => {
    const { pod } = captured(name)
    const { cluster } = world({})
    const target: Target = { kind: 'pod', namespace: pod.metadata.namespace, name: pod.metadata.name }
    expect(await workloadOf(target, { ...cluster, getPod: async () => pod }, signal)).toMatchObject({ workload: expected })
  })

  test('its deployment without asking for more', async () => {
    const { cluster, asked } = world({ ...owned('ReplicaSet', 'cart-57bc'), ...forms('57bc') }, 'away')
    expect(await workloadOf(itsPod, cluster, signal)).toMatchObject({ workload: 'deployment/cart' })
    expect(asked).toEqual([])
  })

  test.each([
    ['ReplicaSet', 'cart-57bc', { 'replicaset/cart-57bc': { metadata: owned('Rollout', 'cart') } }, 'rollout/cart'],
    ['ReplicaSet', 'cart-57bc', { 'replicaset/cart-57bc': { metadata: {} } }, 'replicaset/cart-57bc'],
    ['ReplicaSet', 'cart-57bc', {}, 'replicaset/cart-57bc'],
    ['Job', 'backup-29384756', { 'job/backup-29384756': { metadata: owned('CronJob', 'backup') } }, 'cronjob/backup'],
    ['Job', 'backup-29384756', { 'job/backup-29384756': { metadata: {} } }, 'job/backup-29384756'],
    ['Job', 'step', { 'job/step': { metadata: owned('Workflow', 'nightly') } }, 'workflow/nightly'],
    ['Job', 'backup-29384756', {}, 'cronjob/backup'],
  ])('the owner of its %s %s, where that can be read: %j', async (kind, name, workloads, expected) => {
    const { cluster } = world(owned(kind, name), workloads)
    expect(await workloadOf(itsPod, cluster, signal)).toMatchObject({ workload: expected })
  })
})

describe('a workload is', () => {
  test.each(['deployment', 'statefulset', 'daemonset', 'replicaset', 'job', 'service'])('itself: %s', async (kind) => {
    const { cluster } = world({}, { [`${kind}/cart`]: { metadata: {} } })
    expect(await workloadOf(workload(kind, 'cart'), cluster, signal)).toEqual({ kind: 'found', workload: `${kind}/cart` })
    expect(await workloadOf(workload(kind, 'cart'), world({}).cluster, signal)).toEqual({ kind: 'found', workload: `${kind}/cart` })
  })

  test('what it is made by, where that can be read', async () => {
    const { cluster } = world({}, { 'replicaset/cart-57bc': { metadata: owned('Deployment', 'cart') } })
    expect(await workloadOf(workload('replicaset', 'cart-57bc'), cluster, signal)).toEqual({ kind: 'found', workload: 'deployment/cart' })
    expect(await workloadOf(workload('job', 'backup-29384756'), world({}).cluster, signal)).toEqual({ kind: 'found', workload: 'cronjob/backup' })
  })

  test('one with a pod: the least healthy one that it selects', async () => {
    const spec = { selector: { matchLabels: { app: 'cart' } } }
    const { cluster } = world({}, { 'deployment/cart': { metadata: {}, spec } })
    expect(await workloadOf(workload('deployment', 'cart'), cluster, signal)).toEqual({ kind: 'found', workload: 'deployment/cart', pod: 'it' })
  })

  test('one without a pod, where pods may not be listed or there are none', async () => {
    const spec = { selector: { matchLabels: { app: 'cart' } } }
    const { cluster } = world({}, { 'deployment/cart': { metadata: {}, spec } })
    const forbidden = () => Promise.reject(new ClusterForbidden('Cannot list pods'))
    for (const listPods of [forbidden, async () => []]) {
      const found = await workloadOf(workload('deployment', 'cart'), { ...cluster, listPods }, signal)
      expect(found).toEqual({ kind: 'found', workload: 'deployment/cart' })
    }
  })

  test('of a service, what its pod belongs to', async () => {
    const pod = { ...owned('ReplicaSet', 'cart-57bc'), ...forms('57bc') }
    const { cluster } = world(pod, { 'service/front': { metadata: {}, spec: { selector: { app: 'cart' } } } })
    expect(await workloadOf(workload('service', 'front'), cluster, signal)).toEqual({ kind: 'found', workload: 'deployment/cart', pod: 'it' })
  })

  test('a selector by its text', async () => {
    expect(await workloadOf({ kind: 'selector', namespace, selector: 'app=cart' }, world({}).cluster, signal)).toEqual({
      kind: 'found',
      workload: 'selector/app=cart',
    })
  })
})

describe('what cannot be told', () => {
  test('is gone', async () => {
    const { cluster } = world({}, {})
    expect(await workloadOf({ ...itsPod, name: 'none' }, cluster, signal)).toEqual({
      kind: 'gone',
      message: 'There is no pod "none" in namespace "shop" of this cluster any more',
    })
    expect(await workloadOf(workload('deployment', 'cart'), cluster, signal)).toEqual({
      kind: 'gone',
      message: 'There is no deployment "cart" in namespace "shop" of this cluster any more',
    })
  })

  test('is not for us, as the API server says it', async () => {
    expect(await workloadOf({ ...itsPod, name: 'cart' }, answering(rbac(), new Response('ok'), rbac()).cluster, signal)).toEqual({
      kind: 'gone',
      message: expect.stringMatching(
        /^Cannot read pod "shop\/cart": .*cannot get resource "pods".*; grant the service its rights of infra\/kubernetes there$/,
      ),
    })
  })

  test('is asked again later', async () => {
    await expect(workloadOf(itsPod, world(owned('Job', 'backup'), 'away').cluster, signal)).rejects.toThrow(ClusterUnavailable)
    await expect(workloadOf(itsPod, answering(status(500, 'etcd')).cluster, signal)).rejects.toThrow(ClusterUnavailable)
  })
})

describe('a service', () => {
  const pods = () => Response.json({ kind: 'PodList', items: [captured('healthy-web').pod] })
  const pick = async (spec: object) => {
    const { cluster, requests } = answering(Response.json({ kind: 'Service', metadata: {}, spec }), pods())
    const picked = await pickPod(workload('service', 'cart'), cluster, signal)
    return [picked.kind === 'picked' ? picked.pod.metadata.name : picked.refusal, ...requests.map(({ path }) => decodeURIComponent(path))]
  }

  test('leads to the pods that it selects', async () => {
    expect(await pick({ type: 'ClusterIP', selector: { app: 'cart', tier: 'web' } })).toEqual([
      'shop',
      '/api/v1/namespaces/shop/services/cart',
      '/api/v1/namespaces/shop/pods?labelSelector=app=cart,tier=web&limit=500',
    ])
  })

  test.each([[{}], [{ selector: {} }], [{ type: 'ExternalName', externalName: 'db.example', selector: { app: 'cart' } }]])(
    'selects no pods: %j',
    async (spec) => {
      expect(await pick(spec)).toEqual([
        { code: 'pod-not-found', message: 'The service "cart" selects no pods, or in a form that is not supported; name the pod' },
        '/api/v1/namespaces/shop/services/cart',
      ])
    },
  )

  test('may be an optional right that is missing', async () => {
    const picked = await pickPod(workload('service', 'cart'), answering(rbac(), new Response('ok'), rbac()).cluster, signal)
    expect(picked).toMatchObject({ refusal: { code: 'rbac', message: expect.stringContaining('or name a pod: workloads are an optional right') } })
  })
})
