import { beforeEach, describe, expect, test } from 'vitest'
import type { AlertFilter, NewAlert, Settlement } from '../../src/ports/records/intake.ts'
import { alertId, alertOf, type IntakeFixture, settlementOf } from './records-values.ts'

/** Lists of alerts: pages, filters, and who may see what. */
export function recordsAlertListsContract(fixture: IntakeFixture): void {
  const keep = async (n: number, settlement?: Settlement, more: Partial<NewAlert> = {}) => {
    await fixture().records.receiveAlerts([alertOf(n, more)])
    if (settlement) await fixture().records.settleAlert(alertId(n), settlement)
  }
  const listed = async (filter: AlertFilter, page: { limit: number; after?: string } = { limit: 100 }) =>
    (await fixture().records.listAlerts(filter, page)).map(({ id }) => Number(id.slice(3)))

  describe('listAlerts()', () => {
    test('goes page by page, newest first', async () => {
      for (const n of [2, 1, 5, 3, 4]) await keep(n)
      expect(await listed({}, { limit: 2 })).toEqual([5, 4])
      expect(await listed({}, { limit: 2, after: alertId(4) })).toEqual([3, 2])
      expect(await listed({}, { limit: 2, after: alertId(2) })).toEqual([1])
      expect(await listed({}, { limit: 2, after: alertId(1) })).toEqual([])
      expect(await listed({ name: 'PodCrashLooping' }, { limit: 2, after: alertId(4) })).toEqual([3, 2])
    })

    test.each<[AlertFilter, number[]]>([
      [{ source: 'grafana' }, [2]],
      [{ name: 'HighLatency' }, [3]],
      [{ outcome: 'diagnosed' }, [6, 4, 2]],
      [{ outcome: 'no-target' }, [3]],
      [{ suppression: 'storm' }, [5]],
      [{ namespace: 'trees' }, [5, 4]],
      [{ cluster: 'other' }, [4]],
      [{ trouble: 'tr-6' }, [6]],
      [{ outcome: 'diagnosed', namespace: 'trees' }, [4]],
      [{ outcome: 'diagnosed', suppression: 'storm' }, []],
      [{ name: "x' or 1=1 --" }, []],
      [{ trouble: 'tr-none' }, []],
    ])('gives what matches all of %j', async (filter, seen) => {
      await keep(1)
      await keep(2, settlementOf(2), { source: 'grafana' })
      await keep(3, { outcome: 'no-target' }, { name: 'HighLatency' })
      await keep(4, settlementOf(4, { cluster: 'other', namespace: 'trees' }))
      await keep(5, settlementOf(5, { outcome: 'suppressed', suppression: 'storm', namespace: 'trees' }))
      await keep(6, settlementOf(6, { trouble: 'tr-6' }))
      expect(await listed(filter)).toEqual(seen)
    })
  })

  describe('listAlerts() shows', () => {
    const everywhere = { clusters: ['*'], namespaces: ['*'] }
    beforeEach(async () => {
      await keep(1, settlementOf(1, { cluster: 'a', namespace: 'fruit' }))
      await keep(2, settlementOf(2, { cluster: 'b', namespace: 'fruit' }))
      await keep(3, settlementOf(3, { cluster: 'b', namespace: 'trees' }))
      // Nobody knows what these are about: not yet, not at all, not wholly.
      await keep(4)
      await keep(5, { outcome: 'no-target' })
      await keep(6, { outcome: 'no-target', cluster: 'a' })
      await keep(7, { outcome: 'no-target', namespace: 'fruit' })
    })

    test.each<[NonNullable<AlertFilter['visible']>, number[]]>([
      [[], []],
      [[everywhere], [7, 6, 5, 4, 3, 2, 1]],
      [[{ clusters: ['**'], namespaces: ['fruit', '*'] }], [7, 6, 5, 4, 3, 2, 1]],
      [[{ clusters: ['a'], namespaces: ['*'] }], [1]],
      [[{ clusters: ['*'], namespaces: ['fruit'] }], [2, 1]],
      [[{ clusters: ['*'], namespaces: ['f*', 't*'] }], [3, 2, 1]],
      [
        [
          { clusters: ['*'], namespaces: ['none'] },
          { clusters: ['none'], namespaces: ['*'] },
        ],
        [],
      ],
      [
        [
          { clusters: ['a'], namespaces: ['fruit'] },
          { clusters: ['b*'], namespaces: ['trees'] },
        ],
        [3, 1],
      ],
      [[{ clusters: ['*'], namespaces: ["x' or 1=1 --", '%*', '_*'] }], []],
      [[{ clusters: ['*'], namespaces: [] }], []],
      [
        [{ clusters: ['a'], namespaces: ['fruit'] }, everywhere],
        [7, 6, 5, 4, 3, 2, 1],
      ],
    ])('to whom %j is visible: %j', async (visible, seen) => {
      expect(await listed({ visible })).toEqual(seen)
      expect(await listed({ visible, namespace: 'fruit' })).toEqual(seen.filter((n) => [1, 2, 7].includes(n)))
    })
  })
}
