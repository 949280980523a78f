import { describe, expect, test } from 'vitest'
import type { Target } from '../../src/diagnosis/diagnosis.ts'
import { pickPod } from '../../src/diagnosis/gather/pick-pod.ts'
import type { Raw, RawPod } from '../../src/ports/cluster/cluster.ts'
import { signal } from '../contract/scripted-cluster.ts'
import { captured, changed, event, findingsOf, quiet, secondsAgo } from './gather-world.ts'

const web = captured('healthy-web')
const ran = (exitCode: number, from: number, to: number) => ({
  terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: secondsAgo(from), finishedAt: secondsAgo(to) },
})
const running = (from: number) => ({ running: { startedAt: secondsAgo(from) } })
const told = (name: string, state: Raw, more: Raw = {}) => ({ name, restartCount: 0, ready: 'running' in state, state, ...more })
const ids = async (world: Parameters<typeof findingsOf>[0], more: Parameters<typeof findingsOf>[1] = {}) =>
  (await findingsOf(world, more)).map(({ id }) => id)

describe('a claim of a pod on no node', () => {
  const pending = (spec: Raw = {}, conditions: readonly Raw[] = []) =>
    quiet(
      changed(web, {
        spec: { nodeName: undefined, initContainers: [], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'orders' } }], ...spec },
        metadata: { creationTimestamp: secondsAgo(60) },
        status: { phase: 'Pending', containerStatuses: [], conditions, startTime: undefined },
      }),
    )
  const asked: string[] = []
  const events = (items: readonly Raw[]) => ({
    cluster: {
      listEventsOf: async (_: string, kind: string, name: string) => {
        asked.push(`${kind}/${name}`)
        return { items }
      },
    },
  })
  const provisioning = event(
    'ExternalProvisioning',
    "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually",
    {
      type: 'Normal',
      firstTimestamp: secondsAgo(55),
      count: 4,
    },
  )

  test('whose provisioner does not run is told, and no scheduler is missed', async () => {
    expect(await findingsOf(pending(), events([provisioning]))).toMatchObject([
      {
        id: 'claim/orders',
        severity: 'error',
        title: 'The pod waits for its claim orders, which has no volume: nobody has made one, its provisioner is ebs.csi.aws.com',
      },
    ])
    expect(asked).toContain('PersistentVolumeClaim/orders')
  })

  test('is told beside what the scheduler says', async () => {
    const message = '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.'
    const world = pending({}, [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }])
    const failed = event('ProvisioningFailed', 'storageclass.storage.k8s.io "nvme" not found')
    expect(await findingsOf(world, events([failed]))).toMatchObject([
      { id: 'scheduling/Unschedulable' },
      { id: 'claim/orders', cause: 'There is no storage class of that name' },
    ])
  })

  test.each<[string, readonly Raw[]]>([
    ['is being made', [{ ...provisioning, firstTimestamp: secondsAgo(4) }]],
    [
      'has just been made',
      [provisioning, event('ProvisioningSucceeded', 'Successfully provisioned', { type: 'Normal', lastTimestamp: secondsAgo(1) })],
    ],
    ['is being made by a slow driver', [provisioning, event('Provisioning', 'External provisioner is provisioning volume', { type: 'Normal' })]],
    ['has no events', []],
  ])('that %s is no trouble', async (_, items) => {
    expect(await ids(pending(), events(items))).toEqual([])
  })

  test('may be made with the pod', async () => {
    const spec = { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: {} } }] }
    expect(await ids(pending(spec), events([event('FailedBinding', 'no persistent volumes available for this claim', { type: 'Normal' })]))).toEqual(
      [],
    )
    const old = event('FailedBinding', 'no persistent volumes available for this claim', { type: 'Normal', firstTimestamp: secondsAgo(50) })
    expect(await ids(pending(spec), events([old]))).toEqual(['claim/shop-scratch'])
  })

  test('is not asked for where a pod has a node', async () => {
    const before = asked.length
    await ids(quiet(web), events([provisioning]))
    expect(asked.length).toBe(before)
  })
})

