import { describe, expect, test } from 'vitest'
import type { Deps } from '../../src/deps.ts'
import { busyNow } from '../../src/diagnosis/inject/pod-lease.ts'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import { type Cluster, ClusterUnavailable, type RawPod } from '../../src/ports/cluster/cluster.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { id, MemoryStep, storyWorld } from './story-world.ts'

const signal = new AbortController().signal
const minute = 60_000

/** The wall's clock, which may jump ahead as it does for a service that was away. */
function jumping() {
  const clock = { aheadMs: 0, now: () => wallClock.now() + clock.aheadMs, sleep: wallClock.sleep }
  return clock
}

const withCluster =
  (change: (real: Cluster) => Partial<Cluster>) =>
  ({ clusters }: Deps): Partial<Deps> => {
    const real = clusters.get('main') as Cluster
    return { clusters: new Map([['main', { ...real, ...change(real) }]]) }
  }

test('a diagnosis is cancelled while its cluster is away, and not tried until its patience ends', async () => {
  let asked = 0
  const world = await storyWorld({}, (deps) =>
    withCluster(() => ({
      async getPod() {
        asked += 1
        if (asked === 2) await world.deps.records.requestCancel(id)
        throw new ClusterUnavailable('connection refused')
      },
    }))(deps),
  )
  const told = await world.tell({})
  expect(told).toMatchObject({ state: 'done', outcome: 'cancelled', explanation: expect.stringMatching(/^cancelled before .*: Cannot gather/) })
  expect(asked).toBeLessThan(6)
  expect(await world.notes()).toMatchObject([{ outcome: 'cancelled' }])
})

test('a container whose end cannot be read is told, and keeps its pod until its own deadline', async () => {
  let isBroken = false
  const world = await storyWorld({}, (deps) =>
    withCluster(({ getPod }) => ({
      getPod: (...args) => (isBroken ? Promise.reject(new TypeError('made up to fail')) : getPod(...args)),
    }))(deps),
  )
  const step = new MemoryStep(1, async (name) => {
    if (name === 'start-1') await world.deps.records.requestCancel(id)
    isBroken = name === 'end-1'
  })
  expect(await world.tell({}, step)).toMatchObject({
    outcome: 'cancelled',
    explanation: 'cancelled; the container runs until its own deadline',
    containers: [{ name: `${id}-1`, proven: false }],
  })
  const pod = (await world.cluster.getPod(demoPod, signal)) as RawPod
  expect(await world.deps.records.getValue(`pod:main/${pod.metadata.uid}`)).toMatchObject({ id })
})

describe('a service that was away', () => {
  test('plans again what it had planned long before', async () => {
    const clock = jumping()
    const { tell, containers } = await storyWorld({}, () => ({ clock }))
    const step = new MemoryStep(1, async (name) => {
      if (name === 'inject-1') clock.aheadMs += minute
    })
    expect(await tell({}, step)).toMatchObject({ outcome: 'complete', containers: [{ name: `${id}-1`, proven: true }] })
    expect(step.names.slice(0, 5)).toEqual(['gather', 'plan-1', 'inject-1', 'plan-1-again-1', 'inject-1-again-1'])
    expect(await containers()).toEqual([`${id}-1`])
  })

  test('adds nothing when it was cancelled meanwhile', async () => {
    const clock = jumping()
    const world = await storyWorld({}, () => ({ clock }))
    const step = new MemoryStep(1, async (name) => {
      if (name !== 'inject-1') return
      clock.aheadMs += minute
      await world.deps.records.requestCancel(id)
    })
    expect(await world.tell({}, step)).toMatchObject({ outcome: 'cancelled', containers: [] })
    expect(await world.containers()).toEqual([])
  })

  test('reads the pod again when the evidence is old, and refuses what is gone', async () => {
    const clock = jumping()
    let deleted = false
    const { tell } = await storyWorld({}, (deps) => ({
      clock,
      ...withCluster(({ getPod }) => ({ getPod: async (...args) => (deleted ? undefined : getPod(...args)) }))(deps),
    }))
    const step = new MemoryStep(1, async (name) => {
      if (name !== 'plan-1') return
      clock.aheadMs += minute
      deleted = true
    })
    expect(await tell({}, step)).toMatchObject({ outcome: 'refused', refusal: { code: 'pod-deleted' } })
  })
})

