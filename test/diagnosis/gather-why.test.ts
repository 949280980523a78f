import { expect, test } from 'vitest'
import { harmBetween, harmUnknown } from '../../src/diagnosis/gather/harm-between.ts'
import { serviceWithoutPods } from '../../src/diagnosis/gather/service-findings.ts'
import { workloadFindings } from '../../src/diagnosis/gather/workload-findings.ts'
import type { Raw } from '../../src/ports/cluster/cluster.ts'
import { captured, capturedNames, changed, expectWhyAndNext, gatherOf } from './gather-world.ts'

const web = captured('healthy-web')
const at = (seconds: number) => new Date(Date.parse(web.now) - seconds * 1000).toISOString()
const findingsWith = async (status: Raw, items: readonly Raw[] = [], more: Raw = {}) =>
  (await gatherOf({ ...changed(web, { status, ...more }), events: { items }, log: '', previousLog: '' })).gathered.findings
const warning = (reason: string, message = 'made up', more: Raw = {}): Raw => ({
  type: 'Warning',
  reason,
  message,
  lastTimestamp: at(5),
  involvedObject: {},
  ...more,
})

/** What `gatherOf` gathers is looked at there: each finding has a cause and a next step. */
test.each(capturedNames)('a captured pod has a cause and a next step for all that is told: %s', async (name) => {
  const { findings } = (await gatherOf(captured(name))).gathered
  expect(findings.length).toBeGreaterThanOrEqual(/^(healthy-|completed|sidecar|static)/.test(name) ? 0 : 1)
})

const waits = {
  containerStatuses: [{ name: 'shop', restartCount: 0, ready: false, state: { waiting: { reason: 'ContainerCreating' } } }],
  conditions: [],
}
test.each([
  ['FailedPreStopHook', {}],
  ['FailedToRetrieveImagePullSecret', waits],
  ['DNSConfigForming', {}],
  ['FailedKillPod', {}],
  ['FailedMount', {}],
  ['NeverHeardOf', {}],
])('so has an event: %s', async (reason, status) => {
  expect(await findingsWith(status, [warning(reason)])).toMatchObject([{ id: `event/${reason}` }])
})

test.each([
  ['DeadlineExceeded'],
  ['NodePorts'],
  ['NodeAffinity'],
  ['OutOfcpu'],
  ['OutOfmemory'],
  ['OutOfpods'],
  ['Preempting'],
  ['Terminated'],
  ['NodeShutdown'],
  ['NodeLost'],
  ['Evicted'],
  ['NeverHeardOf'],
])('so has a pod that its kubelet ended: %s', async (reason) => {
  expect(await findingsWith({ phase: 'Failed', reason, containerStatuses: [], conditions: [] })).toHaveLength(1)
})

test.each(['PreemptionByScheduler', 'DeletionByTaintManager', 'EvictionByEvictionAPI', 'DeletionByPodGC', 'TerminationByKubelet', 'NeverHeardOf'])(
  'so has a pod that is to go: %s',
  async (reason) => {
    const conditions = [{ type: 'DisruptionTarget', status: 'True', reason, message: 'made up' }]
    const found = await findingsWith({ conditions, containerStatuses: [] }, [], { metadata: { deletionTimestamp: at(1) } })
    expect(found).toMatchObject([{ id: 'pod/disruption' }])
  },
)

test.each(['made up', '0/1 nodes are available: 1 node(s) were unschedulable', '0/1 nodes are available: 1 Too many pods'])(
  'so has a pod on no node: %s',
  async (message) => {
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
    expect(await findingsWith({ phase: 'Pending', containerStatuses: [], conditions }, [], { spec: { nodeName: undefined } })).toHaveLength(1)
  },
)

