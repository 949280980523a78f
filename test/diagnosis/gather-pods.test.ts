import { describe, expect, test } from 'vitest'
import type { Raw } from '../../src/ports/cluster/cluster.ts'
import { type Captured, captured, changed, event, findingsOf, gatherOf, quiet, secondsAgo } from './gather-world.ts'

const web = captured('healthy-web')

describe('a pod on no node', () => {
  const pending = (message: string, spec: Raw = {}, container: Raw = {}, reason = 'Unschedulable') =>
    quiet(
      changed(web, {
        spec: { nodeName: undefined, initContainers: [], ...spec },
        container,
        status: { phase: 'Pending', containerStatuses: [], conditions: [{ type: 'PodScheduled', status: 'False', reason, message }] },
      }),
    )
  test.each<[string, Raw, Raw, string]>([
    [
      '0/3 nodes are available: 3 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.',
      {},
      { name: 'shop', resources: { requests: { memory: '64Gi' } } },
      '0/3 nodes are available: 3 Insufficient memory (it asks for memory 64Gi for shop)',
    ],
    [
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: none",
      { nodeSelector: { disk: 'nvme' } },
      {},
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector (nodeSelector disk=nvme)",
    ],
    [
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
      {},
      { name: 'shop', ports: [{ containerPort: 80, hostPort: 8080 }] },
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports (hostPort 8080)",
    ],
    [
      '0/2 nodes are available: 2 node(s) had untolerated taint(s) {gpu: true}.',
      {},
      {},
      '0/2 nodes are available: 2 node(s) had untolerated taint(s) {gpu: true}',
    ],
    [
      '0/1 nodes are available: persistentvolumeclaim "orders" not found. not found',
      {},
      {},
      '0/1 nodes are available: persistentvolumeclaim "orders" not found',
    ],
    [
      '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
      { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'orders' } }] },
      {},
      '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims (claim orders)',
    ],
  ])('%s', async (message, spec, container, said) => {
    expect((await findingsOf(pending(message, spec, container)))[0]).toMatchObject({
      id: 'scheduling/Unschedulable',
      title: `The pod is on no node: ${said}`,
      next: expect.any(String),
    })
  })

  test('is held by a gate, or seen by no scheduler, or not taken by its node', async () => {
    const gated = pending(
      'Scheduling is blocked due to non-empty scheduling gates',
      { schedulingGates: [{ name: 'quota.example/wait' }] },
      {},
      'SchedulingGated',
    )
    expect((await findingsOf(gated))[0]).toMatchObject({
      id: 'scheduling/SchedulingGated',
      title: expect.stringMatching(/\(gate quota\.example\/wait\)$/),
    })
    const unseen = (spec: Raw) =>
      quiet(
        changed(web, {
          spec,
          metadata: { creationTimestamp: secondsAgo(30) },
          status: { phase: 'Pending', containerStatuses: [], conditions: [], startTime: undefined },
        }),
      )
    expect((await findingsOf(unseen({ nodeName: undefined, schedulerName: 'night' })))[0]).toMatchObject({
      id: 'scheduling/no-scheduler',
      title: expect.stringMatching(/for 30 s: its schedulerName is "night"$/),
    })
    expect((await findingsOf(unseen({ nodeName: 'attic' })))[0]).toMatchObject({
      id: 'node/silent',
      title: 'Node attic has not taken the pod for 30 s: its kubelet says nothing of it',
    })
  })
})

describe('a pod that is deleted', () => {
  const ended = {
    containerStatuses: [
      { name: 'shop', restartCount: 0, ready: false, state: { terminated: { exitCode: 137, reason: 'Error', finishedAt: secondsAgo(60) } } },
    ],
    conditions: [],
  }
  const deleted = (seconds: number, metadata: Raw, status: Raw = {}) =>
    quiet(changed(web, { metadata: { deletionTimestamp: secondsAgo(seconds), deletionGracePeriodSeconds: 30, ...metadata }, status }))
  test.each<[string, Captured, string, string, RegExp]>([
    [
      'by a finalizer',
      deleted(600, { finalizers: ['audit.example/keep'] }, ended),
      'terminating/finalizer',
      'error',
      /^The pod is stuck Terminating: its finalizer audit\.example\/keep has not been removed for 10 min$/,
    ],
    [
      'past its grace period',
      deleted(90, {}),
      'terminating/overdue',
      'error',
      /^The pod is stuck Terminating: it should have been gone 90 s ago, and container shop still runs/,
    ],
    [
      'in a long grace period',
      deleted(-3000, { deletionGracePeriodSeconds: 3600 }),
      'terminating/grace-period',
      'error',
      /^The pod is Terminating: container shop has not ended in the 10 min since/,
    ],
  ])('is stuck %s', async (_, world, id, severity, title) => {
    const [first] = await findingsOf(world)
    expect(first).toMatchObject({ id, severity, title: expect.stringMatching(title) })
  })

  test('a moment ago is no trouble', async () => {
    expect(await findingsOf(deleted(-28, {}))).toEqual([])
  })
})