describe('a pod that is to come to an end', () => {
  const pod = (states: Readonly<Record<string, Raw>>, helper: Raw = {}, spec: Raw = {}) => {
    const [first] = web.pod.spec.containers
    const containers = Object.keys(states).map((name) => ({
      ...first,
      name,
      ports: [],
      readinessProbe: undefined,
      ...(name === 'proxy' ? helper : {}),
    }))
    const statuses = Object.entries(states).map(([name, state]) => told(name, state))
    return quiet(
      changed(web, {
        spec: { restartPolicy: 'Never', initContainers: [], containers, ...spec },
        status: { containerStatuses: statuses, initContainerStatuses: [], conditions: [] },
      }),
    )
  }
  const probe = { readinessProbe: { tcpSocket: { port: 15_000 } } }

  test('is kept from it by a proxy that does not notice', async () => {
    expect(await findingsOf(pod({ shop: ran(0, 40, 20), proxy: running(40) }, probe))).toMatchObject([
      {
        id: 'unfinished/proxy',
        severity: 'warn',
        title: 'Container shop ended with success 20 s ago, and container proxy still runs: the pod is not complete until it ends, too',
      },
    ])
    expect(await ids(pod({ shop: ran(0, 1000, 700), proxy: running(1000) }))).toEqual(['unfinished/proxy'])
  })

  test.each([
    ['a moment after', pod({ shop: ran(0, 40, 3), proxy: running(40) }, probe)],
    ['beside another worker', pod({ shop: ran(0, 40, 20), proxy: running(40) })],
    ['beside a worker of hours', pod({ shop: ran(0, 9000, 700), proxy: running(9000) })],
    ['while it is deleted', { ...pod({ shop: ran(0, 40, 20), proxy: running(40) }, probe) }],
  ])('is no trouble %s', async (when, world) => {
    const metadata = when === 'while it is deleted' ? { deletionTimestamp: secondsAgo(-20), deletionGracePeriodSeconds: 30 } : {}
    expect(await ids(changed(world, { metadata }))).not.toContain('unfinished/proxy')
  })
})

describe('a sidecar', () => {
  const pod = (main: Raw, sidecar: Raw) =>
    quiet(
      changed(web, {
        spec: { restartPolicy: 'Never', initContainers: [{ ...web.pod.spec.containers[0], name: 'proxy', restartPolicy: 'Always' }] },
        status: { phase: 'Succeeded', containerStatuses: [told('shop', main)], initContainerStatuses: [told('proxy', sidecar)], conditions: [] },
      }),
    )
  test('that the kubelet ended after the work is told of by the work alone', async () => {
    expect(await ids(pod(ran(0, 40, 20), ran(137, 45, 18)))).toEqual([])
    expect(await ids(pod(ran(1, 40, 20), ran(143, 45, 20)))).toEqual(['exit-history/shop/exited'])
  })
  test('that ended before it is told', async () => {
    expect(await ids(pod(ran(1, 40, 20), ran(1, 45, 30)))).toContain('exit-history/proxy/exited')
    expect(await ids(pod(running(40), ran(1, 45, 30)))).toContain('exit-history/proxy/exited')
  })
})

describe('a postStart hook', () => {
  const at = (state: Raw, seconds: number, more: Raw = {}, others: readonly Raw[] = []) => ({
    ...quiet(
      changed(web, {
        container: { lifecycle: { postStart: { exec: { command: ['/register'] } } } },
        status: { phase: 'Pending', conditions: [], containerStatuses: [told('shop', state, { ready: false, ...more })] },
      }),
    ),
    events: {
      items: [
        event('Started', 'Started container shop', {
          type: 'Normal',
          lastTimestamp: secondsAgo(seconds),
          involvedObject: { fieldPath: 'spec.containers{shop}' },
        }),
        ...others,
      ],
    },
  })
  const creating = { waiting: { reason: 'ContainerCreating' } }
  test('that does not end is told', async () => {
    expect(await findingsOf(at(creating, 14))).toMatchObject([
      {
        id: 'hook/shop/post-start-runs',
        severity: 'warn',
        title:
          'The postStart hook of container shop (/register) has not ended for 14 s: the container runs, and does not count as started before its hook ends',
      },
    ])
  })
  test.each([
    ['has begun a moment ago', at(creating, 4)],
    ['has ended', at(running(14), 14, { ready: true })],
    ['was of a run before', at({ waiting: { reason: 'ContainerCreating' } }, 20, { lastState: ran(0, 20, 12) })],
    [
      'was followed by another container',
      at(creating, 14, {}, [event('Pulling', 'Pulling image', { type: 'Normal', involvedObject: { fieldPath: 'spec.containers{proxy}' } })]),
    ],
  ])('that %s is not', async (_, world) => {
    expect(await ids(world)).not.toContain('hook/shop/post-start-runs')
  })
})

test('what a command of a probe lacks is told without the layers around it', async () => {
  const words = `Readiness probe errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "${'0e'.repeat(32)}": OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found in $PATH: unknown`
  const containerStatuses = [told('shop', running(30), { ready: false })]
  const container = { readinessProbe: { exec: { command: ['curl'] } } }
  const items = [event('Unhealthy', words, { involvedObject: { fieldPath: 'spec.containers{shop}' } })]
  const world = { ...quiet(changed(web, { container, status: { containerStatuses, conditions: [] } })), events: { items } }
  expect((await findingsOf(world))[0]?.title).toBe(
    'Readiness probe of container shop (a command) errored and resulted in unknown state: exec: "curl": executable file not found in $PATH',
  )
})

