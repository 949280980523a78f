import { describe, expect, test, vi } from 'vitest'
import { platform } from '#platform'
import { twinOf } from '../../src/diagnosis/comparison.ts'
import type { Diagnosis } from '../../src/diagnosis/diagnosis.ts'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { id, MemoryStep, storyWorld } from './story-world.ts'

type World = Awaited<ReturnType<typeof storyWorld>>

const signal = new AbortController().signal
const owner = (set: string) => [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `web-${set}`, uid: `uid-${set}`, controller: true }]

/** A pod of deployment `web`: `storefront` asks the backend that fails, `prices` is that backend. */
function replica(name: string, part: 'storefront' | 'prices', more: { set?: string; env?: object; annotations?: object } = {}) {
  const set = more.set ?? 'aaaa'
  return {
    metadata: {
      name,
      labels: { app: 'web', 'pod-template-hash': set },
      ownerReferences: owner(set),
      ...(more.annotations ? { annotations: more.annotations } : {}),
    },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'app',
          image: 'localhost/demo-app:1',
          args: [part],
          env: Object.entries(more.env ?? {}).map(([key, value]) => ({ name: key, value })),
          resources: { limits: { memory: '256Mi' } },
        },
      ],
    },
  }
}

async function create(world: World, pod: { metadata: { name: string } }): Promise<RawPod> {
  const url = `http://api.invalid/api/v1/namespaces/demo/pods`
  const answer = await world.transport(
    new Request(url, { method: 'POST', body: JSON.stringify(pod), headers: { 'content-type': 'application/json' } }),
  )
  expect(answer.status).toBe(201)
  const isReady = ({ status }: RawPod) => status.containerStatuses?.every(({ ready }) => ready) ?? false
  for await (const now of world.cluster.watchPod({ namespace: 'demo', name: pod.metadata.name }, signal)) if (now && isReady(now)) return now
  throw new Error('The pod is gone')
}

const target = { kind: 'pod', namespace: 'demo', name: 'web-aaaa-target' } as const

/** Two pods of one deployment: the target's environment names the backend that fails, the replica's one that is fine. */
async function twoReplicas(...given: Parameters<typeof storyWorld>) {
  const world = await storyWorld(...given)
  await create(world, replica(target.name, 'storefront', { env: { PRICES_URL: world.url } }))
  await create(world, replica('web-aaaa-healthy', 'prices', { env: { LISTEN_PORT: '0' } }))
  await vi.waitFor(async () => {
    const log = await world.cluster.tailLog({ namespace: 'demo', name: target.name }, 'app', { tailLines: 10, limitBytes: 10_000 }, signal)
    expect(new TextDecoder().decode(log)).toContain('ERROR')
  })
  const added = async (name: string) =>
    (await world.cluster.getPod({ namespace: 'demo', name }, signal))?.spec.ephemeralContainers?.map((one) => one.name)
  return { world, added, tell: (more = {}, step = new MemoryStep(1)) => world.tell({ target, compare: true, checks: [], ...more }, step) }
}

