import { describe, expect, test } from 'vitest'
import type { NewTelling } from '../../src/ports/records/intake.ts'
import type { Note } from '../../src/ports/tracker/tracker.ts'
import { at, type IntakeFixture, start } from './records-values.ts'

const note: Note = { marker: 'm-1', at: at(0), headline: '“Ünïcode” \u0000 and \' "', findings: [], facts: [['Pod', 'apples-1']], links: [] }
const telling = (n: number, more: Partial<NewTelling> = {}): NewTelling => ({
  id: `t-${n}`,
  kind: 'resolved',
  trouble: 'tr-1',
  dueAt: at(0),
  ...more,
})

/** What reports are to be told: put down, tried again, ended. */
export function recordsTellingsContract(fixture: IntakeFixture): void {
  const due = (seconds = 1000, limit = 100) => fixture().records.dueTellings(at(seconds), limit)
  const dueIds = async (...given: Parameters<typeof due>) => (await due(...given)).map(({ id }) => id)

  describe('tell()', () => {
    test.each<NewTelling>([
      telling(1),
      telling(1, { kind: 'more', report: 'redmine:12' }),
      { id: 't-1', kind: 'reply', report: 'github:a/b#1', note, dueAt: at(5) },
    ])('puts down %j', async (given) => {
      await fixture().records.tell(given)
      expect(await due()).toStrictEqual([{ ...given, attempts: 0, version: 1, createdAt: at(0) }])
    })

    test('has what was put off wait, whatever is new in it', async () => {
      const { records, setTime } = fixture()
      await records.tell(telling(1))
      await records.delayTelling('t-1', 1, at(60), 'The tracker is away')
      setTime(start + 5000)
      await records.tell(telling(1, { dueAt: at(9), report: 'redmine:12' }))
      expect(await due()).toStrictEqual([{ ...telling(1, { dueAt: at(60), report: 'redmine:12' }), attempts: 1, version: 2, createdAt: at(0) }])
    })

    test.each(['told', 'given-up'] as const)('puts down anew what was %s', async (state) => {
      const { records } = fixture()
      await records.tell(telling(1))
      await records.endTelling('t-1', 1, { state, message: 'x' })
      expect(await due()).toEqual([])
      await records.tell(telling(1))
      expect(await due()).toMatchObject([{ id: 't-1', version: 2, attempts: 0 }])
    })

    test('of many at once counts each, and makes one', async () => {
      await Promise.all(Array.from({ length: 20 }, () => fixture().records.tell(telling(1))))
      const [made, ...others] = await due()
      expect(made?.version).toBeGreaterThanOrEqual(20)
      expect(others).toEqual([])
    })
  })

  test('dueTellings() names what is due, the longest due first', async () => {
    const { records } = fixture()
    for (const [n, seconds] of [
      [1, 9],
      [3, 0],
      [2, 0],
      [4, 5],
    ] as const) {
      await records.tell(telling(n, { dueAt: at(seconds) }))
    }
    await records.tell(telling(5))
    await records.endTelling('t-5', 1, { state: 'told' })
    expect(await dueIds(-1)).toEqual([])
    expect(await dueIds(5)).toEqual(['t-2', 't-3', 't-4'])
    expect(await dueIds(9, 3)).toEqual(['t-2', 't-3', 't-4'])
    expect(await dueIds(9)).toEqual(['t-2', 't-3', 't-4', 't-1'])
  })

  describe('delayTelling()', () => {
    test('puts off and counts attempts', async () => {
      const { records } = fixture()
      await records.tell(telling(1, { note }))
      await records.delayTelling('t-1', 1, at(5), 'The tracker is away')
      expect(await due(4)).toEqual([])
      expect(await due(5)).toStrictEqual([{ ...telling(1, { note }), dueAt: at(5), attempts: 1, version: 1, createdAt: at(0) }])
      await records.delayTelling('t-1', 1, at(10), 'The tracker is away')
      expect(await due(10)).toMatchObject([{ attempts: 2, version: 1 }])
    })

    test('does nothing to what was put down again, or ended', async () => {
      const { records } = fixture()
      await records.tell(telling(1))
      await records.tell(telling(1))
      await records.delayTelling('t-1', 1, at(5), 'x')
      expect(await due(0)).toMatchObject([{ attempts: 0, version: 2 }])
      await records.endTelling('t-1', 2, { state: 'told' })
      await records.delayTelling('t-1', 2, at(5), 'x')
      expect(await due()).toEqual([])
    })
  })

  describe('endTelling()', () => {
    test('leaves what was put down again since', async () => {
      const { records } = fixture()
      await records.tell(telling(1))
      await records.tell(telling(1))
      await records.endTelling('t-1', 1, { state: 'told' })
      expect(await due()).toMatchObject([{ version: 2 }])
      await records.endTelling('t-1', 2, { state: 'told' })
      await records.endTelling('t-none', 1, { state: 'told' })
      expect(await due()).toEqual([])
    })
  })
}
