import { afterEach, describe, expect, test, vi } from 'vitest'
import { paced } from '../../src/ports/tracker/paced.ts'

const now = Date.parse('2026-11-27T12:00:00Z')

describe('paced', () => {
  afterEach(() => vi.useRealTimers())

  test('gives turns apart, and none that is more than 10 s away', async () => {
    vi.useFakeTimers({ now })
    const turn = paced({ now: Date.now }, 1000)
    const turns: number[] = []
    const refused: unknown[] = []
    const all = Array.from({ length: 13 }, () =>
      turn('Cannot write', new AbortController().signal).then(
        () => turns.push((Date.now() - now) / 1000),
        (error) => refused.push(error),
      ),
    )
    await vi.runAllTimersAsync()
    await Promise.all(all)
    expect(turns).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(refused).toEqual(Array.from({ length: 2 }, () => expect.objectContaining({ name: 'TrackerUnavailable', retryAfterMs: 11_000 })))
  })

  test('waits no longer than the signal allows', async () => {
    const turn = paced({ now: () => now }, 9000)
    const abort = new AbortController()
    await turn('Cannot write', abort.signal)
    const waiting = turn('Cannot write', abort.signal)
    const reason = new Error('shutting down')
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
  })
})
