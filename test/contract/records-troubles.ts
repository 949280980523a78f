import { describe, expect, test } from 'vitest'
import type { NewAlert, Suppression } from '../../src/ports/records/intake.ts'
import { alertId, alertOf, at, type IntakeFixture, resolvedOf, seedOf, settlementOf, start } from './records-values.ts'

const { alert: _, ...seed } = seedOf(1)

/** When a trouble opens, lasts and is resolved; what its diagnoses stand for. */
export function recordsTroublesContract(fixture: IntakeFixture): void {
  const receive = (...alerts: NewAlert[]) => fixture().records.receiveAlerts(alerts)
  const resolveAlert = (n: number) => receive(resolvedOf(n + 500, { key: `alert-${n}` }))
  const open = (alert: number) => fixture().records.openTrouble(seedOf(alert))
  const resolve = (seconds: number) => fixture().records.resolveTrouble('tr-1', at(seconds))
  const settle = (n: number, more: Parameters<typeof settlementOf>[1] = {}) => fixture().records.settleAlert(alertId(n), settlementOf(n, more))

  describe('openTrouble()', () => {
    test('makes it', async () => {
      const trouble = { ...seed, openedAt: at(0), updatedAt: at(0), round: 1 }
      expect(await open(1)).toStrictEqual(trouble)
      expect(await fixture().records.getTrouble('tr-1')).toStrictEqual(trouble)
      expect(await fixture().records.getTrouble('tr-2')).toBeUndefined()
    })

    test('leaves it as it is while it lasts', async () => {
      const trouble = await open(1)
      fixture().setTime(start + 5000)
      expect(await open(2)).toStrictEqual(trouble)
    })

    test('opens the next round of one that was resolved, with the same report', async () => {
      await open(1)
      await fixture().records.setTroubleReport('tr-1', 'github:a/b#1')
      await resolve(3)
      fixture().setTime(start + 5000)
      const again = { ...seed, openedAt: at(5), updatedAt: at(5), round: 2, report: 'github:a/b#1' }
      expect(await open(2)).toStrictEqual(again)
      expect(await open(3)).toStrictEqual(again)
    })

    test('opens one round for an alert, however often it asks', async () => {
      await open(1)
      expect(await open(1)).toMatchObject({ round: 1 })
      await resolve(3)
      expect(await open(1)).toMatchObject({ round: 1, resolvedAt: at(3) })
      expect(await open(2)).toMatchObject({ round: 2 })
      expect(await open(2)).toMatchObject({ round: 2 })
      await resolve(4)
      expect(await open(2)).toMatchObject({ round: 2, resolvedAt: at(4) })
    })

    test('opens one round for many at once', async () => {
      const rounds = async () => new Set((await Promise.all(Array.from({ length: 20 }, (_, n) => open(n)))).map(({ round }) => round))
      expect(await rounds()).toEqual(new Set([1]))
      await resolve(3)
      await Promise.all(Array.from({ length: 20 }, (_, n) => open(n + 100)))
      expect(await fixture().records.getTrouble('tr-1')).toMatchObject({ round: 2 })
    })
  })

  describe('resolveTrouble()', () => {
    test('resolves what nothing fires of', async () => {
      await open(1)
      expect(await resolve(7)).toStrictEqual({ ...seed, openedAt: at(0), updatedAt: at(7), resolvedAt: at(7), round: 1 })
      expect(await fixture().records.getTrouble('tr-1')).toMatchObject({ resolvedAt: at(7) })
    })

    test('answers the same to the same question, and nothing to a later one', async () => {
      await open(1)
      const resolved = await resolve(7)
      expect(await resolve(7)).toStrictEqual(resolved)
      expect(await resolve(8)).toBeUndefined()
      expect(await fixture().records.getTrouble('tr-1')).toStrictEqual(resolved)
    })

    test('waits for the last of its alerts', async () => {
      await receive(alertOf(1), alertOf(2), alertOf(3))
      await open(1)
      for (const n of [1, 2]) await settle(n)
      await settle(3, { trouble: 'tr-other' })
      await resolveAlert(1)
      expect(await resolve(2)).toBeUndefined()
      expect(await resolveAlert(2)).toMatchObject({ troubles: ['tr-1'] })
      expect(await resolve(3)).toMatchObject({ resolvedAt: at(3) })
    })

    test('waits for the alert that opened it while that is not settled', async () => {
      await receive(alertOf(1), alertOf(2))
      await open(1)
      expect(await resolve(1)).toBeUndefined()
      await resolveAlert(1)
      expect(await resolve(2)).toMatchObject({ resolvedAt: at(2) })
      await open(2)
      expect(await resolve(3)).toBeUndefined()
      await fixture().records.settleAlert(alertId(2), { outcome: 'failed' })
      expect(await resolve(4)).toMatchObject({ round: 2, resolvedAt: at(4) })
    })

    test('is for one of many who ask at once', async () => {
      await open(1)
      const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => resolve(n)))
      expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1)
    })

    test('knows nothing of an unknown trouble', async () => {
      expect(await resolve(1)).toBeUndefined()
      await fixture().records.setTroubleReport('tr-1', 'x:1')
      expect(await fixture().records.getTrouble('tr-1')).toBeUndefined()
    })
  })

  test('setTroubleReport() sets and replaces it', async () => {
    await open(1)
    await fixture().records.setTroubleReport('tr-1', 'github:a/b#1')
    fixture().setTime(start + 5000)
    await fixture().records.setTroubleReport('tr-1', 'jira:AB-1')
    expect(await fixture().records.getTrouble('tr-1')).toMatchObject({ report: 'jira:AB-1', openedAt: at(0), updatedAt: at(5) })
  })

  const suppress = async (n: number, suppression: Suppression, more: Parameters<typeof settlementOf>[1] = {}, name = 'PodCrashLooping') => {
    await receive(alertOf(n, { name }))
    await settle(n, { outcome: 'suppressed', suppression, diagnosis: 'ad-1', ...more })
  }

  describe('suppressedFor()', () => {
    test('counts by name and reason what the diagnoses of the trouble stand for, most first', async () => {
      await receive(alertOf(1), alertOf(2), alertOf(3))
      for (const n of [1, 2]) await settle(n)
      await settle(3, { trouble: 'tr-other' })
      await suppress(11, 'same-trouble', { pod: 'b' })
      await suppress(12, 'same-trouble', { pod: 'a' })
      await suppress(13, 'same-trouble', { pod: 'a', diagnosis: 'ad-2' })
      await suppress(14, 'pod-cooldown', { pod: 'a', trouble: 'tr-other' }, 'HighLatency')
      await suppress(15, 'workload-limit')
      const { pod: __, ...unplaced } = settlementOf(16, { outcome: 'suppressed', suppression: 'pod-cooldown', diagnosis: 'ad-1' })
      await receive(alertOf(16))
      await fixture().records.settleAlert(alertId(16), unplaced)
      // Of another's diagnosis, of none, and not suppressed.
      await suppress(17, 'same-trouble', { diagnosis: 'ad-3' })
      await suppress(18, 'storm', { diagnosis: 'ad-none' })
      await settle(19)
      expect(await fixture().records.suppressedFor('tr-1')).toStrictEqual([
        { name: 'PodCrashLooping', suppression: 'same-trouble', count: 3, pods: ['a', 'b'] },
        { name: 'HighLatency', suppression: 'pod-cooldown', count: 1, pods: ['a'] },
        { name: 'PodCrashLooping', suppression: 'pod-cooldown', count: 1, pods: [] },
        { name: 'PodCrashLooping', suppression: 'workload-limit', count: 1, pods: ['apples-15'] },
      ])
      expect(await fixture().records.suppressedFor('tr-none')).toEqual([])
    })

    test('names 50 groups and 20 pods at most, and counts them all', async () => {
      await receive(alertOf(1))
      await settle(1)
      await receive(...Array.from({ length: 90 }, (_, n) => alertOf(n + 100, { name: `Alert${Math.max(0, n - 30)}` })))
      for (let n = 0; n < 90; n++) {
        await settle(n + 100, { outcome: 'suppressed', suppression: 'same-trouble', diagnosis: 'ad-1', pod: `pod-${String(n).padStart(2, '0')}` })
      }
      const groups = await fixture().records.suppressedFor('tr-1')
      expect(groups).toHaveLength(50)
      const pods = Array.from({ length: 20 }, (_, n) => `pod-${String(n).padStart(2, '0')}`)
      expect(groups[0]).toStrictEqual({ name: 'Alert0', suppression: 'same-trouble', count: 31, pods })
    })
  })

  test('suppressedBy() counts what was suppressed in a cluster for a reason since then', async () => {
    await suppress(1, 'storm', { pod: 'early' })
    fixture().setTime(start + 5000)
    await suppress(2, 'storm', { pod: 'b' })
    await suppress(3, 'storm', { pod: 'a' }, 'HighLatency')
    await suppress(4, 'storm', { cluster: 'other' })
    await suppress(5, 'same-trouble')
    await suppress(6, 'storm', { pod: 'a', trouble: 'tr-other', diagnosis: 'ad-none' })
    const { records } = fixture()
    expect(await records.suppressedBy('storm', 'main', at(5))).toStrictEqual([
      { name: 'PodCrashLooping', suppression: 'storm', count: 2, pods: ['a', 'b'] },
      { name: 'HighLatency', suppression: 'storm', count: 1, pods: ['a'] },
    ])
    expect(await records.suppressedBy('storm', 'main', at(6))).toEqual([])
  })
}
