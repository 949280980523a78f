import { describe, expect, test, vi } from 'vitest'
import { platform } from '#platform'
import type { ConfigInput } from '../../src/config.ts'
import type { Deps } from '../../src/deps.ts'
import { diagnose } from '../../src/diagnose.ts'
import type { Diagnosis } from '../../src/diagnosis/diagnosis.ts'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import { adopter } from '../../src/hosts/adopter.ts'
import type { Raw } from '../../src/ports/cluster/cluster.ts'
import { MemoryStep, storyWorld } from '../diagnosis/story-world.ts'

const signal = new AbortController().signal
const policy = [{ principals: ['on-call'], namespaces: ['demo'], profiles: ['baseline'], reports: ['bugs:*'] }] satisfies ConfigInput['policy']
const adoption = [{ namespaces: ['demo'], principal: 'on-call', listenSeconds: 10 }]

/** A cluster in whose pod containers are typed, and a service that adopts them. */
async function adoptionWorld(change: Partial<ConfigInput> = {}) {
  const logged: [string, Readonly<Record<string, unknown>> | undefined][] = []
  const started: string[] = []
  const world = await storyWorld({ policy, adoption, ...change }, () => ({
    log: (_, message, data) => void logged.push([message, data]),
    runs: { start: async (id) => void started.push(id) },
  }))
  const { cluster } = world
  const type = async (container: Raw): Promise<void> => {
    const pod = await cluster.getPod(demoPod, signal)
    const whole = { image: 'localhost/autodiagnose:1', targetContainerName: 'app', ...container }
    expect(await cluster.addEphemeralContainer(demoPod, pod?.metadata.uid ?? '', whole, {}, signal)).toEqual({ kind: 'added' })
  }
  /** A process that watches until it is killed. */
  const watching = async (until: () => void | Promise<void>): Promise<void> => {
    const stopping = new AbortController()
    const { done } = adopter({ ...world.deps, stopping: stopping.signal } as Deps)
    try {
      await vi.waitFor(until, { timeout: 10_000 })
    } finally {
      stopping.abort()
      await done()
    }
  }
  const records = () => world.deps.records.list({}, { limit: 10 })
  const diagnosed = async (step = new MemoryStep(1)): Promise<Diagnosis> => {
    const record = (await records()).at(-1)
    if (!record) throw new Error('Nothing was adopted')
    await diagnose(record, step, world.deps)
    return (await world.deps.records.get(record.id)) as Diagnosis
  }
  const ended = (name: string) =>
    vi.waitFor(async () => {
      const pod = await cluster.getPod(demoPod, signal)
      expect(pod?.status.ephemeralContainerStatuses?.find((one) => one.name === name)?.state?.terminated).toBeDefined()
    }, 10_000)
  return { ...world, logged, started, type, watching, records, diagnosed, ended }
}

