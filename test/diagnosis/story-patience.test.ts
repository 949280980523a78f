import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/deps.ts'
import { patiently } from '../../src/patience.ts'
import { ClusterForbidden, ClusterUnavailable } from '../../src/ports/cluster/cluster.ts'
import { RecordsUnavailable } from '../../src/ports/records/records.ts'
import { StoreUnavailable } from '../../src/ports/store/store.ts'

/** Time passes only while somebody sleeps. */
function place() {
  const slept: number[] = []
  const logged: string[] = []
  let now = 1_000_000
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms)
      now += ms
    },
  }
  const stop = new AbortController()
  return { slept, logged, stop, deps: { clock, log: (level: string) => void logged.push(level), stopping: stop.signal } }
}

/** Fails with these in turn, then succeeds. */
const failing = (errors: readonly Error[]) => {
  const calls = { count: 0 }
  return {
    calls,
    effect: async () => {
      const error = errors[calls.count++]
      if (error) throw error
      return 'done'
    },
  }
}
const many = (error: Error) => Array.from({ length: 10_000 }, () => error)
const giveUp = (message: string) => message

describe('patiently', () => {
  test('aborts an effect when the service stops, and leaves it to be run again', async () => {
    const { deps, stop, logged } = place()
    const aborted = new Error('aborted')
    const effect = (signal: AbortSignal) =>
      new Promise<string>((_, reject) => {
        signal.addEventListener('abort', () => reject(aborted))
        stop.abort()
      })
    await expect(patiently('do it', effect, giveUp, { ms: 60_000 }, deps)).rejects.toBe(aborted)
    expect(logged).toEqual([])
  })

  test('tries what may pass until it passes, ever slower and at most every 5 s', async () => {
    const { deps, slept, logged } = place()
    const { effect } = failing([
      ...Array.from({ length: 7 }, () => new ClusterUnavailable('refused')),
      new StoreUnavailable('slow down'),
      new RecordsUnavailable('overloaded'),
    ])
    expect(await patiently('x', effect, giveUp, { ms: 60_000 }, deps)).toBe('done')
    expect(slept).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000])
    expect(new Set(logged)).toEqual(new Set(['warn']))
  })

  test('gives up when its patience ends, and says what it could not do', async () => {
    const { deps, slept, logged } = place()
    expect(await patiently('watch the start', failing(many(new ClusterUnavailable('refused'))).effect, giveUp, { ms: 10_000 }, deps)).toBe(
      'Cannot watch the start: refused',
    )
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(10_000)
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(10_500)
    expect(logged.at(-1)).toBe('error')
  })

  test('leaves what outlasts it to the engine, if wanted', async () => {
    for (const wanted of [true, false]) {
      const run = patiently('x', failing(many(new StoreUnavailable('down'))).effect, giveUp, { ms: 1000, rethrow: () => wanted }, place().deps)
      if (wanted) await expect(run).rejects.toThrow(StoreUnavailable)
      else expect(await run).toBe('Cannot x: down')
    }
  })

  test('does not ask again for a right that it lacks', async () => {
    const { deps, slept } = place()
    const { effect, calls } = failing(many(new ClusterForbidden('may not get pods')))
    expect(await patiently('gather', effect, giveUp, { ms: 60_000, rethrow: () => true }, deps)).toBe('Cannot gather: may not get pods')
    expect([calls.count, slept]).toEqual([1, []])
  })

  test('tries a bug three times, and never leaves it to the engine', async () => {
    const { effect, calls } = failing(many(new TypeError('x is not a function')))
    expect(await patiently('gather', effect, giveUp, { ms: 60_000, rethrow: () => true }, place().deps)).toBe('Cannot gather: x is not a function')
    expect(calls.count).toBe(3)
    expect(await patiently('gather', failing([new TypeError('once')]).effect, giveUp, { ms: 0 }, place().deps)).toBe('done')
  })

  test('waits for what giving up does', async () => {
    let told = ''
    const tell = async (message: string) => {
      await Promise.resolve()
      told = message
      return 'told'
    }
    expect(await patiently('seal', failing(many(new Error('bug'))).effect, tell, { ms: 1000 }, place().deps)).toBe('told')
    expect(told).toBe('Cannot seal: bug')
  })

  test('aborts what an attempt left behind', async () => {
    const signals: AbortSignal[] = []
    await patiently(
      'x',
      async (signal) => {
        signals.push(signal)
        if (signals.length < 3) throw new ClusterUnavailable('refused')
      },
      () => undefined,
      { ms: 10_000 },
      place().deps,
    )
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
  })
})
