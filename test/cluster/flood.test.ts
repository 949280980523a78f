import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { concludeFrom } from '../../src/conclusion.ts'
import { type Cursor, start } from '../../src/diagnosis/cursor.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { segmentKey, segmentPrefix } from '../../src/diagnosis/segment.ts'
import { type S3StoreOptions, s3Store } from '../../src/ports/store/s3.ts'
import { MemoryStore } from '../diagnosis/listen/world.ts'
import { isLab, kubectl, labVariable, needsLab, useNamespace } from './environment.ts'
import { floodListener, type Listened, storedLines } from './flood-listener.ts'
import { rotatedFiles, startFlood, wrongLines } from './flood-pod.ts'
import { labComponent } from './lab-components.ts'

needsLab()
const namespace = useNamespace('flood')
const gap = 'the log was rotated while nobody could follow it: lines may be missing here'

/** Turn after turn, each from where `from` says that the last one left off. */
async function listenToEnd(listened: Listened, store: MemoryStore, from: (cursor: Cursor) => Cursor, turnMs?: number): Promise<Cursor> {
  const listen = floodListener(listened, store)
  let cursor = start
  while (!cursor.end) cursor = await listen(from(cursor), turnMs)
  return cursor
}

describe('a log that the kubelet rotates at 1 MiB', () => {
  beforeAll(async () => {
    if (isLab) await labComponent('restart', 'kubelet', { LAB_LOG_MAX_SIZE: '1Mi' })
  })
  afterAll(async () => {
    if (isLab) await labComponent('restart', 'kubelet')
  })

  test('followed live, has every one of 100,000 lines once and in order', async () => {
    const flood = { lines: 100_000, rate: 2000, width: 60 }
    const listened = await startFlood(namespace, 'followed', flood)
    const store = new MemoryStore()
    const cursor = await listenToEnd(listened, store, (last) => last)
    const lines = await storedLines(store, listened)
    expect(wrongLines(lines, flood)).toEqual([])
    expect(cursor).toMatchObject({ end: 'terminated', lines: flood.lines, gaps: [] })
    expect(lines).toHaveLength(flood.lines)
    expect((await rotatedFiles(listened)).length).toBeGreaterThanOrEqual(3)
  })

  test('with nobody there to follow, has a gap that is marked where it is and makes the outcome incomplete', async () => {
    const flood = { lines: 80_000, rate: 4000, width: 60 }
    const listened = await startFlood(namespace, 'missed', flood)
    const store = new MemoryStore()
    const listen = floodListener(listened, store)
    let cursor = start
    while (cursor.lines === 0) cursor = await listen(cursor, 1000)
    const before = await rotatedFiles(listened)
    const newer = async () => (await rotatedFiles(listened)).filter((file) => !before.includes(file))
    await vi.waitFor(async () => expect((await newer()).length).toBeGreaterThanOrEqual(2), { timeout: 20_000, interval: 100 })
    while (!cursor.end) cursor = await listen(cursor)

    expect(cursor).toMatchObject({ end: 'terminated', gaps: [gap] })
    const lines = await storedLines(store, listened)
    const at = lines.indexOf(`# autodiagnose gap: ${gap}`)
    const next = Number(lines[at + 1]?.slice(0, 10))
    expect(next).toBeGreaterThan(at + 1)
    expect(wrongLines(lines.slice(0, at), flood)).toEqual([])
    expect(wrongLines(lines.slice(at + 1), flood, next)).toEqual([])
    expect(next + lines.length - at - 2).toBe(flood.lines)
    expect(outcomeOf(cursor)).toEqual({ outcome: 'incomplete', explanation: gap })
  })
})