test('a file system that the node cannot mount is told with what it lacks', async () => {
  const words = 'MountVolume.SetUp failed for volume "data" : mount failed: exit status 32\nOutput: mount: /x: unknown filesystem type \'nfs\'.'
  const status = { phase: 'Pending', conditions: [], containerStatuses: [told('shop', { waiting: { reason: 'ContainerCreating' } })] }
  const world = { ...quiet(changed(web, { status })), events: { items: [event('FailedMount', words)] } }
  expect((await findingsOf(world))[0]).toMatchObject({ id: 'mount/data', cause: expect.stringContaining('nfs-common') })
})

test('a resource of a device is told by its whole name', async () => {
  const message = '0/1 nodes are available: 1 Insufficient nvidia.com/gpu. preemption: none'
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
  const container = { resources: { limits: { 'nvidia.com/gpu': '1' } } }
  const world = quiet(changed(web, { spec: { nodeName: undefined }, container, status: { phase: 'Pending', containerStatuses: [], conditions } }))
  expect((await findingsOf(world))[0]?.title).toMatch(/Insufficient nvidia\.com\/gpu \(it asks for nvidia\.com\/gpu 1 for shop\)$/)
})

describe('a pod that the kubelet evicts, and whose program ends on SIGTERM,', () => {
  const evicted = (state: Raw, seconds = 5) => ({
    ...quiet(changed(web, { status: { phase: 'Succeeded', conditions: [], containerStatuses: [told('shop', state)] } })),
    events: { items: [event('Evicted', 'Usage of EmptyDir volume "cache" exceeds the limit "8Mi". ', { lastTimestamp: secondsAgo(seconds) })] },
  })
  test.each([0, 137, 143])('with exit code %d has no reason in its status', async (exitCode) => {
    expect(await findingsOf(evicted(ran(exitCode, 60, 4)))).toMatchObject([
      { id: 'pod/evicted', severity: 'error', title: expect.stringMatching(/exceeds the limit "8Mi"/), next: expect.stringContaining('sizeLimit') },
    ])
  })
  test('with an error of its own is told with that', async () => {
    expect(await ids(evicted(ran(3, 60, 4)))).toEqual(['pod/evicted', 'exit-history/shop/exited'])
  })
  test('or has been long ago, or runs again, is not', async () => {
    expect(await ids(evicted(ran(0, 60, 4), 90_000))).not.toContain('pod/evicted')
    expect(await ids(evicted(running(60)))).not.toContain('pod/evicted')
  })
})

describe('a value that Kubernetes sets for a Service', () => {
  const log = "ERROR config: not a valid port number: 'tcp://10.96.0.7:8080'\n"
  const cluster = {
    listServices: async () => [{ metadata: { name: 'my-stock' }, spec: { clusterIP: '10.96.0.7', selector: {}, ports: [] } }] as Raw[],
  }
  test('is told as that, where a program complains of it', async () => {
    expect(await findingsOf({ ...quiet(web), log }, { cluster })).toMatchObject([
      {
        id: 'log/trouble',
        severity: 'warn',
        title: expect.stringMatching(/that is the value of MY_STOCK_PORT, which Kubernetes sets for Service my-stock$/),
      },
    ])
    expect((await findingsOf({ ...quiet(web), log }))[0]?.title).toMatch(/X_PORT, which Kubernetes sets for a Service x$/)
  })
  test('is not where the pod has no such variables', async () => {
    const world = { ...quiet(changed(web, { spec: { enableServiceLinks: false } })), log }
    expect((await findingsOf(world, { cluster }))[0]?.title).toMatch(/8080'$/)
  })
})

describe('of the pods of a job', () => {
  const pods = (phases: readonly string[]) =>
    phases.map((phase, at) => ({ ...web.pod, metadata: { ...web.pod.metadata, name: `try-${at}` }, status: { phase } }) as RawPod)
  const pick = async (phases: readonly string[], job: Raw = {}) => {
    const workload = { metadata: {}, spec: { selector: { matchLabels: { job: 'x' } } }, status: {}, ...job } as Raw
    const target: Target = { kind: 'workload', namespace: 'shop', workload: 'job', name: 'x' }
    const cluster = { getPod: async () => undefined, listPods: async () => pods(phases), getWorkload: async () => workload }
    const picked = await pickPod(target, cluster, signal)
    return picked.kind === 'picked' ? picked.pod.status.phase : picked.refusal.code
  }
  test('the tries before are not taken once it is done', async () => {
    expect(await pick(['Failed', 'Succeeded'])).toBe('Succeeded')
    expect(await pick(['Failed', 'Failed', 'Succeeded'], { status: { conditions: [{ type: 'Complete', status: 'True' }] } })).toBe('Succeeded')
  })
  test('but they are as long as it is not', async () => {
    const spec = { selector: { matchLabels: { job: 'x' } }, completions: 2 }
    expect(await pick(['Failed', 'Succeeded'], { spec })).toBe('Failed')
    expect(await pick(['Failed'])).toBe('Failed')
    expect(await pick(['Failed', 'Running'])).toBe('Running')
  })
})
