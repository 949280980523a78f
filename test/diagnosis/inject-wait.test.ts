import { describe, expect, test, vi } from 'vitest'
import { platform } from '#platform'
import { configSchema } from '../../src/config.ts'
import { isPaused, noteHarm, readSwitch, setPaused } from '../../src/diagnosis/inject/harm-switch.ts'
import { waitForEnd, waitForStart } from '../../src/diagnosis/inject/wait-for-container.ts'
import { ClusterUnavailable, type RawContainerState, type RawPod } from '../../src/ports/cluster/cluster.ts'
import { wallClock } from '../contract/wall-clock.ts'

const name = 'ad-0123456789abcdefghjk-1'
const ref = { namespace: 'shop', name: 'cart' }
const uid = 'f0f0f0f0-0000-4000-8000-000000000001'
const pod = (state?: RawContainerState, change: Partial<RawPod['status']> = {}, metadata: object = {}): RawPod => ({
  metadata: { ...ref, uid, ...metadata },
  spec: { containers: [], ephemeralContainers: [{ name }] },
  status: { phase: 'Running', ...(state ? { ephemeralContainerStatuses: [{ name, state }] } : {}), ...change },
})

/** A watch that tells these, then nothing until it is aborted; who reads the pod then gets the last of them, or `read`. */
function watching(pods: readonly (RawPod | undefined)[], failure?: Error, read: () => RawPod | undefined = () => pods.at(-1)) {
  const watch = { open: 0 }
  async function* watchPod(_: unknown, signal: AbortSignal): AsyncGenerator<RawPod | undefined> {
    watch.open += 1
    try {
      for (const one of pods) {
        yield one
        if (!one) return
      }
      if (failure) throw failure
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    } finally {
      watch.open -= 1
    }
  }
  const getPod = async () => read()
  return { watch, deps: { cluster: { watchPod, getPod }, clock: wallClock, cancelled: async () => false } }
}
const signal = new AbortController().signal
const soon = () => wallClock.now() + 50
const start = (pods: readonly (RawPod | undefined)[], until = wallClock.now() + 10_000) =>
  waitForStart(ref, uid, name, until, watching(pods).deps, signal)

const creating = pod({ waiting: { reason: 'ContainerCreating' } })
const pulling = pod({ waiting: { reason: 'ErrImagePull', message: 'no such image' } })
const running = pod({ running: { startedAt: '2026-01-02T03:04:05Z' } })
const ended = pod({ terminated: { exitCode: 0 } })

