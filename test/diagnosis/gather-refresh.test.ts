import { describe, expect, test } from 'vitest'
import { refresh } from '../../src/diagnosis/gather/refresh.ts'
import type { Raw, RawPod } from '../../src/ports/cluster/cluster.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { captured, changed, gatherOf } from './gather-world.ts'

describe('refresh', () => {
  const signal = new AbortController().signal
  const healthy = captured('healthy-web')
  const [status] = healthy.pod.status.containerStatuses ?? []
  const stateOf = (state: Raw, restartCount = 0, lastState: Raw = {}): RawPod =>
    changed(healthy, { status: { containerStatuses: [{ ...status, restartCount, state, lastState }] } }).pod
  const again = async (now: RawPod | undefined, ownContainers = 0) => {
    const { gathered } = await gatherOf(healthy)
    const cluster = { getPod: async () => now, podMetrics: async () => healthy.metrics ?? undefined }
    return { before: gathered, now: await refresh(gathered, ownContainers, { cluster, clock: wallClock }, signal) }
  }
  const killed = stateOf({ running: { startedAt: '2026-11-23T23:10:00Z' } }, 1, {
    terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: '2026-11-23T23:09:59Z' },
  })

  test('sees that the target has stopped, and forgets its process', async () => {
    const { before, now } = await again(stateOf({ waiting: { reason: 'CrashLoopBackOff' } }))
    expect([before.targetRunning, now.targetRunning]).toEqual([true, false])
    expect(before.targetId).toBeDefined()
    expect(now).not.toHaveProperty('targetId')
    expect(now.refusal).toBeUndefined()
  })

  test('says why what is left of the memory is not known', async () => {
    const { gathered } = await gatherOf(captured('memory-near-limit'))
    const cluster = {
      getPod: async () => captured('memory-near-limit').pod,
      podMetrics: () => Promise.reject(new Error('Cannot read metrics: no right')),
    }
    const { headroom } = await refresh(gathered, 0, { cluster, clock: wallClock }, signal)
    expect(headroom).toEqual({ kind: 'unknown', why: 'Cannot read metrics: no right' })
  })

  test('counts the containers that are there now', async () => {
    const pod = changed(healthy, { spec: { ephemeralContainers: [{ name: 'one' }, { name: 'two' }] } }).pod
    expect((await again(pod)).now.ephemeralCount).toBe(2)
  })

  test.each([
    ['is gone', undefined, 'pod-deleted'],
    ['was replaced', changed(healthy, { metadata: { uid: 'another' } }).pod, 'pod-replaced'],
    ['is being deleted', changed(healthy, { metadata: { deletionTimestamp: '2026-11-23T23:10:00Z' } }).pod, 'pod-deleted'],
    ['has finished', changed(healthy, { status: { phase: 'Succeeded' } }).pod, 'pod-finished'],
  ])('refuses a pod that %s', async (_, pod, code) => {
    expect((await again(pod)).now.refusal).toMatchObject({ code })
  })

  test('refuses a second container where the target was harmed since the first, and compares with what was before', async () => {
    const { before, now } = await again(killed, 1)
    expect(now).toMatchObject({ refusal: { code: 'harmed' }, restarts: before.restarts })
    // Before any container of ours it is not our doing.
    expect((await again(killed)).now.refusal).toBeUndefined()
  })
})
