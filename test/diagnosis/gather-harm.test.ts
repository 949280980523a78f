import { describe, expect, test } from 'vitest'
import { harmBetween } from '../../src/diagnosis/gather/harm-between.ts'
import { headroomOf, quantityBytes } from '../../src/diagnosis/gather/headroom.ts'
import { ClusterForbidden, type Raw, type RawPod } from '../../src/ports/cluster/cluster.ts'
import { captured, changed, gatherOf } from './gather-world.ts'

describe('headroomOf', () => {
  const at = '2026-11-23T23:00:00Z'
  const now = Date.parse(at)
  const limited = (name: string, memory?: string, more: Raw = {}) => ({ name, resources: { limits: memory ? { memory } : {} }, ...more })
  const pod = (containers: readonly Raw[], more: Raw = {}, statuses: readonly Raw[] = []) =>
    ({ spec: { containers, ...more }, status: { containerStatuses: statuses } }) as unknown as RawPod
  const using = (usage: Readonly<Record<string, string>>, timestamp = at): Raw => ({
    timestamp,
    containers: Object.entries(usage).map(([name, memory]) => ({ name, usage: { memory } })),
  })
  const mebi = 2 ** 20
  const known = (limit: number, used: number) => ({
    kind: 'known',
    limitBytes: limit * mebi,
    usedBytes: used * mebi,
    freeBytes: (limit - used) * mebi,
  })

  test.each([
    ['the sum of all containers', pod([limited('a', '64Mi'), limited('b', '32Mi')]), { a: '10Mi', b: '1024Ki' }, known(96, 11)],
    ['a container without a limit', pod([limited('a', '64Mi'), limited('b')]), { a: '10Mi' }, { kind: 'unlimited' }],
    ['no limits', pod([limited('a')]), {}, { kind: 'unlimited' }],
    ['a limit of zero', pod([limited('a', '0')]), {}, { kind: 'unlimited' }],
    [
      'a sidecar',
      pod([limited('a', '64Mi')], { initContainers: [limited('s', '16Mi', { restartPolicy: 'Always' })] }),
      { a: '1Mi', s: '2Mi' },
      known(80, 3),
    ],
    [
      'a sidecar without a limit',
      pod([limited('a', '64Mi')], { initContainers: [limited('s', undefined, { restartPolicy: 'Always' })] }),
      {},
      { kind: 'unlimited' },
    ],
    [
      'a larger init container',
      pod([limited('a', '64Mi')], { initContainers: [limited('s', '8Mi', { restartPolicy: 'Always' }), limited('i', '128Mi')] }),
      { a: '1Mi' },
      known(136, 1),
    ],
    ['an init container without a limit', pod([limited('a', '64Mi')], { initContainers: [limited('i')] }), {}, { kind: 'unlimited' }],
    ['the pod’s own limit', pod([limited('a')], { resources: { limits: { memory: '100Mi' } } }), { a: '40Mi' }, known(100, 40)],
    ['a limit that is being lowered', pod([limited('a', '32Mi')], {}, [limited('a', '64Mi')]), { a: '1Mi' }, known(32, 1)],
    ['a limit that is being raised', pod([limited('a', '64Mi')], {}, [limited('a', '32Mi')]), { a: '1Mi' }, known(32, 1)],
  ])('is known by %s', (_, of, usage, expected) => {
    expect(headroomOf(of, using(usage), now)).toEqual(expected)
  })

  test.each([
    ['no metrics', undefined, /no measurement/],
    ['old metrics', using({ a: '1Mi' }, '2026-11-23T22:50:00Z'), /600 s old/],
    ['a container that is not measured yet', using({}), /has not measured container a yet/],
  ])('is unknown by %s', (_, metrics, why) => {
    const of = pod([limited('a', '64Mi')], {}, [{ name: 'a', state: { running: {} } }])
    expect(headroomOf(of, metrics, now)).toEqual({ kind: 'unknown', why: expect.stringMatching(why) })
  })

  test('is unknown by what kept the metrics from being read', async () => {
    const podMetrics = async () => {
      throw new ClusterForbidden('Cannot read metrics of pod "x": User "y" cannot get resource "pods" in API group "metrics.k8s.io"')
    }
    const { gathered, file } = await gatherOf(captured('memory-near-limit'), { cluster: { podMetrics } })
    expect(gathered.headroom).toEqual({ kind: 'unknown', why: expect.stringContaining('cannot get resource "pods" in API group "metrics.k8s.io"') })
    expect(file('metrics-errors.json')).toContain('metrics.k8s.io')
  })

  test('of real pods', async () => {
    expect((await gatherOf(captured('memory-near-limit'))).gathered.headroom).toMatchObject({ kind: 'known' })
    expect((await gatherOf(captured('sidecar'))).gathered.headroom).toMatchObject({ kind: 'known' })
    expect((await gatherOf(captured('restricted'))).gathered.headroom).toEqual({ kind: 'unlimited' })
  })

  test('reads quantities in every form', () => {
    expect(['128974848', '129e6', '129M', '128974848000m', '123Mi', '1.5Gi', '.5Ki', '0'].map(quantityBytes)).toEqual([
      128_974_848,
      129e6,
      129e6,
      128_974_848,
      123 * mebi,
      1.5 * 1024 * mebi,
      512,
      0,
    ])
    for (const wrong of ['', 'Mi', '1Xi', '1 Mi', '1.2.3']) expect(() => quantityBytes(wrong)).toThrow(`Cannot read quantity "${wrong}"`)
  })
})