/** Texts by path, without the top directory. */
async function bundleOf({ deps: { store } }: World, { bundle }: Diagnosis): Promise<ReadonlyMap<string, string>> {
  const object = await store.get(bundle?.key ?? '')
  const entries = await platform.untar(new Uint8Array(await new Response(object?.body).arrayBuffer()))
  return new Map([...entries].map(([path, bytes]) => [path.replace(/^[^/]+\//, ''), new TextDecoder().decode(bytes)]))
}

const order = (told: Diagnosis) => told.findings.map(({ check, alsoOn }) => [check, alsoOn])

describe('a diagnosis beside a healthy replica', () => {
  test('runs the same checks there, repeats nothing though every step runs twice, and tells first what the target has alone', async () => {
    const { world, added, tell } = await twoReplicas()
    const step = new MemoryStep(2)
    const told = await tell({ checks: [{ name: 'http', param: world.url }, { name: 'listening' }] }, step)
    expect(step.failures).toEqual([])
    expect(step.names.filter((name) => !/listen-/.test(name))).toEqual([
      ...['gather', 'plan-1', 'inject-1', 'start-1', 'end-1', 'compare'],
      ...['twin', 'twin-plan-1', 'twin-inject-1', 'twin-start-1', 'twin-end-1', 'twin-compare'],
      ...['conclude', 'seal', 'share-1', 'finish'],
    ])
    expect(await added(target.name)).toEqual([`${id}-1`])
    expect(await added('web-aaaa-healthy')).toEqual([`${id}-1`])
    expect(told).toMatchObject({
      outcome: 'complete',
      pod: { name: target.name },
      containers: [{ name: `${id}-1` }],
      comparison: { twin: { name: 'web-aaaa-healthy', container: 'app' }, containers: [{ name: `${id}-1`, proven: true }] },
    })
    expect(told.comparison).not.toHaveProperty('explanation')
    // The server fails whoever asks; the line of the log is the target's alone.
    expect(order(told)).toContainEqual(['http', 'web-aaaa-healthy'])
    const shared = told.findings.findIndex(({ alsoOn }) => alsoOn !== undefined)
    expect(told.findings.slice(shared).every(({ alsoOn }) => alsoOn !== undefined)).toBe(true)
    expect(order(told)[0]).toEqual(['log', undefined])
    expect(told.comparison?.specs).toContainEqual({ what: 'environment of container app', target: 'PRICES_URL', twin: 'LISTEN_PORT' })
    expect(told.comparison?.specs).toContainEqual({ what: 'command of container app', target: '["storefront"]', twin: '["prices"]' })
  })

  test('puts its evidence and its log into the bundle, under their own paths, and into the note', async () => {
    const { world, tell } = await twoReplicas()
    const told = await tell({ checks: [{ name: 'listening' }] })
    const files = await bundleOf(world, told)
    const names = [...files.keys()]
    for (const pod of [target.name, 'web-aaaa-healthy']) expect(names).toContain(`autodiagnose/demo/${pod}/${id}-1-stdout.txt`)
    expect(files.get('cluster-resources/pods/demo.json')).toContain(`"${target.name}"`)
    expect(files.get('autodiagnose/twin/cluster-resources/pods/demo.json')).toContain('"web-aaaa-healthy"')
    expect(files.get('autodiagnose/SHA256SUMS')).toContain(`autodiagnose/demo/web-aaaa-healthy/${id}-1-stdout.txt`)
    expect(files.get('execution-data/summary.txt')).toContain('healthy replica: web-aaaa-healthy')
    const [note] = await world.notes()
    expect(note?.facts.find(([name]) => name === 'Healthy replica')?.[1]).toContain('web-aaaa-healthy')
  })

  test('tells that there is no replica, and goes on', async () => {
    const { deps, tell } = await storyWorld()
    const told = await tell({ compare: true })
    expect(told).toMatchObject({
      outcome: 'complete',
      comparison: { explanation: expect.stringContaining('belongs to no workload'), containers: [] },
    })
    expect(told.findings.some(({ alsoOn }) => alsoOn !== undefined)).toBe(false)
    expect(await deps.store.head(`diagnoses/${twinOf(id)}/evidence.json`)).toBeUndefined()
  })

  test('adds nothing to a replica whose owners want none, and compares what the API tells', async () => {
    const world = await storyWorld()
    await create(world, replica(target.name, 'storefront', { env: { PRICES_URL: world.url } }))
    await create(world, replica('web-aaaa-private', 'prices', { env: { LISTEN_PORT: '0' }, annotations: { 'autodiagnose.dev/opt-out': 'true' } }))
    const told = await world.tell({ target, compare: true, checks: [{ name: 'listening' }] })
    expect(told).toMatchObject({
      outcome: 'complete',
      comparison: {
        twin: { name: 'web-aaaa-private' },
        refusal: { code: 'policy' },
        explanation: expect.stringContaining('opt-out'),
        containers: [],
      },
    })
    expect(told.comparison?.specs.map(({ what }) => what)).toContain('environment of container app')
  })

  test('adds nothing to a replica where nothing may be added to the target', async () => {
    const { added, tell } = await twoReplicas({ harm: { paused: true } })
    const told = await tell()
    expect(told).toMatchObject({ outcome: 'refused', comparison: { twin: { name: 'web-aaaa-healthy' }, containers: [] } })
    expect(await added('web-aaaa-healthy')).toBeUndefined()
  })

  test('is cancelled before the replica is touched', async () => {
    const { world, added, tell } = await twoReplicas()
    const step = new MemoryStep(1, (name) => (name === 'twin' ? world.deps.records.requestCancel(id) : Promise.resolve()))
    const told = await tell({}, step)
    expect(told.comparison?.explanation).toContain('cancelled')
    expect(await added('web-aaaa-healthy')).toBeUndefined()
  })

  test('takes a replica of another revision where its own has no healthy one, and never the demo’s other pods', async () => {
    const world = await storyWorld()
    await create(world, replica(target.name, 'storefront', { env: { PRICES_URL: world.url } }))
    await create(world, replica('web-bbbb-old', 'prices', { set: 'bbbb', env: { LISTEN_PORT: '0' } }))
    const told = await world.tell({ target, compare: true, checks: [{ name: 'listening' }] })
    expect(told.comparison?.twin?.name).toBe('web-bbbb-old')
    expect(told.comparison?.specs[0]).toEqual({ what: 'revision (label pod-template-hash)', target: 'aaaa', twin: 'bbbb' })
    expect(demoPod.name).not.toBe(told.comparison?.twin?.name)
  })
})