describe('a log below the size of rotation', () => {
  const flood = { lines: 100_000, rate: 1500, width: 20 }
  const options = (): S3StoreOptions & { prefix: string } => ({
    endpoint: labVariable('LAB_S3_ENDPOINT'),
    bucket: labVariable('LAB_S3_BUCKET'),
    prefix: `${namespace}/`,
    credentials: { accessKeyId: labVariable('LAB_S3_ACCESS_KEY'), secretAccessKey: labVariable('LAB_S3_SECRET_KEY') },
  })
  afterAll(async () => {
    if (!isLab) return
    await kubectl(['get', '--raw', '/readyz']).catch(() => labComponent('restart', 'apiserver'))
    const store = s3Store(options())
    for await (const { key } of store.list('')) await store.remove(key)
  })

  test('has every one of 100,000 lines once and in order, however often API server and listener are killed', async () => {
    const listened = await startFlood(namespace, 'killed', flood)
    const store = s3Store(options())
    const segments = async (): Promise<number> => {
      let count = 0
      for await (const _ of store.list(segmentPrefix(listened.id, listened.container))) count += 1
      return count
    }
    /** Listening goes on: more segments come, however many there were. */
    const grown = async (): Promise<void> => {
      const before = await segments()
      await vi.waitFor(async () => expect(await segments()).toBeGreaterThan(before + 1), { timeout: 40_000, interval: 100 })
    }
    for (let round = 1; round <= 4; round++) {
      const listener = startListener(listened, options())
      await grown()
      await labComponent('kill', 'apiserver')
      await labComponent('restart', 'apiserver')
      await grown()
      expect(await listener.kill()).toBe('SIGKILL')
    }
    const last = startListener(listened, options())
    expect(await last.ended).toEqual([0, null])

    const lines = await storedLines(store, listened)
    expect(wrongLines(lines, flood)).toEqual([])
    expect(lines).toHaveLength(flood.lines)
    expect(await rotatedFiles(listened)).toEqual([])
  })
})

describe('a log whose kubelet is restarted while it is followed', () => {
  const flood = { lines: 24_000, rate: 1500, width: 20 }
  const store = new MemoryStore()
  let listened: Listened

  test('has every line once, though every turn starts from the very beginning', async () => {
    listened = await startFlood(namespace, 'kubelet', flood)
    const listening = listenToEnd(listened, store, () => start, 400)
    await vi.waitFor(() => expect(store.objects.size).toBeGreaterThan(2), { timeout: 30_000, interval: 100 })
    await labComponent('restart', 'kubelet')
    const cursor = await listening
    expect(wrongLines(await storedLines(store, listened), flood)).toEqual([])
    expect(cursor).toMatchObject({ end: 'terminated', lines: flood.lines, gaps: [] })
  })

  test('is the same when a turn resumes between every two segments', async () => {
    const written = store.objects.size
    expect(written).toBeGreaterThan(8)
    const whole = await storedLines(store, listened)
    for (let n = 0; n <= written; n++) {
      const resumed = new MemoryStore()
      for (let k = 1; k <= n; k++) {
        const key = segmentKey(listened.id, listened.container, k)
        resumed.objects.set(key, store.objects.get(key) as Uint8Array)
      }
      const cursor = await listenToEnd(listened, resumed, () => start)
      expect(cursor).toMatchObject({ end: 'terminated', lines: flood.lines, gaps: [] })
      expect(await storedLines(resumed, listened)).toEqual(whole)
    }
  })
})

function startListener(listened: Listened, store: S3StoreOptions) {
  const script = fileURLToPath(new URL('./flood-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, JSON.stringify(listened), JSON.stringify(store)], { stdio: 'inherit' })
  const ended = once(child, 'exit')
  return {
    ended,
    async kill(): Promise<unknown> {
      child.kill('SIGKILL')
      return (await ended)[1]
    },
  }
}

/** What the story concludes from a container that was listened to like this, were everything else as good as it can be. */
function outcomeOf({ gaps, lines, bytes }: Cursor) {
  const { outcome, explanation } = concludeFrom({
    outcome: {
      kind: 'gathered',
      redactions: {},
      gathered: {
        at: 0,
        targetRunning: true,
        sharedProcesses: false,
        headroom: { kind: 'unlimited' },
        ephemeralCount: 0,
        restarts: { count: 0 },
        hints: [],
        findings: [],
      },
    },
    examined: [
      {
        container: { name: 'ad-1', profile: 'restricted', image: 'localhost/autodiagnose:1', exitCode: 0, lines, bytes, proven: true, gaps },
        end: 'proven',
        checks: [],
        findings: [],
        retryWithIds: false,
      },
    ],
    harm: [],

    now: 0,
    redactor: makeRedactor(),
  })
  return { outcome, explanation }
}
