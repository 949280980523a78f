import { describe, expect, test } from 'vitest'
import { ClusterUnavailable } from '../../src/ports/cluster/cluster.ts'
import { apple } from './alerts.ts'
import { alertmanager, intakeWorld } from './intake-world.ts'

type World = Awaited<ReturnType<typeof intakeWorld>>
/** How the alerts ended up, without the rest. */
const outcomes = async (world: World) => (await world.alerts()).map(({ outcome, suppression }) => suppression ?? outcome).toSorted()
const minutes = (count: number) => count * 60

describe('one trouble', () => {
  test('of two pods of a workload is diagnosed once; the other alert is shown with the diagnosis that stands for it', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: apple(1) }, { pod: apple(2) })
    const [diagnosis, ...others] = await world.diagnoses()
    expect(others).toEqual([])
    expect(diagnosis).toMatchObject({ state: 'done', requester: 'prometheus', cluster: 'main', alert: { name: 'CrashLooping' } })
    const settled = await world.alerts()
    expect(settled.map(({ state }) => state)).toEqual(['settled', 'settled'])
    expect(settled.map(({ workload }) => workload)).toEqual(['deployment/apples', 'deployment/apples'])
    expect(settled[0]?.trouble).toBe(settled[1]?.trouble)
    expect(settled.find(({ outcome }) => outcome === 'diagnosed')).toMatchObject({ diagnosis: diagnosis?.id })
    expect(settled.find(({ outcome }) => outcome === 'suppressed')).toMatchObject({ suppression: 'same-trouble', diagnosis: diagnosis?.id })
  })

  test('that a pair delivers ten times at once is diagnosed once, with one report', async () => {
    const world = await intakeWorld()
    world.settleWhenWoken()
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.deliver([{ pod: apple(1) }])))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202))
    await world.done()
    await world.diagnose()
    expect(await world.diagnoses()).toHaveLength(1)
    expect(await world.alerts()).toHaveLength(1)
    expect((await world.issues()).map(({ notes }) => notes.length)).toEqual([1])
  })

  test('that two sources tell is one trouble', async () => {
    const world = await intakeWorld({
      sources: { prometheus: alertmanager, second: alertmanager },
      policy: [{ principals: ['second'], namespaces: ['fruit'] }],
    })
    await world.fire({ pod: apple(1) })
    await world.deliver([{ pod: apple(2) }], 'second')
    await world.settle()
    expect(await outcomes(world)).toEqual(['diagnosed', 'same-trouble'])
  })

  test('in each workload is one of its own, and so is each pod without one', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: apple(1) }, { pod: 'pears-6d4cf56db6-1' }, { pod: 'plum' })
    expect(await outcomes(world)).toEqual(['diagnosed', 'diagnosed', 'diagnosed'])
    expect((await world.alerts()).map(({ workload }) => workload).toSorted()).toEqual(['deployment/apples', 'deployment/pears', 'pod/plum'])
  })

  test('may have more diagnoses, as configured', async () => {
    const world = await intakeWorld({ intake: { podsPerTrouble: 2 } })
    await world.fire({ pod: apple(1) }, { pod: apple(2) }, { pod: apple(3) })
    expect(await outcomes(world)).toEqual(['diagnosed', 'diagnosed', 'same-trouble'])
  })
})

describe('limits', () => {
  test('different alerts of a pod start one diagnosis', async () => {
    const world = await intakeWorld()
    await world.fire({ name: 'CrashLooping' }, { name: 'NotReady' }, { name: 'HighLatency' })
    expect(await outcomes(world)).toEqual(['diagnosed', 'pod-cooldown', 'pod-cooldown'])
  })

  test('different alerts of a workload start diagnoses of at most 3 pods', async () => {
    const world = await intakeWorld()
    await world.fire(...[1, 2, 3, 4, 5].map((at) => ({ name: `Alert${at}`, pod: apple(at) })))
    expect(await outcomes(world)).toEqual(['diagnosed', 'diagnosed', 'diagnosed', 'workload-limit', 'workload-limit'])
    expect(new Set((await world.diagnoses()).map(({ pod }) => pod?.name)).size).toBe(3)
  })

  test('pass with the time', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: apple(1), firing: 1 })
    await world.pass(minutes(59))
    await world.fire({ pod: apple(1), firing: 2 })
    await world.pass(minutes(2))
    await world.fire({ pod: apple(1), firing: 3 })
    expect((await world.alerts()).map(({ outcome, suppression }) => suppression ?? outcome)).toEqual(['diagnosed', 'pod-cooldown', 'diagnosed'])
    expect(await world.diagnoses()).toHaveLength(2)
  })

  test('tell which diagnosis stands for what was suppressed', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: apple(1) })
    await world.fire({ name: 'NotReady', pod: apple(1) })
    const [first] = await world.diagnoses()
    expect((await world.alerts()).at(-1)).toMatchObject({
      suppression: 'pod-cooldown',
      diagnosis: first?.id,
      message: expect.stringContaining('3600 s'),
    })
  })

  test('a storm is not fanned out', async () => {
    const world = await intakeWorld({ intake: { storm: { diagnoses: 2, seconds: 600 } } })
    await world.fire({ pod: apple(1) }, { pod: 'plum' }, { pod: 'pears-6d4cf56db6-1' })
    expect(await outcomes(world)).toEqual(['diagnosed', 'diagnosed', 'storm'])
    const stormy = (await world.alerts()).find(({ suppression }) => suppression === 'storm')
    expect(stormy?.diagnosis).toBeUndefined()
    await world.pass(minutes(11))
    await world.fire({ pod: stormy?.pod ?? '', firing: 2 })
    expect(await outcomes(world)).toEqual(['diagnosed', 'diagnosed', 'diagnosed', 'storm'])
  })

  test('hold for several processes that settle at once', async () => {
    const world = await intakeWorld({ intake: { storm: { diagnoses: 2, seconds: 600 } } })
    const { settleDue } = await import('../../src/intake/settle-alerts.ts')
    await world.deliver([{ pod: apple(1) }, { pod: apple(2) }, { pod: 'plum' }, { pod: 'pears-6d4cf56db6-1' }])
    await Promise.all(Array.from({ length: 5 }, () => settleDue(world.deps)))
    await world.diagnose()
    expect(await world.diagnoses()).toHaveLength(2)
    expect(await outcomes(world)).toHaveLength(4)
    const started = (await world.alerts()).flatMap(({ outcome, diagnosis }) => (outcome === 'diagnosed' ? diagnosis : []))
    expect(started.toSorted()).toEqual((await world.diagnoses()).map(({ id }) => id).toSorted())
  })
})

