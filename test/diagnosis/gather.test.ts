import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ClusterForbidden, ClusterUnavailable, type Raw, type RawPod } from '../../src/ports/cluster/cluster.ts'
import { type Captured, captured, changed, gatherOf } from './gather-world.ts'

describe('the target', () => {
  test('is the one that was asked for, else the default one, else the first', async () => {
    const world = captured('shared')
    const names = world.pod.spec.containers.map(({ name }) => name)
    expect((await gatherOf(world)).gathered).toMatchObject({
      container: names[0],
      targetRunning: true,
      sharedProcesses: true,
      targetId: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const annotated = changed(world, { metadata: { annotations: { 'kubectl.kubernetes.io/default-container': names[1] } } })
    expect((await gatherOf(annotated)).gathered.container).toBe(names[1])
    expect((await gatherOf(annotated, { request: { container: names[0] as string } })).gathered.container).toBe(names[0])
    const { refusal } = (await gatherOf(world, { request: { container: 'nobody' } })).gathered
    expect(refusal).toEqual({ code: 'container-not-found', message: `The pod has no container "nobody"; it has ${names.join(', ')}` })
  })

  test('has ids only where the API tells both', async () => {
    const known = async (world: Captured) => {
      const { ids, knownUid } = (await gatherOf(world)).gathered
      return [ids, knownUid]
    }
    const world = captured('target-port')
    const [status] = world.pod.status.containerStatuses ?? []
    expect(await known(world)).toEqual([undefined, undefined])
    expect(await known(changed(world, { container: { securityContext: { runAsUser: 7 } } }))).toEqual([undefined, 7])
    expect(
      await known(changed(world, { container: { securityContext: { runAsUser: 7 } }, spec: { securityContext: { runAsUser: 1, runAsGroup: 0 } } })),
    ).toEqual([{ uid: 7, gid: 0 }, 7])
    expect(await known(changed(world, { status: { containerStatuses: [{ ...status, user: { linux: { uid: 5, gid: 6 } } }] } }))).toEqual([
      { uid: 5, gid: 6 },
      5,
    ])
  })

  const finished = (phase: string) => changed(captured('healthy-web'), { status: { phase } })
  test.each([
    ['static-pod', captured('static')],
    ['pod-finished', captured('completed')],
    ['pod-finished', finished('Failed')],
    ['no-host', captured('unschedulable')],
    ['pod-deleted', changed(captured('healthy-web'), { metadata: { deletionTimestamp: '2026-11-23T23:00:00Z' } })],
    ['windows-pod', changed(captured('healthy-web'), { spec: { os: { name: 'windows' } } })],
    ['windows-pod', changed(captured('healthy-web'), { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } })],
    ['policy', changed(captured('healthy-web'), { metadata: { annotations: { 'autodiagnose.dev/opt-out': '' } } })],
    ['policy', changed(captured('healthy-web'), { metadata: { annotations: { 'autodiagnose.dev/opt-out': 'ture' } } })],
  ])('is refused: %s', async (code, world) => {
    const { gathered, files } = await gatherOf(world)
    expect(gathered.refusal).toMatchObject({ code, message: expect.stringMatching(/^The pod/) })
    expect(files.length).toBeGreaterThan(1)
  })

  test('is not refused where it opts in again', async () => {
    const world = changed(captured('healthy-web'), { metadata: { annotations: { 'autodiagnose.dev/opt-out': 'false' } } })
    expect((await gatherOf(world)).gathered.refusal).toBeUndefined()
  })
})

describe('the pod', () => {
  const world = captured('healthy-web')
  const pod = (name: string, more: { ready?: boolean; restarts?: number; phase?: string; deleted?: boolean; made?: string } = {}): RawPod => {
    const { ready = true, restarts = 0, phase = 'Running', deleted = false, made = '2026-01-01T00:00:00Z' } = more
    const [status] = world.pod.status.containerStatuses ?? []
    const metadata = { ...world.pod.metadata, name, creationTimestamp: made, ...(deleted ? { deletionTimestamp: made } : {}) }
    return {
      ...world.pod,
      metadata,
      status: { ...world.pod.status, phase, containerStatuses: [{ ...status, ready, restartCount: restarts }] },
    } as RawPod
  }
  const pick = async (pods: readonly RawPod[], target: object, workload?: Raw) => {
    const asked: string[] = []
    const listPods = async (_: string, selector: string) => {
      asked.push(selector)
      return pods
    }
    const { gathered } = await gatherOf(world, {
      request: { target: { namespace: 'shop', ...target } as never },
      cluster: { listPods, getWorkload: async () => workload },
    })
    return [gathered.podRef?.name ?? gathered.refusal, ...asked]
  }
  const selector = { kind: 'selector', selector: 'app=shop' }

  test('of a selector is the least healthy one', async () => {
    const healthy = pod('a')
    const order = [
      pod('f', { ready: false, restarts: 2 }),
      pod('e', { ready: false }),
      pod('d', { restarts: 3 }),
      pod('b', { made: '2026-02-01T00:00:00Z' }),
      healthy,
      pod('g', { ready: false, phase: 'Failed' }),
      pod('h', { ready: false, phase: 'Succeeded' }),
      pod('i', { ready: false, deleted: true }),
    ]
    for (let at = 0; at < order.length; at++) expect(await pick(order.slice(at).reverse(), selector)).toEqual([order[at]?.metadata.name, 'app=shop'])
  })

  test('of a workload is found by all of its selector', async () => {
    const workload = {
      spec: {
        selector: {
          matchLabels: { app: 'shop' },
          matchExpressions: [
            { key: 'tier', operator: 'In', values: ['a', 'b'] },
            { key: 'old', operator: 'DoesNotExist' },
          ],
        },
      },
    }
    const target = { kind: 'workload', workload: 'deployment', name: 'shop' }
    expect(await pick([pod('a')], target, workload)).toEqual(['a', 'app=shop,tier in (a,b),!old'])
    expect(await pick([], target, workload)).toMatchObject([
      { code: 'pod-not-found', message: 'There are no pods of deployment "shop" in namespace "shop"' },
      {},
    ])
    expect(await pick([pod('a')], target)).toMatchObject([{ code: 'pod-not-found', message: expect.stringContaining('no deployment "shop"') }])
    expect(await pick([pod('a')], target, { spec: { selector: {} } })).toMatchObject([{ code: 'pod-not-found' }])
  })

  test('may not be there, or not for us', async () => {
    const target = { kind: 'pod', namespace: 'shop', name: 'none' } as const
    expect((await gatherOf(world, { request: { target } })).gathered.refusal).toMatchObject({
      code: 'pod-not-found',
      message: expect.stringContaining('"none"'),
    })
    const forbidden = async () => {
      throw new ClusterForbidden('Cannot read pod "shop/none": no')
    }
    const { gathered, files } = await gatherOf(world, { cluster: { getPod: forbidden } })
    expect([gathered.refusal?.code, files]).toEqual(['rbac', []])
    const away = async () => {
      throw new ClusterUnavailable('away')
    }
    await expect(gatherOf(world, { cluster: { getPod: away } })).rejects.toThrow(ClusterUnavailable)
  })
})

describe('the bundle’s files', () => {
  test('have unknown fields and microseconds, and the diagnosed pod alone', async () => {
    const world = captured('restricted')
    const { file, files } = await gatherOf(world)
    const { namespace, name } = world.pod.metadata
    const pods = JSON.parse(file('cluster-resources/pods/') ?? '')
    expect(pods).toMatchObject({ kind: 'PodList', items: [{ metadata: { name, managedFields: world.pod.metadata.managedFields } }] })
    expect(JSON.parse(file('cluster-resources/events/') ?? '')).toEqual(world.events)
    expect(file('cluster-resources/events/')).toMatch(/"eventTime": "[^"]+\.\d{6}Z"/)
    expect(JSON.parse(file('cluster_version') ?? '')).toEqual({ info: { major: '1', gitVersion: 'v1.34.4' }, string: 'v1.34.4' })
    expect(files.map(({ path }) => path)).toEqual([
      `cluster-resources/pods/${namespace}.json`,
      `cluster-resources/events/${namespace}.json`,
      'cluster-info/cluster_version.json',
      `metrics/${namespace}/${name}.json`,
      `cluster-resources/pods/logs/${namespace}/${name}/apples.log`,
    ])
  })

  test('hold lines of the log as far as the policy allows', async () => {
    const world = { ...captured('env-missing'), log: 'private one\nFATAL: no DATABASE_URL\n', previousLog: 'private two\nFATAL: no DATABASE_URL\n' }
    const logs = async (policy: 'quoted' | 'tail' | 'none') => {
      const { files, gathered } = await gatherOf(world, { evidence: { logs: policy } })
      return [files.filter(({ path }) => path.endsWith('.log')).map(({ text }) => text), JSON.stringify(gathered).includes('FATAL')]
    }
    expect(await logs('tail')).toEqual([[world.log, world.previousLog], true])
    expect(await logs('none')).toEqual([[], false])
    expect(await logs('quoted')).toEqual([['FATAL: no DATABASE_URL\n', world.previousLog], true])
  })

  test('tell what could not be read', async () => {
    const world = captured('env-missing')
    let attempts = 0
    const { file, gathered } = await gatherOf(world, {
      cluster: {
        listPodEvents: async () => {
          throw new ClusterForbidden('Cannot list events of pod "x": no right')
        },
        tailLog: async () => {
          attempts += 1
          throw new ClusterUnavailable('the kubelet is away')
        },
      },
    })
    const { namespace } = world.pod.metadata
    expect(JSON.parse(file('cluster-resources/events-errors.json') ?? '')).toEqual({ [namespace]: 'Cannot list events of pod "x": no right' })
    expect(JSON.parse(file('shop-logs-errors.json') ?? '')).toEqual({ [namespace]: 'the kubelet is away' })
    expect(attempts).toBe(6)
    expect(gathered.findings[0]?.title).toMatch(/^Container shop ended with exit code 1/)
  })

  test('never hold the value of a variable, nor does what else is gathered', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[A-Za-z0-9+/=_-]{12,40}$/),
        fc.constantFrom('X', 'PASSWORD', 'DATABASE_URL', 'URL'),
        fc.nat(3),
        async (text, name, form) => {
          const value = [text, `https://user:${text}@api.example/v2?key=${text}#${text}`, `postgres://u:${text}@db.example/app`, `${text} a`][
            form
          ] as string
          const env = [
            { name, value },
            { name: 'KEPT', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ]
          const manifest = { spec: { containers: [{ env }] } }
          const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(manifest) }
          const annotations = { ...lastApplied, 'kapp.k14s.io/original': JSON.stringify({ metadata: { annotations: lastApplied }, ...manifest }) }
          const world = changed(captured('healthy-web'), { container: { env }, metadata: { annotations } })
          const { gathered, files, redactions } = await gatherOf(world)
          expect(JSON.stringify([gathered, files])).not.toContain(text)
          expect(redactions['env-literal']).toBeGreaterThan(0)
          expect(files[0]?.text).toContain('"fieldPath": "metadata.name"')
        },
      ),
      { numRuns: 40 },
    )
  })

  test('keep an annotation of JSON without such values to the letter', async () => {
    const annotations = { 'fruit.example/config': '{ "env": "lab",  "size": 1 }' }
    const { files } = await gatherOf(changed(captured('healthy-web'), { metadata: { annotations } }))
    expect(JSON.parse(files[0]?.text ?? '').items[0].metadata.annotations).toEqual(annotations)
  })

  test('have no secret that a log or an event shows', async () => {
    const world = captured('env-missing')
    const line = 'FATAL cannot log in with Authorization: Bearer made-up-0123456789abcdef'
    const { gathered, files, redactions } = await gatherOf({ ...world, log: line, previousLog: line }, { evidence: { logs: 'tail' } })
    expect(JSON.stringify([gathered, files])).not.toContain('made-up-0123456789abcdef')
    expect(gathered.findings[0]?.title).toMatch(/FATAL cannot log in.*HIDDEN/)
    expect(Object.values(redactions).reduce((sum, count) => sum + count)).toBeGreaterThan(1)
  })
})
