import { describe, expect, test } from 'vitest'
import { states } from '../../src/diagnosis/diagnosis.ts'
import { type RecordsFixture, requestOf } from './records.ts'

/** What the records tell about runs: which may begin, which have none, which stand still. */
export function recordsRunsContract(fixture: () => Pick<RecordsFixture, 'records' | 'setTime'>): void {
  const id = (n: number) => requestOf(n).id
  const accept = async (...numbers: number[]) => {
    for (const n of numbers) await fixture().records.accept(requestOf(n))
  }

  describe('begin()', () => {
    test('lets as many gather as there is room for', async () => {
      const { records, setTime } = fixture()
      await accept(1, 2, 3)
      setTime(1_700_000_009_000)
      expect(await records.begin(id(1), 2)).toBe(true)
      expect(await records.get(id(1))).toMatchObject({ state: 'gathering', updatedAt: '2023-11-14T22:13:29.000Z' })
      expect(await records.begin(id(2), 2)).toBe(true)
      expect(await records.begin(id(3), 2)).toBe(false)
      expect(await records.get(id(3))).toMatchObject({ state: 'accepted', updatedAt: '2023-11-14T22:13:20.000Z' })
      expect(await records.begin(id(3), 3)).toBe(true)
      expect(await records.begin('ad-none', 9)).toBe(false)
    })

    test.each(states.slice(1))('is true for what is %s already, and leaves it as it is', async (state) => {
      const { records, setTime } = fixture()
      await accept(1)
      const before = await records.update(id(1), { state })
      setTime(1_700_000_009_000)
      expect(await records.begin(id(1), 0)).toBe(true)
      expect(await records.get(id(1))).toStrictEqual(before)
    })

    test.each(states)('counts what is between gathering and sealing: another is %s', async (state) => {
      const { records } = fixture()
      await accept(1, 2)
      await records.update(id(1), { state })
      const counts = ['gathering', 'injecting', 'listening', 'sealing'].includes(state)
      expect(await records.begin(id(2), 1)).toBe(!counts)
    })

    test('lets no more in when many ask at once', async () => {
      const { records } = fixture()
      const numbers = Array.from({ length: 20 }, (_, n) => n)
      await accept(...numbers)
      const began = await Promise.all(numbers.map((n) => records.begin(id(n), 7)))
      expect(began.filter(Boolean)).toHaveLength(7)
    })
  })

  test('unstarted() names those without a run that are not done, oldest first', async () => {
    const { records } = fixture()
    await accept(3, 1, 2, 4)
    await records.markStarted(id(2))
    await records.markStarted(id(2))
    await records.update(id(4), { state: 'done', outcome: 'refused' })
    expect(await records.unstarted(10)).toEqual([id(1), id(3)])
    expect(await records.unstarted(1)).toEqual([id(1)])
  })

  test('idle() names those with a run that are not done and were not updated since, those at work first, the longest idle before the others', async () => {
    const { records, setTime } = fixture()
    await accept(1, 2, 3, 4, 5, 6)
    for (const n of [1, 2, 3, 4, 6]) await records.markStarted(id(n))
    await records.update(id(6), { state: 'done', outcome: 'complete' })
    for (const [n, ms] of [
      [2, 1000],
      [1, 2000],
      [4, 3000],
    ] as const) {
      setTime(1_700_000_000_000 + ms)
      await records.update(id(n), { state: 'listening' })
    }
    expect(await records.idle('2023-11-14T22:13:23.000Z', 10)).toEqual([id(2), id(1), id(3)])
    expect(await records.idle('2023-11-14T22:13:23.001Z', 10)).toEqual([id(2), id(1), id(4), id(3)])
    expect(await records.idle('2023-11-14T22:13:23.000Z', 2)).toEqual([id(2), id(1)])
    expect(await records.idle('2023-11-14T22:13:20.000Z', 10)).toEqual([])
  })

  test('countActive() counts what is not done', async () => {
    const { records } = fixture()
    expect(await records.countActive()).toBe(0)
    await accept(1, 2, 3)
    await records.update(id(1), { state: 'done', outcome: 'complete' })
    await records.update(id(2), { state: 'sharing' })
    expect(await records.countActive()).toBe(2)
  })
}