describe('nothing is started for', () => {
  const started = async (world: World) => [(await world.diagnoses()).length, world.begun.length]

  test('what was resolved before it was looked at', async () => {
    const world = await intakeWorld()
    await world.deliver([{ pod: apple(1) }])
    await world.fire({ pod: apple(1), resolved: true })
    expect(await world.alerts()).toMatchObject([{ outcome: 'suppressed', suppression: 'resolved' }])
    expect(await started(world)).toEqual([0, 0])
  })

  test('labels that name no target: it is said which were looked for', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: null, labels: { node: 'worker-1', namespace: 'fruit' } })
    const [alert] = await world.alerts()
    expect(alert).toMatchObject({ outcome: 'no-target' })
    expect(alert?.message).toMatch(/looked for exported_pod, pod, .* by the source's relabel$/)
    expect(await started(world)).toEqual([0, 0])
  })

  test('a pod that is gone', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: 'apples-57bcf49487-9' })
    expect(await world.alerts()).toMatchObject([{ outcome: 'no-target', message: expect.stringContaining('There is no pod "apples-57bcf49487-9"') }])
    expect(await started(world)).toEqual([0, 0])
  })

  test('a namespace that policy does not allow the source', async () => {
    const world = await intakeWorld()
    await world.fire({ labels: { namespace: 'bank', pod: 'teller-0' } })
    expect(await world.alerts()).toMatchObject([{ outcome: 'denied', namespace: 'bank', message: expect.stringContaining('"bank"') }])
    expect(await started(world)).toEqual([0, 0])
  })

  test('a source that no rule of the policy names', async () => {
    const world = await intakeWorld({ sources: { nobody: alertmanager } })
    await world.deliver([{}], 'nobody')
    await world.settle()
    expect(await world.alerts()).toMatchObject([{ outcome: 'denied', message: expect.stringContaining('No rule of the policy allows "nobody"') }])
  })

  test('kube-system, whatever the policy says', async () => {
    const world = await intakeWorld()
    await world.fire({ labels: { namespace: 'kube-system', pod: 'coredns-0' } })
    expect(await world.alerts()).toMatchObject([{ outcome: 'denied', message: 'Nobody may diagnose in namespace "kube-system"' }])
    expect(await started(world)).toEqual([0, 0])
  })

  test('a cluster that is not configured', async () => {
    const world = await intakeWorld()
    await world.fire({ labels: { cluster: 'elsewhere' } })
    expect(await world.alerts()).toMatchObject([{ outcome: 'no-target', message: expect.stringContaining('"elsewhere"') }])
  })

  test('what a rule of the source drops', async () => {
    const relabel = [{ sourceLabels: ['severity'], regex: 'info', action: 'drop' as const }]
    const world = await intakeWorld({ sources: { prometheus: { ...alertmanager, relabel } } })
    await world.fire({ labels: { severity: 'info' } })
    expect(await world.alerts()).toMatchObject([{ outcome: 'ignored' }])
    expect(await started(world)).toEqual([0, 0])
  })
})

describe('a cluster that is away', () => {
  const away = async (until: () => boolean) =>
    intakeWorld(
      {},
      {
        wrap: ({ clusters }) => {
          const real = clusters.get('main')
          if (!real) throw new Error('There is no cluster')
          const getPod: typeof real.getPod = async (...args) => {
            if (!until()) throw new ClusterUnavailable('The cluster is away')
            return real.getPod(...args)
          }
          return { clusters: new Map([['main', { ...real, getPod }]]) }
        },
      },
    )

  test('delays, and loses nothing', async () => {
    let back = false
    const world = await away(() => back)
    await world.fire({ pod: apple(1) })
    expect(await world.alerts()).toMatchObject([{ state: 'received', message: 'The cluster is away' }])
    await world.pass(minutes(60))
    await world.pass(minutes(60))
    back = true
    await world.pass(minutes(6))
    await world.diagnose()
    expect(await outcomes(world)).toEqual(['diagnosed'])
    expect(await world.diagnoses()).toHaveLength(1)
  })

  test('is given up after a day, and that is said', async () => {
    const world = await away(() => false)
    await world.fire({ pod: apple(1) })
    await world.pass(minutes(24 * 60 + 1))
    expect(await world.alerts()).toMatchObject([{ state: 'settled', outcome: 'failed', message: 'Given up after a day: The cluster is away' }])
  })
})