describe('a container that is added by hand', () => {
  test('is taken in once, whoever watches, and read, bundled and told though every step runs twice', async () => {
    const world = await adoptionWorld()
    await world.type({ name: 'debugger-abcde', args: ['--report=bugs:bug-1', 'listening', 'resolv'] })
    const isStarted = () => expect(world.started).toHaveLength(1)
    await world.watching(isStarted)
    await world.ended('debugger-abcde')
    // As after a restart: nothing is known in the process, and the first comes before the second.
    await world.type({ name: 'debugger-second', args: ['resolv'] })
    await world.watching(() => expect(world.started).toHaveLength(2))
    expect((await world.records()).toReversed()).toMatchObject([
      {
        requester: 'on-call',
        state: 'accepted',
        container: 'app',
        checks: [{ name: 'listening' }, { name: 'resolv' }],
        report: { tracker: 'bugs', key: 'bug-1' },
        adopted: { container: 'debugger-abcde', profile: 'baseline', listenSeconds: 10 },
      },
      { adopted: { container: 'debugger-second' } },
    ])

    const step = new MemoryStep(2)
    const told = await world.diagnosed(step)
    expect(step.failures).toEqual([])
    expect(step.names).toEqual(['gather', 'find', 'start-1', 'listen-1-1', 'end-1', 'conclude', 'seal', 'share-1', 'finish'])
    expect((await world.containers()).toSorted()).toEqual(['debugger-abcde', 'debugger-second'])
    expect(told).toMatchObject({
      state: 'done',
      outcome: 'complete',
      containers: [{ name: 'debugger-abcde', image: 'localhost/autodiagnose:1', profile: 'baseline', proven: true, exitCode: 0 }],
      reported: { kind: 'written' },
    })
    expect(await world.notes()).toHaveLength(1)
    const object = await world.deps.store.get(told.bundle?.key ?? '')
    const entries = await platform.untar(new Uint8Array(await new Response(object?.body).arrayBuffer()))
    const log = [...entries].find(([path]) => path.endsWith(`autodiagnose/demo/${demoPod.name}/debugger-abcde-stdout.txt`))?.[1]
    expect(new TextDecoder().decode(log)).toMatch(/^# check listening$/m)
  })

  test('is left alone where policy denies it, which is told once', async () => {
    const world = await adoptionWorld({ policy: [{ ...policy[0], reports: [] }] as ConfigInput['policy'] })
    await world.type({ name: 'debugger-abcde', args: ['--report=bugs:bug-1', 'resolv'] })
    const isTold = () => expect(world.logged.filter(([message]) => message.includes('policy denies'))).toHaveLength(1)
    await world.watching(isTold)
    await world.type({ name: 'debugger-more', args: ['resolv'] })
    await world.watching(() => expect(world.started).toHaveLength(1))
    isTold()
    expect(world.logged.find(([message]) => message.includes('policy denies'))?.[1]).toMatchObject({
      container: 'debugger-abcde',
      principal: 'on-call',
    })
    expect((await world.records()).map(({ adopted }) => adopted?.container)).toEqual(['debugger-more'])
  })

  test('is left alone where it began too long ago, or has another image or a name of ours', async () => {
    let at = 0
    const world = await adoptionWorld()
    await world.type({ name: 'debugger-old', args: ['resolv'] })
    await world.ended('debugger-old')
    await world.type({ name: 'ad-0123456789abcdefghjk-1', args: ['resolv'] })
    await world.type({ name: 'debugger-image', image: 'localhost/demo-app:1', args: ['prices'] })
    const clock = { ...world.deps.clock, now: () => world.deps.clock.now() + 3_700_000 }
    const stopping = new AbortController()
    const watchPods = world.cluster.watchPods
    const counting = { ...world.cluster, watchPods: (...args: Parameters<typeof watchPods>) => counted(watchPods(...args)) }
    async function* counted(pods: ReturnType<typeof watchPods>) {
      for await (const pod of pods) {
        yield pod
        at += 1
      }
    }
    const { done } = adopter({ ...world.deps, clock, clusters: new Map([['main', counting]]), stopping: stopping.signal })
    await vi.waitFor(() => expect(at).toBeGreaterThanOrEqual(2))
    stopping.abort()
    await done()
    expect(await world.records()).toEqual([])
  })

  test('is stored though it runs something else, and ends without our end line', async () => {
    const world = await adoptionWorld()
    await world.type({ name: 'debugger-else', args: ['--nonsense', 'x'] })
    await world.watching(() => expect(world.started).toHaveLength(1))
    await world.ended('debugger-else')
    const told = await world.diagnosed()
    expect(told).toMatchObject({ state: 'done', containers: [{ name: 'debugger-else', exitCode: 2 }] })
    expect(told.report).toBeUndefined()
  })

  test('is refused where its pod was replaced before anybody could listen', async () => {
    const world = await adoptionWorld()
    await world.type({ name: 'debugger-abcde', args: ['resolv'] })
    await world.watching(() => expect(world.started).toHaveLength(1))
    const [record] = await world.records()
    if (!record?.adopted) throw new Error('Nothing was adopted')
    await diagnose({ ...record, adopted: { ...record.adopted, podUid: 'another' } }, new MemoryStep(1), world.deps)
    expect(await world.deps.records.get(record.id)).toMatchObject({ outcome: 'refused', refusal: { code: 'pod-replaced' }, containers: [] })
  })

  test('says in its reason what is wrong with the report that it names', async () => {
    const world = await adoptionWorld()
    await world.type({ name: 'debugger-abcde', args: ['--report=nowhere:1', 'resolv'] })
    await world.watching(() => expect(world.started).toHaveLength(1))
    const [record] = await world.records()
    expect(record?.report).toBeUndefined()
    expect(record?.reason).toContain('unknown tracker "nowhere"')
  })
})
