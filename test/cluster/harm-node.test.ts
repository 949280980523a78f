import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLab, kubectl, needsLab, testImage, useNamespace } from './environment.ts'
import { create, fruitPod, getPod, isReady, kubectlAgain, podThat } from './pods.ts'
import { useService } from './service.ts'
import { useSilentServer } from './silent-server.ts'

const rbac = 'rbac.authorization.k8s.io'
const now = () => new Date().toISOString()

describe('a node under memory pressure', () => {
  needsLab()
  const namespace = useNamespace('pressure')
  /** A node that no kubelet runs: nobody else writes its status, but for what Kubernetes says of one that is silent, after 40 s. */
  const node = `autodiagnose-test-${randomBytes(3).toString('hex')}`
  const service = useService({ watched: [namespace], diagnosis: { image: testImage } })
  const reader = (kind: string, more: object) => ({ apiVersion: `${rbac}/v1`, kind, metadata: { name: node }, ...more })

  /** As the kubelet of such a node writes it. */
  async function setPressure(status: 'True' | 'False'): Promise<void> {
    const times = { lastHeartbeatTime: now(), lastTransitionTime: now() }
    const conditions = [
      { type: 'MemoryPressure', status, reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available', ...times },
      { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status', ...times },
    ]
    await kubectlAgain(['patch', 'node', node, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { conditions } })])
  }

  beforeAll(async () => {
    if (!isLab) return
    await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: node }, spec: { unschedulable: true } }))
    // The right is optional, and not part of the Role of a namespace.
    const role = reader('ClusterRole', { rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }] })
    const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: node }
    const binding = reader('ClusterRoleBinding', { roleRef, subjects: [{ apiGroup: rbac, kind: 'User', name: service.user }] })
    await kubectlAgain(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [role, binding] }))
    await create(namespace, fruitPod('pressed', 'idle', { spec: { nodeName: node } }))
    const running = { startedAt: now() }
    const status = { name: 'app', ready: true, started: true, restartCount: 0, image: 'localhost/apples:1', imageID: 'x', state: { running } }
    const patch = { status: { phase: 'Running', startTime: now(), containerStatuses: [status] } }
    await kubectlAgain(['-n', namespace, 'patch', 'pod', 'pressed', '--subresource=status', '--type=merge', '-p', JSON.stringify(patch)])
  })
  afterAll(async () => {
    if (!isLab) return
    await kubectl(['-n', namespace, 'delete', 'pod', 'pressed', '--ignore-not-found', '--force', '--grace-period=0'])
    await kubectl(['delete', `node/${node}`, `clusterrole/${node}`, `clusterrolebinding/${node}`, '--ignore-not-found'])
  })

  test('nothing is injected, and the pressure is told', async () => {
    await setPressure('True')
    const diagnosis = await service.diagnose({ pod: `${namespace}/pressed` })
    expect(diagnosis).toMatchObject({ outcome: 'refused', refusal: { code: 'node-pressure' } })
    expect(diagnosis.refusal?.message).toMatch(/memory pressure.*insufficient memory/)
    expect(diagnosis.findings.map(({ id }) => id)).toContain('node/MemoryPressure')
    expect((await getPod(namespace, 'pressed')).spec.ephemeralContainers).toBeUndefined()
  })
})

describe('a node with harm.perNode: 1', () => {
  needsLab()
  const namespace = useNamespace('per-node')
  const { slow } = useSilentServer()
  const service = useService({ watched: [namespace], diagnosis: { image: testImage }, harm: { perNode: 1 } })

  test('one diagnostic container is at work at a time, the others wait', async () => {
    const names = ['one', 'two']
    for (const name of names) await create(namespace, fruitPod(name, 'idle'))
    for (const name of names) await podThat(namespace, name, isReady)
    const all = await Promise.all(names.map((name) => service.diagnose({ pod: `${namespace}/${name}`, checks: slow.slice(0, 2) })))
    expect(all.map(({ outcome }) => outcome)).toEqual(['complete', 'complete'])
    const times = all.map(({ containers: [container] }) => [Date.parse(container?.startedAt ?? ''), Date.parse(container?.finishedAt ?? '')] as const)
    const [first, second] = times.toSorted(([a], [b]) => a - b)
    expect(second?.[0]).toBeGreaterThanOrEqual(first?.[1] ?? Number.NaN)
  })
})
