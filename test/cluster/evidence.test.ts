import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { isLab, kubectl, needsLab, useNamespace } from './environment.ts'
import { kubectlAgain } from './pods.ts'
import { useService } from './service.ts'

/** What no manifest can bring about: pods that are deleted and do not go, and a node that is not ready. */
describe('evidence of', { timeout: 90_000 }, () => {
  needsLab()
  const namespace = useNamespace('evidence')
  const node = `attic-${randomBytes(3).toString('hex')}`
  const service = useService({ watched: [namespace] })
  const apply = (items: readonly object[]) => kubectlAgain(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  const podOf = (name: string, spec: object, container: object = {}, metadata: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ...metadata },
    spec: {
      containers: [{ name: 'shop', image: 'localhost/apples:1', args: ['idle'], resources: { limits: { memory: '32Mi' } }, ...container }],
      ...spec,
    },
  })

  beforeAll(async () => {
    if (!isLab) return
    const metadata = { name: node }
    const rbac = 'rbac.authorization.k8s.io/v1'
    await apply([
      podOf('kept', { terminationGracePeriodSeconds: 1 }, {}, { finalizers: ['audit.example/keep'] }),
      podOf('slow', { terminationGracePeriodSeconds: 600 }, { lifecycle: { preStop: { sleep: { seconds: 300 } } } }),
      { apiVersion: 'v1', kind: 'Node', metadata },
      { apiVersion: rbac, kind: 'ClusterRole', metadata, rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }] },
      {
        apiVersion: rbac,
        kind: 'ClusterRoleBinding',
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: node },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: service.user }],
      },
      podOf('lost', { nodeName: node, tolerations: [{ operator: 'Exists' }] }),
    ])
    const conditions = [{ type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: 'container runtime is down' }]
    await kubectl(['patch', 'node', node, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status: { conditions } })])
    const phases = ['-n', namespace, 'get', 'pods', 'kept', 'slow', '-o', 'jsonpath={.items[*].status.phase}']
    await vi.waitFor(async () => expect(await kubectl(phases)).toBe('Running Running'), { timeout: 60_000, interval: 500 })
    await kubectl(['-n', namespace, 'delete', 'pod', 'kept', 'slow', '--wait=false'])
    const ended = ['-n', namespace, 'get', 'pod', 'kept', '-o', 'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}']
    await vi.waitFor(async () => expect(await kubectl(ended)).not.toBe(''), { timeout: 60_000, interval: 500 })
  }, 130_000)
  afterAll(async () => {
    if (!isLab) return
    await kubectl(['-n', namespace, 'patch', 'pod', 'kept', '--type=merge', '-p', '{"metadata":{"finalizers":null}}'])
    await kubectl(['-n', namespace, 'delete', 'pod', 'kept', 'slow', 'lost', '--ignore-not-found', '--force', '--grace-period=0'])
    await kubectl(['delete', `node/${node}`, `clusterrole/${node}`, `clusterrolebinding/${node}`, '--ignore-not-found'])
  })

  test.each([
    ['kept', 'pod-deleted', 'terminating/finalizer', /^The pod is stuck Terminating: its finalizer audit\.example\/keep has not been removed/],
    [
      'slow',
      'pod-deleted',
      'terminating/grace-period',
      /^The pod is Terminating: container shop has not ended in the \d+ s since it was asked to, and its grace period of 600 s/,
    ],
    ['lost', undefined, 'node/not-ready', /^Node attic-\w+ of the pod has not been ready.*container runtime is down|kubelet says nothing any more/],
  ])('pod %s', async (pod, code, id, title) => {
    if (pod === 'slow') await vi.waitFor(async () => expect(await sinceAsked()).toBeGreaterThan(6000), { timeout: 20_000, interval: 500 })
    const { findings, refusal, containers } = await service.diagnose({ pod: `${namespace}/${pod}`, checks: ['processes'] })
    expect(findings[0]).toMatchObject({ id, title: expect.stringMatching(title) })
    expect(refusal?.code).toSatisfy((is: string) => code === undefined || is === code)
    expect(containers).toEqual([])
  })

  /** How long ago the slow pod was deleted: its timestamp is that of the end of its grace period. */
  async function sinceAsked(): Promise<number> {
    const at = await kubectl(['-n', namespace, 'get', 'pod', 'slow', '-o', 'jsonpath={.metadata.deletionTimestamp}'])
    return Date.now() - (Date.parse(at) - 600_000)
  }
})
