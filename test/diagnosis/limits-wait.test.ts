import { describe, expect, test } from 'vitest'
import { waitUntil } from '../../src/api/wait-until.ts'
import type { Clock } from '../../src/deps.ts'
import { start } from '../../src/diagnosis/cursor.ts'
import type { Diagnosis } from '../../src/diagnosis/diagnosis.ts'
import { readLog } from '../../src/diagnosis/listen/read-log.ts'
import { encodeSegment } from '../../src/diagnosis/segment.ts'
import type { Records } from '../../src/ports/records/records.ts'
import type { Store } from '../../src/ports/store/store.ts'

/** What one invocation of a Worker may ask of other services. */
const subrequests = 10_000
const minute = 60_000

/** Time passes only while somebody sleeps; every call is counted. */
function place(stateAt: (ms: number) => Pick<Diagnosis, 'state'> & Partial<Diagnosis>) {
  let now = 0
  const asked = { records: 0, store: 0 }
  const slept: number[] = []
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms)
      now += ms
    },
  }
  const records = {
    get: async () => {
      asked.records += 1
      return stateAt(now) as Diagnosis
    },
  } as unknown as Records
  return { clock, asked, slept, records, elapsed: () => now, stopping: new AbortController().signal }
}

describe('waitUntil', () => {
  const wait = (world: ReturnType<typeof place>, ms: number) =>
    waitUntil(({ state }) => state === 'done', 'ad-1', ms, world, new AbortController().signal)

  test('tells a diagnosis of 3 s at most 100 ms late', async () => {
    for (const doneAt of [1, 950, 2999, 3001, 4999]) {
      const world = place((ms) => ({ state: ms >= doneAt ? 'done' : 'listening' }))
      expect(await wait(world, minute)).toEqual({ state: 'done' })
      expect(world.elapsed() - doneAt).toBeLessThan(100)
    }
  })

  test('looks ever less often, down to once a second, and to the very end of its time', async () => {
    const world = place(() => ({ state: 'listening' }))
    expect(await wait(world, minute)).toEqual({ state: 'listening' })
    expect(world.elapsed()).toBe(minute)
    expect(world.asked.records).toBeLessThan(200)
    expect(Math.max(...world.slept)).toBe(1000)
  })
})

describe('readLog with follow', () => {
  /** The container writes a segment every second, as one that prints steadily does. */
  const followed = async (lastsMs: number) => {
    const world = place((ms) => ({ state: ms >= lastsMs ? 'done' : 'listening' }))
    const store = {
      async get(key: string) {
        world.asked.store += 1
        const segment = Number(key.slice(-6))
        if (segment * 1000 > Math.min(world.elapsed(), lastsMs)) return undefined
        const bytes = encodeSegment({ cursor: { ...start, segment } }, new TextEncoder().encode(`${segment}\n`))
        return { bytes: bytes.length, contentType: '', body: new Blob([bytes as Uint8Array<ArrayBuffer>]).stream() }
      },
    } as unknown as Store
    const log = readLog({ ...world, store }, { id: 'ad-1' }, { follow: true, signal: new AbortController().signal })
    return { text: await new Response(log).text(), ...world }
  }

  test('asks of a host less than it allows, however long the diagnosis', async () => {
    const half = await followed(30 * minute)
    expect(half.asked.records + half.asked.store).toBeLessThan(subrequests / 2)
    // Two containers of 30 minutes that started 10 minutes late each, and what is around them.
    const longest = await followed(82 * minute)
    expect(longest.asked.records + longest.asked.store).toBeLessThan(subrequests)
    expect(longest.text).toBe(Array.from({ length: 82 * 60 }, (_, n) => `${n + 1}\n`).join(''))
  })

  test('shows a line of the first 10 s at most 200 ms after it was stored', async () => {
    const { slept } = await followed(10_000)
    expect(Math.max(...slept)).toBe(200)
  })
})
