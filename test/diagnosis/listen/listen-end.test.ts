import { describe, expect, test } from 'vitest'
import { start } from '../../../src/diagnosis/cursor.ts'
import { listenTurn, type TurnDeps } from '../../../src/diagnosis/listen/turn.ts'
import { ClusterUnavailable, type LogAnswer, type RawPod } from '../../../src/ports/cluster/cluster.ts'
import { encode, listenToEnd, numbered, stored, type World, world } from './world.ts'

type ClusterPart = TurnDeps['cluster']

/** The same world, with parts of its cluster replaced. */
function withCluster(there: World, cluster: Partial<ClusterPart>): World {
  const { openLog, getPod } = there.kubelet
  return { ...there, deps: { ...there.deps, cluster: { openLog, getPod, ...cluster } } }
}

async function runningPod(there: World): Promise<RawPod> {
  const pod = await there.kubelet.getPod()
  return { ...pod, status: {} }
}

/** The headers of a silent log do not come before its first byte, and nobody promises that an abort is heeded at once. */
const never = (): Promise<LogAnswer> => new Promise(() => undefined)
const signal = new AbortController().signal

describe('a turn that begins when the container is to be given up', () => {
  const lateWorld = (): World => {
    const there = world(numbered(300), { chunks: [100] })
    return { ...there, params: { ...there.params, giveUpAt: there.clock.ms - 180_000 } }
  }

  test('reads what was printed while nobody listened', async () => {
    const there = lateWorld()
    const cursor = await listenToEnd(there, 1500)
    expect(cursor).toMatchObject({ end: 'terminated', lines: 300, gaps: [] })
  })

  test('reads what a container that still runs printed until then, and says so', async () => {
    const there = lateWorld()
    const cursor = await listenToEnd(withCluster(there, { getPod: () => runningPod(there) }), 60_000)
    expect(cursor).toMatchObject({ end: 'late', lines: 300, gaps: ['the container did not end in time; what it printed later is missing'] })
  })

  test('says after a while why the log cannot be read', async () => {
    const there = lateWorld()
    const from = there.clock.ms
    const waiting = withCluster(there, { openLog: async () => ({ kind: 'wait', message: 'no such file' }) })
    const cursor = await listenToEnd(waiting, 60_000)
    expect(cursor).toMatchObject({ end: 'late', gaps: ['the log could not be read to its end in time: no such file'] })
    expect(there.clock.ms - from).toBeLessThan(40_000)
  })

  test('throws where the API server does not answer, for the caller to try again', async () => {
    const there = lateWorld()
    const away = withCluster(there, { openLog: () => Promise.reject(new ClusterUnavailable('connection refused')) })
    await expect(listenTurn({ ...there.params, cursor: start }, away.deps, signal)).rejects.toThrow('connection refused')
    expect((await stored(there.store)).segments).toBe(0)
  })
})

describe('a log that does not open', () => {
  test('leaves the turn in time', async () => {
    const there = world([])
    const opening = withCluster(there, { openLog: never, getPod: () => runningPod(there) })
    const cursor = await listenTurn({ ...there.params, turnEndsAt: there.clock.ms + 25_000 }, opening.deps, signal)
    expect(cursor).toEqual(start)
  })

  test('is left within a second when somebody cancels, its request aborted', async () => {
    const there = world([])
    const from = there.clock.ms
    const aborted: boolean[] = []
    const opening = withCluster(there, {
      openLog: (_pod, _container, _options, left) => {
        left.addEventListener('abort', () => aborted.push(true))
        return never()
      },
    })
    const cancelled = async (): Promise<boolean> => there.clock.ms > from
    const cursor = await listenTurn(there.params, { ...opening.deps, cancelled }, signal)
    expect(cursor.end).toBe('cancelled')
    expect(there.clock.ms - from).toBeLessThanOrEqual(1000)
    expect(aborted).toEqual([true])
  })
})

test('a container that ended behind a rotation without another line has ended, with a gap', async () => {
  const { end: _, ...read } = await listenToEnd(world(numbered(100)), 60_000)
  const there = world(numbered(100))
  const from = there.clock.ms
  there.kubelet.rotated = 100
  const cursor = await listenTurn({ ...there.params, cursor: read }, there.deps, signal)
  expect(cursor).toMatchObject({
    end: 'terminated',
    gaps: ['the log no longer has the last line that was read: lines behind it may be missing'],
  })
  expect(there.clock.ms - from).toBeLessThan(2000)
})

describe('a log that is opened again', () => {
  const bodyOf = (text: string): LogAnswer => ({ kind: 'open', body: new Blob([text]).stream() })

  test('may begin with the rest of a line without a timestamp', async () => {
    const there = world([])
    const [one, two] = ['2026-01-02T03:04:05.1Z one\n', '2026-01-02T03:04:06.1Z two\n']
    const answers = [one, `rest of a line\n${one}${two}`]
    const openLog = async (): Promise<LogAnswer> => bodyOf(answers.length > 1 ? (answers.shift() as string) : (answers[0] as string))
    const cursor = await listenToEnd(withCluster(there, { openLog }), 60_000)
    expect(cursor).toMatchObject({ end: 'terminated', lines: 2, gaps: [] })
    expect((await stored(there.store)).text).toBe('one\ntwo\n')
  })

  test('is waited for at ease where the redactor waits for the next line', async () => {
    const there = world([])
    const named = encode('2026-01-02T03:04:05.1Z - name: DB_PASSWORD\n')
    const silent = (): ReadableStream<Uint8Array> => new ReadableStream({ start: (controller) => controller.enqueue(named) })
    const openLog = async (): Promise<LogAnswer> => ({ kind: 'open', body: silent() })
    let looks = 0
    // Time passes by itself, too, so that even a loop that never waits has an end.
    const now = (): number => (++looks % 100 === 0 ? ++there.clock.ms : there.clock.ms)
    const { deps, params } = withCluster(there, { openLog, getPod: () => runningPod(there) })
    const cursor = await listenTurn({ ...params, turnEndsAt: there.clock.ms + 9000 }, { ...deps, clock: { ...there.clock, now } }, signal)
    expect(cursor).toEqual(start)
    expect(looks).toBeLessThan(500)
  })

  test('whose timestamps go back by an hour, for a clock was set, is read on', async () => {
    const lines = ['04:04:05.1Z before', '03:04:06.1Z behind', '03:04:05.9Z two writers', '03:04:06.2Z later'].map((line) => `2026-01-02T${line}\n`)
    const there = world([])
    let served = 1
    const openLog = async (): Promise<LogAnswer> => bodyOf(lines.slice(0, served++).join(''))
    const cursor = await listenToEnd(withCluster(there, { openLog }), 60_000, true)
    expect(cursor).toMatchObject({ end: 'terminated', lines: 4, gaps: [] })
    expect((await stored(there.store)).text).toBe('before\nbehind\ntwo writers\nlater\n')
  })

  test('after ten silent seconds goes on where it stalled', async () => {
    const there = world(numbered(50))
    let opened = 0
    const stalled = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) }, { highWaterMark: 0 })
    const openLog: ClusterPart['openLog'] = async (pod, container, options) =>
      opened++ === 0 ? { kind: 'open', body: stalled } : there.kubelet.openLog(pod, container, options)
    const from = there.clock.ms
    const cursor = await listenToEnd(withCluster(there, { openLog }), 60_000)
    expect(cursor).toMatchObject({ end: 'terminated', lines: 50, gaps: [] })
    expect(there.clock.ms - from).toBeGreaterThanOrEqual(10_000)
    expect(there.clock.ms - from).toBeLessThan(15_000)
  })
})
