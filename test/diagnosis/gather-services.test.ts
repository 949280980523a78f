import { describe, expect, test } from 'vitest'
import type { Raw, RawPod } from '../../src/ports/cluster/cluster.ts'
import { type Captured, captured, changed, gatherOf } from './gather-world.ts'

const plain = captured('healthy-web')
const now = Date.parse(plain.now)
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString()
/** Ready for a minute, serves at 8080 by the name of web, and calls stock. */
const web: Captured = {
  ...changed(plain, {
    metadata: { labels: { app: 'shop' }, annotations: {} },
    container: {
      ports: [{ containerPort: 8080, name: 'web' }],
      env: [{ name: 'STOCK', value: 'http://stock:8080/' }],
      args: [],
      readinessProbe: undefined,
    },
    status: { containerStatuses: [{ name: 'shop', restartCount: 0, ready: true, state: { running: { startedAt: ago(60) } } }] },
  }),
  events: { items: [] },
  log: '',
}
const service = (name: string, selector: Raw, ...ports: readonly Raw[]): Raw => ({ metadata: { name }, spec: { selector, ports } })
const behind = (labels: Readonly<Record<string, string>>, ready: boolean): RawPod =>
  ({
    metadata: { name: 'stock-1', namespace: plain.pod.metadata.namespace, uid: 'u', labels },
    spec: { containers: [{ name: 'stock', ports: [{ containerPort: 8080, name: 'api' }] }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }) as unknown as RawPod

async function gathered(services: readonly Raw[], pods: readonly RawPod[] = [], world = web) {
  const listPods = async (_: string, selector: string) => {
    const pairs = selector.split(',').map((pair) => pair.split('='))
    return [web.pod, ...pods].filter(({ metadata: { labels = {} } }) => pairs.every(([key = '', value]) => labels[key] === value))
  }
  return (await gatherOf(world, { cluster: { listServices: async () => services, listPods } })).gathered
}
const told = async (...of: Parameters<typeof gathered>) => (await gathered(...of)).findings.map(({ id, severity, title }) => [id, severity, title])

describe('a Service of the pod', () => {
  test('that sends to a port by an unknown name', async () => {
    expect(await told([service('shop', { app: 'shop' }, { port: 80, targetPort: 'http' })])).toEqual([
      [
        'service/shop/port-80',
        'error',
        'Service shop forwards its port 80 to a port named http, and no container of the pod has one of that name (they have web)',
      ],
    ])
  })

  test('that selects no pod, and seems to be meant for this one', async () => {
    expect(await told([service('front', { app: 'shop', tier: 'web' }, { port: 80 })])).toEqual([
      [
        'service/front/no-pods',
        'error',
        'Service front selects no pod: none has the labels of its selector app=shop,tier=web, and this one has no tier',
      ],
    ])
    expect(await told([service('other', { app: 'cart' }, { port: 80 })])).toEqual([])
  })

  test('that selects no pod is another version of it, where a Service leads to this one, but for the Service that bears its name', async () => {
    const stable = service('front', { app: 'shop' }, { port: 8080 })
    const canary = service('front-canary', { app: 'shop', track: 'canary' }, { port: 8080 })
    expect(await told([stable, canary])).toEqual([])
    expect((await told([stable, service('shop', { app: 'shop', version: 'green' }, { port: 8080 })])).map(([id]) => id)).toEqual([
      'service/shop/no-pods',
    ])
  })

  test.each([
    ['its own port', { port: 8080 }, ['8080']],
    ['a name that is there', { port: 80, targetPort: 'web' }, ['8080']],
    ['another port', { port: 80, targetPort: 9090 }, ['8080', '9090']],
    ['UDP', { port: 53, protocol: 'UDP', targetPort: 5353 }, ['8080']],
  ])('that sends to %s has it asked whether something listens there', async (_, port, ports) => {
    const { findings, hints } = await gathered([service('shop', { app: 'shop' }, port)])
    expect(findings).toEqual([])
    expect(hints.filter(({ name }) => name === 'listening').map(({ param }) => param)).toEqual(ports)
  })
})

describe('a Service that the pod calls', () => {
  test.each<[string, Raw, readonly RawPod[], string]>([
    [
      'no pod',
      service('stock', { app: 'stok' }, { port: 8080 }),
      [behind({ app: 'stock' }, true)],
      'Service stock, which the pod calls, has no endpoints: no pod has the labels of its selector app=stok',
    ],
    [
      'none that is ready',
      service('stock', { app: 'stock' }, { port: 8080 }),
      [behind({ app: 'stock' }, false)],
      'Service stock, which the pod calls, has no ready endpoints: none of its 1 pods is ready (stock-1)',
    ],
    [
      'another port',
      service('stock', { app: 'stock' }, { port: 80 }),
      [behind({ app: 'stock' }, true)],
      'Service stock, which the pod calls, has no port 8080 (it has 80)',
    ],
    [
      'a name that is not there',
      service('stock', { app: 'stock' }, { port: 8080, targetPort: 'http' }),
      [behind({ app: 'stock' }, true)],
      'Service stock forwards its port 8080 to a port named http, and no container of the pods behind it has one of that name (they have api)',
    ],
  ])('leads to %s', async (_, stock, pods, title) => {
    expect((await told([stock], pods)).map(([, severity, words]) => [severity, words])).toEqual([['error', title]])
  })

  test.each<[string, Raw, string]>([
    ['waits', { waiting: { reason: 'CrashLoopBackOff' } }, ': CrashLoopBackOff'],
    ['is between two runs', { terminated: { reason: 'Error', exitCode: 1 } }, ': ended with exit code 1'],
    ['was killed', { terminated: { reason: 'OOMKilled', exitCode: 137 } }, ': OOMKilled'],
    ['runs', { running: {} }, ''],
  ])('leads to a pod whose container %s', async (_, state, why) => {
    const sick = behind({ app: 'stock' }, false)
    const pod = { ...sick, status: { ...sick.status, containerStatuses: [{ name: 'stock', restartCount: 1, ready: false, state }] } } as RawPod
    expect((await told([service('stock', { app: 'stock' }, { port: 8080 })], [pod])).map(([, , title]) => title)).toEqual([
      `Service stock, which the pod calls, has no ready endpoints: none of its 1 pods is ready (stock-1${why})`,
    ])
  })

  test.each([
    ['10.96.0.77', 'http://10.96.0.77:8080/'],
    ['[fd00::77]', 'http://[fd00::77]:8080/'],
  ])('is known by its address too: %s', async (address, url) => {
    const byAddress = { ...web, ...changed(web, { container: { env: [{ name: 'STOCK', value: url }] } }) }
    const stock = {
      metadata: { name: 'stock' },
      spec: { clusterIPs: ['10.96.0.77', 'fd00::77'], selector: { app: 'stok' }, ports: [{ port: 8080 }] },
    }
    expect((await told([stock], [], byAddress)).map(([, , title]) => title)).toEqual([
      `Service stock (${address}), which the pod calls, has no endpoints: no pod has the labels of its selector app=stok`,
    ])
    const headless = service('stock', { app: 'stok' }, { port: 8080 })
    expect(await told([{ ...headless, spec: { ...(headless.spec as Raw), clusterIP: 'None' } }], [], byAddress)).toEqual([])
  })

  test.each<[string, Raw]>([
    ['a ready pod', service('stock', { app: 'stock' }, { port: 8080, targetPort: 'api' })],
    ['endpoints kept by hand', service('stock', {}, { port: 8080 })],
    ['another name', { metadata: { name: 'stock' }, spec: { type: 'ExternalName' } }],
  ])('and leads to %s is none to tell of', async (_, stock) => {
    expect(await told([stock], [behind({ app: 'stock' }, true)])).toEqual([])
  })
})

describe('what the target itself serves', () => {
  const probed = (ready: boolean, probe: Raw) => {
    const events = {
      items: ready
        ? []
        : [
            {
              type: 'Warning',
              reason: 'Unhealthy',
              message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
              lastTimestamp: ago(2),
              count: 4,
              involvedObject: { fieldPath: 'spec.containers{shop}' },
            },
          ],
    }
    const status = { containerStatuses: [{ name: 'shop', restartCount: 0, ready, state: { running: { startedAt: ago(60) } } }] }
    return { ...changed(web, { container: { env: [], ports: [{ containerPort: 8080, name: 'web' }], readinessProbe: probe }, status }), events }
  }
  const hints = async (world: Captured) => (await gathered([], [], world)).hints.map(({ name, param }) => `${name}=${param}`)

  test('is asked as the kubelet asks it, where a probe fails', async () => {
    const get = { httpGet: { port: 'web', path: '/ready?full=1', scheme: 'HTTP' } }
    expect(await hints(probed(false, get))).toEqual(['listening=8080', 'http=http://localhost:8080/ready'])
    expect(await hints(probed(true, get))).toEqual(['listening=8080'])
    expect(await hints(probed(false, { tcpSocket: { port: 9090 } }))).toEqual(['listening=9090', 'listening=8080'])
    expect(await hints(probed(false, { httpGet: { port: 8080, host: 'elsewhere' } }))).toEqual(['listening=8080'])
  })

  test('is not looked for while it starts, or does not run', async () => {
    const young = changed(web, {
      container: { env: [] },
      status: { containerStatuses: [{ name: 'shop', restartCount: 0, ready: true, state: { running: { startedAt: ago(3) } } }] },
    })
    const gone = changed(web, {
      container: { env: [] },
      status: { containerStatuses: [{ name: 'shop', restartCount: 9, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
    })
    expect([
      await hints({ ...web, ...young, events: { items: [] }, log: '' }),
      await hints({ ...web, ...gone, events: { items: [] }, log: '' }),
    ]).toEqual([[], []])
  })
})

describe('a workload', () => {
  const asked = async (kind: string, workload: Raw, events: readonly Raw[] = [], pods: readonly RawPod[] = []) => {
    const target = { kind: 'workload', namespace: plain.pod.metadata.namespace, workload: kind, name: 'shop' } as const
    const cluster = {
      getWorkload: async () => ({ spec: { selector: { matchLabels: { app: 'shop' } } }, ...workload }),
      listPods: async () => pods,
      listEventsOf: async () => ({ items: events }),
    }
    return (await gatherOf(web, { request: { target }, cluster })).gathered
  }
  const quota = 'pods "shop-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0'

  test('whose pods cannot be made', async () => {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: quota }]
    const { findings, refusal } = await asked('deployment', { status: { conditions } })
    expect(refusal?.code).toBe('pod-not-found')
    expect(findings).toMatchObject([
      {
        id: 'workload/FailedCreate',
        severity: 'error',
        title: `The pods of deployment shop cannot be made, FailedCreate: ${quota}`,
        cause: 'The quota of the namespace is used up',
      },
    ])
    const event = {
      type: 'Warning',
      reason: 'FailedCreate',
      message: `create Pod shop-0 in StatefulSet shop failed error: ${quota}`,
      lastTimestamp: ago(5),
    }
    expect((await asked('statefulset', {}, [event])).findings).toMatchObject([
      { id: 'workload/FailedCreate', title: `The pods of statefulset shop cannot be made, FailedCreate: ${quota}` },
    ])
  })

  test.each([
    ['deployment', { replicas: 0 }, {}, 'workload/scaled-to-zero'],
    ['job', { suspend: true }, {}, 'workload/suspended'],
    ['daemonset', {}, { desiredNumberScheduled: 0 }, 'workload/no-node'],
  ])('of which no pod is wanted: %s', async (kind, spec, status, id) => {
    expect((await asked(kind, { spec: { selector: { matchLabels: { app: 'shop' } }, ...spec }, status })).findings.map((one) => one.id)).toEqual([id])
  })

  test('is told beside a pod of it that is well', async () => {
    const conditions = [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'ReplicaSet "shop-2" has timed out progressing.' },
    ]
    const { findings, refusal } = await asked('deployment', { status: { conditions } }, [], [web.pod])
    expect(refusal).toBeUndefined()
    expect(findings.map(({ id, severity }) => [id, severity])).toEqual([['workload/ProgressDeadlineExceeded', 'warn']])
  })

  test('that lacks pods is told beside one of it that is well, by the events of its controller', async () => {
    const message = `create Pod shop-1 in StatefulSet shop failed error: ${quota}`
    const event = { type: 'Warning', reason: 'FailedCreate', message, lastTimestamp: ago(5) }
    const of = async (made: number) => {
      const workload = { spec: { replicas: 2, selector: { matchLabels: { app: 'shop' } } }, status: { replicas: made } }
      return (await asked('statefulset', workload, [event], [web.pod])).findings.map(({ title }) => title)
    }
    expect([await of(1), await of(2)]).toEqual([[`The pods of statefulset shop cannot be made, FailedCreate: ${quota}`], []])
  })

  test('a Service that selects no pod is told by what comes nearest', async () => {
    const target = { kind: 'workload', namespace: plain.pod.metadata.namespace, workload: 'service', name: 'shop' } as const
    const cluster = {
      getWorkload: async () => service('shop', { app: 'shop', tier: 'web' }),
      listPods: async (_: string, selector: string) => (selector === '' ? [web.pod] : []),
    }
    const { findings } = (await gatherOf(web, { request: { target }, cluster })).gathered
    expect(findings[0]?.title).toBe(
      `Service shop selects no pod: none has the labels of its selector app=shop,tier=web; pod ${plain.pod.metadata.name} has no tier`,
    )
  })
})