describe('a pod as a whole', () => {
  test.each([
    ['Evicted', 'Pod ephemeral local storage usage exceeds the total limit of containers 10Mi. ', /^The pod was evicted: .*10Mi$/],
    ['NodePorts', 'Pod was rejected: Predicate NodePorts failed', /^The pod was rejected by its node, a hostPort is taken/],
    ['DeadlineExceeded', 'Pod was active on the node longer than the specified deadline', /at its deadline/],
    ['SysctlForbidden', 'forbidden sysctl: "kernel.msgmax" not allowlisted', /^The pod failed, SysctlForbidden: forbidden sysctl/],
  ])('fails: %s', async (reason, message, title) => {
    const status = { phase: 'Failed', reason, message, containerStatuses: [], conditions: [] }
    expect((await findingsOf(quiet(changed(web, { status }))))[0]).toMatchObject({ severity: 'error', title: expect.stringMatching(title) })
  })

  test('waits for its readiness gate', async () => {
    const conditions = [
      { type: 'ContainersReady', status: 'True' },
      { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady' },
    ]
    const world = quiet(changed(web, { spec: { readinessGates: [{ conditionType: 'lb.example/in' }] }, status: { conditions } }))
    expect((await findingsOf(world))[0]).toMatchObject({
      id: 'readiness-gate/lb.example/in',
      title: expect.stringMatching(/gate lb\.example\/in is not True, nobody has set it$/),
    })
  })
})

describe('the node of a pod', () => {
  const node = (conditions: readonly Raw[]): Raw => ({ metadata: { name: 'lab' }, status: { conditions } })
  const pressed = node([
    {
      type: 'MemoryPressure',
      status: 'True',
      reason: 'KubeletHasInsufficientMemory',
      message: 'kubelet has insufficient memory available',
      lastTransitionTime: secondsAgo(60),
    },
    { type: 'Ready', status: 'True' },
  ])

  test('is told when it is short of memory, for the plan as well', async () => {
    const { gathered } = await gatherOf(quiet(web), { cluster: { getNode: async () => pressed } })
    expect(gathered.findings).toMatchObject([{ id: 'node/MemoryPressure', severity: 'warn' }])
    expect(gathered.nodePressure).toBe('Node lab of the pod has been under memory pressure for 60 s: kubelet has insufficient memory available')
  })

  test('is told when it is not ready, by itself or by an event of the pod', async () => {
    const unknown = node([
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: secondsAgo(600),
      },
    ])
    expect((await findingsOf(quiet(web), { cluster: { getNode: async () => unknown } }))[0]).toMatchObject({
      id: 'node/not-ready',
      title: expect.stringMatching(/not been ready for 10 min, its kubelet says nothing any more/),
    })
    const lost = {
      ...quiet(changed(web, { status: { conditions: [{ type: 'Ready', status: 'False' }] } })),
      events: { items: [event('NodeNotReady', 'Node is not ready')] },
    }
    expect((await findingsOf(lost))[0]).toMatchObject({ id: 'node/not-ready' })
  })

  test('is not asked for again for a while where that is forbidden', async () => {
    const { ClusterForbidden } = await import('../../src/ports/cluster/cluster.ts')
    const { optional } = await import('../../src/diagnosis/gather/optional.ts')
    let asked = 0
    const read = async () => {
      asked += 1
      throw new ClusterForbidden('no')
    }
    const cluster = {}
    for (const now of [0, 1000, 599_999]) expect(await optional('nodes', cluster, now, read)).toBeUndefined()
    expect(asked).toBe(1)
    await optional('nodes', cluster, 600_001, read)
    await optional('nodes', {}, 0, read)
    expect(asked).toBe(3)
  })
})

describe('init containers and sidecars', () => {
  const initial = (state: Raw, spec: Raw = {}) =>
    changed(web, {
      spec: { initContainers: [{ name: 'prepare', ...spec }] },
      status: {
        phase: 'Pending',
        conditions: [],
        initContainerStatuses: [{ name: 'prepare', restartCount: 0, ready: false, ...state }],
        containerStatuses: [{ name: 'shop', restartCount: 0, ready: false, state: { waiting: { reason: 'PodInitializing' } } }],
      },
    })
  test('one that runs on is told with what it says, and what it calls is asked', async () => {
    const world = { ...quiet(initial({ state: { running: { startedAt: secondsAgo(300) } } })), log: 'waiting for ledger:5432: connection refused\n' }
    const { gathered } = await gatherOf(world)
    expect(gathered.findings[0]).toMatchObject({
      id: 'init/prepare/running',
      severity: 'error',
      title: 'Init container prepare has not ended, it has run for 5 min and shop waits for it: waiting for ledger:5432: connection refused',
    })
    expect(gathered.hints).toContainEqual({ name: 'tcp', param: 'ledger:5432' })
  })

  test('a probe of a sidecar among them counts, and that it runs does not', async () => {
    const sidecar = initial({ state: { running: { startedAt: secondsAgo(300) } }, started: true, ready: true }, { restartPolicy: 'Always' })
    expect(await findingsOf(quiet(sidecar))).toEqual([])
    const failing = initial(
      { state: { running: { startedAt: secondsAgo(30) } }, started: false },
      { restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 1 } } },
    )
    const unhealthy = event('Unhealthy', 'Startup probe failed: dial tcp 10.0.0.1:1: connect: connection refused', {
      count: 9,
      involvedObject: { fieldPath: 'spec.initContainers{prepare}' },
    })
    expect((await findingsOf({ ...quiet(failing), events: { items: [unhealthy] } }))[0]).toMatchObject({
      id: 'probe/prepare/startup',
      title: expect.stringMatching(/^Startup probe of sidecar container prepare \(TCP :1\) failed: .*refused \(9 times\)$/),
    })
  })
})