test('a container whose answer was lost is listened to', async () => {
  const clock = jumping()
  const { tell, containers } = await storyWorld({}, (deps) => ({
    clock,
    ...withCluster(({ addEphemeralContainer }) => ({
      addEphemeralContainer: async (pod, uid, spec, options, aborted) => {
        const answer = await addEphemeralContainer(pod, uid, spec, options, aborted)
        if (options.dryRun) return answer
        // Longer than it is tried.
        clock.aheadMs += 3 * minute
        throw new ClusterUnavailable('the answer was lost')
      },
    }))(deps),
  }))
  expect(await tell()).toMatchObject({ outcome: 'complete', containers: [{ name: `${id}-1`, proven: true }] })
  expect(await containers()).toEqual([`${id}-1`])
})

test('the evidence of a step that runs again is the one that is stored', async () => {
  const { tell, deps } = await storyWorld({ harm: { paused: true } })
  const step = new MemoryStep(2)
  await tell({}, step)
  const stored = await deps.store.get(`diagnoses/${id}/evidence.json`)
  const { gathered } = (await new Response(stored?.body).json()) as { gathered: { at: number } }
  expect(step.saved.get('gather')).toMatchObject({ gathered: { at: gathered.at } })
})

describe('a pod', () => {
  const leaseKey = async (cluster: Cluster) => `pod:main/${(await cluster.getPod(demoPod, signal))?.metadata.uid}`

  test('is for one diagnosis at a time', async () => {
    const { tell, deps, cluster, containers } = await storyWorld()
    await deps.records.setValue(await leaseKey(cluster), { id: 'ad-other', until: wallClock.now() + minute })
    const told = await tell()
    expect(told).toMatchObject({ outcome: 'refused', refusal: { code: 'busy', message: expect.stringContaining('diagnosis "ad-other" is at work') } })
    expect(await containers()).toEqual([])
    expect(await deps.records.getValue(await leaseKey(cluster))).toMatchObject({ id: 'ad-other' })
  })

  test('is free again after the diagnosis, and where the other one never came back', async () => {
    const { tell, deps, cluster } = await storyWorld()
    await deps.records.setValue(await leaseKey(cluster), { id: 'ad-other', until: wallClock.now() - 1 })
    expect(await tell()).toMatchObject({ outcome: 'complete' })
    expect(await deps.records.getValue(await leaseKey(cluster))).toBeUndefined()
  })

  test('is taken over from a cancelled diagnosis once its container has ended, and not before', async () => {
    const { tell, deps, cluster } = await storyWorld()
    const first = await tell()
    const uid = first.pod?.uid ?? ''
    const lease = { id, until: wallClock.now() + minute }
    await deps.records.setValue(await leaseKey(cluster), lease)
    const pod = (await cluster.getPod(demoPod, signal)) as RawPod
    const running = { ...pod, status: { ephemeralContainerStatuses: [{ name: `${id}-1`, state: { running: {} } }] } }
    const busy = (now: RawPod) => busyNow('main', uid, async () => now, deps)
    expect(await busy(running)).toMatchObject({ code: 'busy' })
    expect(await busy(pod)).toBeUndefined()
    expect(await deps.records.getValue(await leaseKey(cluster))).toBeUndefined()
  })

  test('stays taken while a cancelled container runs in it', async () => {
    const { tell, deps, cluster } = await storyWorld()
    const cancel = new MemoryStep(1, (name) => (name === 'start-1' ? deps.records.requestCancel(id) : Promise.resolve()))
    const told = await tell({}, cancel)
    expect(told).toMatchObject({ outcome: 'cancelled' })
    const running = told.containers.some(({ exitCode }) => exitCode === undefined)
    expect((await deps.records.getValue(await leaseKey(cluster))) !== undefined).toBe(running)
  })
})

test('a report whose tracker is not configured any more is told as rejected', async () => {
  const { tell } = await storyWorld({ harm: { paused: true } }, () => ({ trackers: new Map() }))
  expect(await tell()).toMatchObject({ state: 'done', reported: { kind: 'rejected', message: expect.stringContaining('not configured any more') } })
})

test('where the target cannot be compared, that is a finding', async () => {
  let over = false
  const clock = jumping()
  const { tell } = await storyWorld({}, (deps) => ({
    clock,
    ...withCluster(({ getPod }) => ({
      getPod: async (...args) => {
        if (!over) return getPod(...args)
        clock.aheadMs += 3 * minute
        throw new ClusterUnavailable('away')
      },
    }))(deps),
  }))
  const step = new MemoryStep(1, async (name) => {
    over = name === 'compare'
  })
  expect((await tell({}, step)).findings).toContainEqual(expect.objectContaining({ id: expect.stringContaining('harm/unknown'), severity: 'warn' }))
})
