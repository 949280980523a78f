import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { platform } from '#platform'
import { alone } from '../../../src/diagnosis/share/report-lease.ts'
import type { Records } from '../../../src/ports/records/records.ts'
import { TrackerRejected, TrackerUnavailable } from '../../../src/ports/tracker/tracker.ts'
import { wallClock } from '../../contract/wall-clock.ts'

describe('alone', () => {
  let records: Records
  let now = 0
  const take = <T>(holder: string, work: (inTime: AbortSignal) => Promise<T>) => alone('tr-1', holder, { records, clock: { now: () => now } }, work)
  const nothing = async () => 'done'
  const busy = expect.objectContaining({ name: 'TrackerUnavailable', message: '"ad-1" is looking for the report of trouble "tr-1"' })

  beforeEach(async () => {
    records = await platform.openRecords(wallClock)
    now = Date.parse('2026-11-27T12:00:00Z')
  })
  afterEach(() => vi.useRealTimers())

  test.each([
    ['another', 'ad-2'],
    ['the same one in another process', 'ad-1'],
  ])('keeps %s out while it is at work, and lets it in afterwards', async (_, other) => {
    const work = Promise.withResolvers<string>()
    const begun = Promise.withResolvers<void>()
    const first = take('ad-1', () => {
      begun.resolve()
      return work.promise
    })
    await begun.promise
    await expect(take(other, nothing)).rejects.toEqual(busy)
    work.resolve('first')
    expect(await first).toBe('first')
    expect(await take(other, nothing)).toBe('done')
  })

  test('lets the next one in at once after a rejection, and ten seconds after an answer that was lost', async () => {
    const failing = (error: Error) => take('ad-1', () => Promise.reject(error))
    await expect(failing(new TrackerRejected('no'))).rejects.toThrow('no')
    expect(await take('ad-2', nothing)).toBe('done')
    await expect(failing(new TrackerUnavailable('lost', 1000))).rejects.toThrow('lost')
    now += 9_999
    await expect(take('ad-2', nothing)).rejects.toEqual(busy)
    now += 1
    expect(await take('ad-2', nothing)).toBe('done')
  })

  test('waits two minutes for one that died', async () => {
    void take('ad-1', () => new Promise(() => {}))
    await expect.poll(() => records.getValue('report:tr-1')).toBeDefined()
    now += 119_999
    await expect(take('ad-1', nothing)).rejects.toEqual(busy)
    now += 1
    expect(await take('ad-1', nothing)).toBe('done')
  })

  test('takes nothing from whoever came after it', async () => {
    const late = Promise.withResolvers<string>()
    const first = take('ad-1', () => late.promise)
    await expect.poll(() => records.getValue('report:tr-1')).toBeDefined()
    now += 120_000
    const second = take('ad-2', async () => {
      late.resolve('late')
      await first
      await expect(take('ad-3', nothing)).rejects.toThrow('"ad-2" is looking')
      return 'second'
    })
    expect(await second).toBe('second')
  })

  test('ends the work well before the lease, to be tried again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const begun = Promise.withResolvers<void>()
    const slow = take('ad-1', (inTime) => {
      begun.resolve()
      return new Promise((_, reject) => inTime.addEventListener('abort', () => reject(inTime.reason)))
    })
    await begun.promise
    const ended = expect(slow).rejects.toMatchObject({ name: 'TrackerUnavailable', message: expect.stringContaining('longer than 90 s') })
    await vi.advanceTimersByTimeAsync(90_000)
    await ended
    expect(vi.getTimerCount()).toBe(0)
  })
})
