import { describe, expect, test } from 'vitest'
import type { Raw, RawPod } from '../../src/ports/cluster/cluster.ts'
import { type Captured, captured, changed, findingsOf, gatherOf, quiet } from './gather-world.ts'

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

describe('a service without a selector', () => {
  const line = 'ERROR Get "http://stock:8080/": dial tcp 10.96.0.7:8080: connect: connection refused\n'
  const given = (spec: Raw) => ({
    cluster: { listServices: async () => [{ metadata: { name: 'stock' }, spec: { clusterIP: '10.96.0.7', ...spec } }] as Raw[] },
  })
  const ids = async (log: string, spec: Raw) => (await findingsOf({ ...quiet(captured('healthy-web')), log }, given(spec))).map(({ id }) => id)
  test.each([line, 'ERROR cart: connect ECONNREFUSED 10.96.0.7:8080\n', 'ERROR stock.shop.svc:8080: connection refused\n'])(
    'refuses: %s',
    async (log) => {
      expect(await ids(log, {})).toEqual(['service/stock/no-selector', 'log/trouble'])
    },
  )
  test('is no trouble where nobody is refused by it', async () => {
    expect(await ids('INFO connected to stock:8080\n', {})).toEqual([])
    expect(await ids('ERROR connect ECONNREFUSED 10.96.0.71:8080\n', {})).toEqual(['log/trouble'])
    expect(await ids(line, { type: 'ExternalName' })).toEqual(['log/trouble'])
  })
})