describe('waitForStart', () => {
  test('returns as soon as the container runs or has ended', async () => {
    expect(await start([pod(), creating, running])).toEqual({ kind: 'started' })
    expect(await start([ended])).toEqual({ kind: 'started' })
  })

  test('names the last waiting reason at the deadline', async () => {
    expect(await start([creating, pulling], soon())).toEqual({
      kind: 'not-started',
      message: 'the container did not start in time, ErrImagePull: no such image',
    })
    expect(await start([creating], soon())).toMatchObject({ message: 'the container did not start in time, ContainerCreating' })
    expect(await start([pod()], soon())).toMatchObject({ message: 'the container did not start in time, the kubelet has not seen it' })
  })

  test('names the reason that has a message, though the kubelet tries again', async () => {
    expect(await start([creating, pulling, creating], soon())).toMatchObject({
      message: 'the container did not start in time, ErrImagePull: no such image',
    })
  })

  test('gets over a pull that fails and then succeeds', async () => {
    expect(await start([pulling, creating, running])).toEqual({ kind: 'started' })
  })

  test.each([
    ['is deleted', undefined],
    ['is replaced by another of its name', pod({ running: {} }, {}, { uid: 'another' })],
    ['finishes', pod(undefined, { phase: 'Succeeded' })],
    ['fails', pod({ waiting: { reason: 'ContainerCreating' } }, { phase: 'Failed' })],
  ])('does not wait for a pod that %s', async (_, then) => {
    expect(await start([creating, then])).toMatchObject({ kind: 'gone' })
  })

  test('tells what is true at the deadline, though the watch had told nothing since the API server was away', async () => {
    const { deps } = watching([creating], undefined, () => running)
    expect(await waitForStart(ref, uid, name, soon(), deps, signal)).toEqual({ kind: 'started' })
  })

  test('reads the pod though the deadline passed while the service was away', async () => {
    const { deps, watch } = watching([ended])
    expect(await waitForStart(ref, uid, name, wallClock.now() - 60_000, deps, signal)).toEqual({ kind: 'started' })
    expect(watch.open).toBe(0)
  })

  test('does not call a container late that nobody could ask about', async () => {
    const { deps } = watching([creating], undefined, () => {
      throw new ClusterUnavailable('refused')
    })
    await expect(waitForStart(ref, uid, name, soon(), deps, signal)).rejects.toThrow(ClusterUnavailable)
  })

  test('says that the container was not added, where the answer to that was lost', async () => {
    const without = { ...pod(), spec: { containers: [] } }
    expect(await start([without], soon())).toMatchObject({ kind: 'not-started', message: expect.stringContaining('it is not in the pod') })
  })

  test('ends when the diagnosis is cancelled, whatever it waits for', async () => {
    const { deps, watch } = watching([creating])
    let asked = 0
    const cancelled = async () => {
      asked += 1
      if (asked === 1) throw new Error('The database is locked')
      return true
    }
    const began = wallClock.now()
    expect(await waitForStart(ref, uid, name, began + 60_000, { ...deps, cancelled }, signal)).toEqual({ kind: 'cancelled' })
    expect(wallClock.now() - began).toBeLessThan(10_000)
    await vi.waitFor(() => expect(watch.open).toBe(0))
  })

  test('leaves no watch open, however it ends', async () => {
    for (const pods of [[running], [undefined], [creating]]) {
      const { deps, watch } = watching(pods)
      await waitForStart(ref, uid, name, soon(), deps, signal)
      expect(watch.open).toBe(0)
    }
    const { deps, watch } = watching([creating], new ClusterUnavailable('refused'))
    await expect(waitForStart(ref, uid, name, wallClock.now() + 10_000, deps, signal)).rejects.toThrow(ClusterUnavailable)
    expect(watch.open).toBe(0)
  })
})

describe('waitForEnd', () => {
  const end = (pods: readonly (RawPod | undefined)[], until = wallClock.now() + 10_000) =>
    waitForEnd(ref, uid, name, until, watching(pods).deps, signal)

  test('gives the status with the exit code, or what there was', async () => {
    expect(await end([running, ended])).toMatchObject({ state: { terminated: { exitCode: 0 } } })
    expect(await end([running], soon())).toMatchObject({ state: { running: {} } })
    expect(await end([running, undefined])).toMatchObject({ state: { running: {} } })
    expect(await end([undefined])).toBeUndefined()
  })
})

describe('the harm switch', () => {
  const place = async (harm: { paused?: boolean; pauseAfter?: number } = {}) => {
    const records = await platform.openRecords(wallClock)
    const input = { publicUrl: 'https://d.example', clusters: { main: { inCluster: true } }, store: { kind: 'files', directory: 'x' }, harm } as const
    return { records, clock: wallClock, config: configSchema.parse(input) }
  }

  test('pauses by itself after two harmed targets, each counted once', async () => {
    const deps = await place()
    for (const id of ['one', 'one', 'one']) await noteHarm(id, deps)
    expect(await isPaused(deps)).toBe(false)
    expect(await noteHarm('two', deps)).toMatchObject({ paused: true, harmed: ['one', 'two'] })
    expect(await isPaused(deps)).toBe(true)
  })

  test('counts all of two that are noted at once', async () => {
    const deps = await place()
    await Promise.all([noteHarm('one', deps), noteHarm('two', deps)])
    expect(await isPaused(deps)).toBe(true)
  })

  test('counts from nothing once an operator resumes, and says who did', async () => {
    const deps = await place({ pauseAfter: 1 })
    await noteHarm('one', deps)
    expect(await setPaused(false, 'olga', deps)).toMatchObject({ paused: false, by: 'olga', harmed: [] })
    expect(await isPaused(deps)).toBe(false)
    await noteHarm('two', deps)
    expect(await readSwitch(deps)).toMatchObject({ paused: true, harmed: ['two'] })
    expect(await readSwitch(deps)).not.toHaveProperty('by')
  })

  test('is on while the configuration says so, whatever an operator says', async () => {
    const deps = await place({ paused: true })
    await setPaused(false, 'olga', deps)
    expect(await isPaused(deps)).toBe(true)
  })
})