describe('harmBetween', () => {
  const running = { running: { startedAt: '2026-11-23T22:59:00Z' } }
  const ended = (reason: string, exitCode: number, finishedAt = '2026-11-23T22:58:59Z') => ({ terminated: { reason, exitCode, finishedAt } })
  const world = (restartCount: number, state: Raw, lastState: Raw = {}) => {
    const healthy = captured('healthy-web')
    const [status] = healthy.pod.status.containerStatuses ?? []
    return changed(healthy, { status: { containerStatuses: [{ ...status, restartCount, state, lastState }] } })
  }
  const between = async (before: ReturnType<typeof world>, after: ReturnType<typeof world>) => {
    const { findings, harmed } = harmBetween((await gatherOf(before)).gathered, after.pod)
    return [harmed, ...findings.map(({ severity, title }) => `${severity} ${title}`)]
  }

  test('sees no harm where nothing happened', async () => {
    expect(await between(world(0, running), world(0, running))).toEqual([false])
    expect(await between(world(3, running, ended('Error', 1)), world(3, running, ended('Error', 1)))).toEqual([false])
  })

  test('sees a target that was OOM-killed, whatever it did before', async () => {
    const title = 'error Container shop was OOM-killed while it was diagnosed (OOMKilled, exit code 137, restarts 0 before and 1 after)'
    expect(await between(world(0, running), world(1, running, ended('OOMKilled', 137)))).toEqual([true, title])
    const again = await between(world(1, running, ended('OOMKilled', 137, '2026-11-23T20:00:00Z')), world(2, running, ended('OOMKilled', 137)))
    expect(again[0]).toBe(true)
  })

  test('sees a target that ended as never before', async () => {
    const [harmed, told] = await between(world(0, running), world(1, running, ended('Error', 2)))
    expect([harmed, told]).toEqual([true, 'error Container shop ended while it was diagnosed (Error, exit code 2, restarts 0 before and 1 after)'])
    expect((await between(world(4, running, ended('Error', 1, 'x')), world(5, running, ended('Error', 137))))[0]).toBe(true)
    expect((await between(world(0, running), world(0, ended('Error', 1))))[0]).toBe(true)
  })

  test('tells one that ended in its usual way, or with success, and blames no one', async () => {
    const usual = await between(world(4, running, ended('Error', 1, '2026-11-23T20:00:00Z')), world(5, running, ended('Error', 1)))
    expect(usual).toEqual([false, expect.stringMatching(/^warn Container shop ended while it was diagnosed/)])
    expect((await between(world(0, running), world(0, ended('Completed', 0))))[0]).toBe(false)
  })

  test('says nothing of a target that did not run', async () => {
    const waiting = { waiting: { reason: 'CrashLoopBackOff' } }
    expect(await between(world(4, waiting, ended('Error', 1)), world(5, waiting, ended('OOMKilled', 137, 'later')))).toEqual([false])
  })
})
