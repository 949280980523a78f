import { describe, expect, test } from 'vitest'
import { onceBegun } from '../../src/diagnosis/gather/begun.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'

const began = Date.parse('2026-11-27T10:00:00Z')
const creating = { waiting: { reason: 'ContainerCreating' } }
const running = { running: { startedAt: '2026-11-27T10:00:01Z' } }

function pod(state: object, status: object = {}, uid = 'a'): RawPod {
  return {
    metadata: { name: 'shop', namespace: 'market', uid },
    spec: { nodeName: 'lab', containers: [{ name: 'shop', image: 'shop:1' }] },
    status: { startTime: '2026-11-27T10:00:00Z', containerStatuses: [{ name: 'shop', restartCount: 0, ready: false, state }], ...status },
  } as unknown as RawPod
}

/** What is told of the first, of a pod that is `later` from the third look on; and how long that took. */
async function once(first: RawPod, later: RawPod | undefined, age = 2000): Promise<{ readonly state: unknown; readonly ms: number }> {
  let [now, looks] = [began + age, 0]
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms
    },
  }
  const cluster = { getPod: async () => (++looks < 3 ? first : later) }
  const { status } = await onceBegun(first, undefined, { cluster, clock }, new AbortController().signal)
  return { state: status.containerStatuses?.[0]?.state, ms: now - began - age }
}

describe('a pod in the second of its start', () => {
  test('is read again until its target runs', async () => {
    expect(await once(pod(creating), pod(running))).toEqual({ state: running, ms: 750 })
  })

  test('is waited for no longer than three seconds', async () => {
    expect(await once(pod(creating), pod(creating))).toEqual({ state: creating, ms: 3000 })
  })

  test.each<[string, RawPod, number?]>([
    ['runs', pod(running)],
    ['is created for long', pod(creating), 20_000],
    ['waits for its image', pod({ waiting: { reason: 'ImagePullBackOff' } })],
    ['waits for an init container', pod(creating, { initContainerStatuses: [{ name: 'after', state: { waiting: { reason: 'PodInitializing' } } }] })],
    ['was started before', pod(creating, { containerStatuses: [{ name: 'shop', restartCount: 1, state: creating }] })],
  ])('is not waited for where it %s', async (_, one, age) => {
    expect((await once(one, pod(running), age)).ms).toBe(0)
  })

  test.each([
    ['goes', undefined],
    ['is replaced', pod(running, {}, 'b')],
  ])('is told as it was where it %s meanwhile', async (_, later) => {
    expect(await once(pod(creating), later)).toMatchObject({ state: creating })
  })
})