test.each([
  ['waiting/shop/NeverHeardOf', { waiting: { reason: 'NeverHeardOf' } }, []],
  ['waiting/shop/CreateContainerConfigError', { waiting: { reason: 'CreateContainerConfigError', message: 'made up' } }, []],
  ['waiting/shop/ContainerCreating', { waiting: { reason: 'ContainerCreating' } }, []],
  ['image/shop/pull', { waiting: { reason: 'ErrImagePull', message: 'made up' } }, []],
  ['image/shop/name', { waiting: { reason: 'InvalidImageName' } }, []],
  ['image/shop/never-pull', { waiting: { reason: 'ErrImageNeverPull' } }, []],
  ['start/shop', { terminated: { exitCode: 128, reason: 'StartError', message: 'made up', finishedAt: at(5) } }, []],
  ['exit-history/shop/exited', { terminated: { exitCode: 42, reason: 'Error', finishedAt: at(5) } }, []],
  ['mount/data', { waiting: { reason: 'ContainerCreating' } }, [warning('FailedMount', 'MountVolume.SetUp failed for volume "data" : made up')]],
  ['sandbox/failed', { waiting: { reason: 'ContainerCreating' } }, [warning('FailedCreatePodSandBox')]],
  ['sandbox/runtime-class', { waiting: { reason: 'ContainerCreating' } }, [warning('FailedCreatePodSandBox', 'no runtime for "kata" is configured')]],
])('so has a container: %s', async (id, state, items) => {
  const conditions = [{ type: 'PodScheduled', status: 'True', lastTransitionTime: at(300) }]
  const containerStatuses = [{ name: 'shop', restartCount: 0, ready: false, state }]
  expect(await findingsWith({ phase: 'Pending', conditions, containerStatuses }, items)).toMatchObject([{ id }])
})

test('so has a probe in words that nobody knows', async () => {
  const containerStatuses = [{ name: 'shop', restartCount: 0, ready: false, started: true, state: { running: { startedAt: at(60) } } }]
  const about = { involvedObject: { fieldPath: 'spec.containers{shop}' } }
  const found = await findingsWith({ containerStatuses, conditions: [] }, [warning('Unhealthy', 'Readiness probe failed: made up', about)])
  expect(found).toMatchObject([{ id: 'probe/shop/readiness' }])
})

test.each<[string, string, Raw]>([
  ['workload/made', 'deployment', { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'made', message: 'up' }] }],
  ['workload/late', 'deployment', { conditions: [{ type: 'Progressing', status: 'False', reason: 'late', message: 'made up' }] }],
  ['workload/job-BackoffLimitExceeded', 'job', { conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' }] }],
  ['workload/job-DeadlineExceeded', 'job', { conditions: [{ type: 'Failed', status: 'True', reason: 'DeadlineExceeded' }] }],
  ['workload/job-PodFailurePolicy', 'job', { conditions: [{ type: 'Failed', status: 'True', reason: 'PodFailurePolicy' }] }],
  ['workload/no-node', 'daemonset', { desiredNumberScheduled: 0 }],
])('so has a workload: %s', (id, kind, status) => {
  const found = workloadFindings({ kind, name: 'shop', workload: { status }, events: [], hasPods: false }, 0)
  expect(found).toMatchObject([{ id }])
  found.forEach(expectWhyAndNext)
})

test('so has a Service that selects no pod, near one or not, and what became of the target', async () => {
  const service = { metadata: { name: 'front' }, spec: { selector: { app: 'front' } } }
  const { gathered } = await gatherOf(web)
  const pod = changed(web, {
    status: {
      containerStatuses: [{ name: 'shop', restartCount: 9, lastState: { terminated: { exitCode: 1, reason: 'Error', finishedAt: at(0) } } }],
    },
  }).pod
  const found = [
    ...serviceWithoutPods(service, []),
    ...serviceWithoutPods(service, [{ ...web.pod, metadata: { ...web.pod.metadata, name: 'front-1' } }]),
    ...harmUnknown('The pod cannot be read any more'),
    ...harmBetween(gathered, pod).findings,
  ]
  expect(found).toHaveLength(4)
  found.forEach(expectWhyAndNext)
})

test.each([
  ['Readiness', { readinessProbe: { httpGet: { port: 'http', path: '/healthz' } } }, 'GET :http/healthz'],
  ['Startup', { startupProbe: { tcpSocket: { port: 'http' } } }, 'TCP :http'],
])('a %s probe asks for a port by a name that the container does not have', async (kind, probe, asks) => {
  const words = `${kind} probe errored and resulted in unknown state: strconv.Atoi: parsing "http": invalid syntax`
  const status = { containerStatuses: [{ name: 'shop', restartCount: 0, ready: false, state: { running: {} } }], conditions: [] }
  const told = async (ports: readonly object[]) => {
    const items = [warning('Unhealthy', words, { involvedObject: { fieldPath: 'spec.containers{shop}' } })]
    return (await findingsWith(status, items, { container: { ports, ...probe } }))[0]
  }
  const title = `${kind} probe of container shop (${asks}) asks for a port named http, and the container has none of that name`
  expect(await told([{ containerPort: 8080, name: 'web' }])).toMatchObject({
    title: `${title} (it has web)`,
    cause: expect.stringContaining('looked up among the ports'),
  })
  expect((await told([{ containerPort: 8080 }]))?.title).toBe(title)
})
