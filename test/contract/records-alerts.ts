import { describe, expect, test } from 'vitest'
import type { NewAlert } from '../../src/ports/records/intake.ts'
import { alertId, alertOf, at, type IntakeFixture, resolvedOf, settlementOf, start } from './records-values.ts'

const nothing = { fresh: [], repeated: 0, troubles: [] }

/** How alerts come in and are settled. */
export function recordsAlertsContract(fixture: IntakeFixture): void {
  const receive = (...alerts: NewAlert[]) => fixture().records.receiveAlerts(alerts)
  const get = (n: number) => fixture().records.getAlert(alertId(n))
  const due = async (seconds: number, limit = 100) => (await fixture().records.dueAlerts(at(seconds), limit)).map(({ id }) => id)
  const count = async () => (await fixture().records.listAlerts({}, { limit: 100_000 })).length

  describe('receiveAlerts()', () => {
    test('keeps an alert as it is, due at once', async () => {
      expect(await receive(alertOf(1))).toEqual({ ...nothing, fresh: [alertId(1)] })
      expect(await get(1)).toStrictEqual({ ...alertOf(1), receivedAt: at(0), state: 'received', dueAt: at(0) })
      expect(await due(0)).toEqual([alertId(1)])
    })

    test('of nothing is nothing', async () => {
      expect(await receive()).toEqual(nothing)
    })

    test('knows an alert by its key, whatever else another delivery says', async () => {
      await receive(alertOf(1), alertOf(2))
      const again = await receive(alertOf(3, { key: 'alert-1', annotations: { summary: 'Other' } }), alertOf(4, { key: 'alert-2' }), alertOf(5))
      expect(again).toEqual({ fresh: [alertId(5)], repeated: 2, troubles: [] })
      expect(await get(1)).toMatchObject(alertOf(1))
      expect(await get(3)).toBeUndefined()
    })

    test('answers the same again to the very same alerts', async () => {
      const first = await receive(alertOf(1), resolvedOf(2))
      await fixture().records.settleAlert(alertId(1), settlementOf(1))
      const before = [await get(1), await get(2)]
      fixture().setTime(start + 5000)
      expect(await receive(alertOf(1), resolvedOf(2))).toEqual(first)
      expect([await get(1), await get(2)]).toStrictEqual(before)
    })

    test('takes the same alert twice in one delivery as one', async () => {
      expect(await receive(alertOf(1), alertOf(2, { key: 'alert-1' }))).toEqual({ fresh: [alertId(1)], repeated: 1, troubles: [] })
      expect(await count()).toBe(1)
    })

    test('makes one record of an alert that many deliver at once', async () => {
      const deliveries = Array.from({ length: 20 }, (_, d) => [1, 2, 3].map((n) => alertOf(d * 10 + n, { key: `alert-${n}` })))
      const received = await Promise.all(deliveries.map((alerts) => receive(...alerts)))
      const fresh = received.flatMap((one) => one.fresh)
      expect(fresh).toHaveLength(3)
      expect(await due(0)).toEqual(fresh.toSorted())
      expect(received.reduce((sum, { repeated }) => sum + repeated, 0)).toBe(57)
    })

    test('takes any number of alerts, megabytes of them', async () => {
      const annotations = { description: '"Ü" '.repeat(400) }
      const alerts = Array.from({ length: 600 }, (_, n) => alertOf(n, { annotations }))
      expect((await receive(...alerts)).fresh).toHaveLength(600)
      expect(await receive(...alerts.map((alert, n) => ({ ...alert, id: alertId(n + 5000) })))).toEqual({ ...nothing, repeated: 600 })
      expect(await get(599)).toMatchObject({ annotations })
      expect(await count()).toBe(600)
    })

    test.each(["it's \"'); DROP TABLE alerts; --", 'a\u0000b', '\ud800 alone', '🍎 \u2028 \\u0000 \\', '%', 'null', '{"id":1}'])(
      'keeps %j in all that a rule may say',
      async (text) => {
        const hostile = { name: text, fingerprint: text, labels: { [text]: text }, annotations: { a: text }, links: [{ label: text, url: text }] }
        await receive(alertOf(1, hostile), alertOf(2))
        expect(await get(1)).toMatchObject({ ...hostile, id: alertId(1), key: 'alert-1', state: 'received' })
        expect(await fixture().records.listAlerts({ name: text.toWellFormed() }, { limit: 9 })).toEqual([await get(1)])
      },
    )
  })

  describe('receiveAlerts() of what is resolved', () => {
    test.each([
      [{ endsAt: at(30) }, at(30)],
      [{}, at(40)],
    ])('with %j marks the known alert resolved at %s, which is still to be settled', async (more, resolvedAt) => {
      await receive(alertOf(1))
      fixture().setTime(start + 40_000)
      expect(await receive(alertOf(2, { key: 'alert-1', status: 'resolved', ...more }))).toEqual(nothing)
      expect(await get(1)).toMatchObject({ status: 'resolved', resolvedAt, endsAt: resolvedAt, state: 'received', dueAt: at(0) })
      expect(await due(0)).toEqual([alertId(1)])
    })

    test('leaves what a settled alert was settled with', async () => {
      await receive(alertOf(1))
      await fixture().records.settleAlert(alertId(1), settlementOf(1))
      await receive(resolvedOf(2, { key: 'alert-1' }))
      expect(await get(1)).toMatchObject({ ...settlementOf(1), state: 'settled', resolvedAt: at(30) })
    })

    test('keeps the first end that was told', async () => {
      await receive(alertOf(1))
      await receive(resolvedOf(2, { key: 'alert-1' }))
      await receive(resolvedOf(3, { key: 'alert-1', endsAt: at(99) }))
      expect(await get(1)).toMatchObject({ resolvedAt: at(30) })
    })

    test('keeps one that was never seen firing as ignored, and does not diagnose it when its firing comes late', async () => {
      expect(await receive(resolvedOf(1))).toEqual({ ...nothing, fresh: [alertId(1)] })
      expect(await get(1)).toMatchObject({ state: 'settled', outcome: 'ignored', status: 'resolved', resolvedAt: at(30) })
      expect(await get(1)).toHaveProperty('message')
      expect(await receive(alertOf(2, { key: 'alert-1' }))).toEqual({ ...nothing, repeated: 1 })
      expect(await due(999)).toEqual([])
    })

    test('in the same delivery as the firing one marks it', async () => {
      expect(await receive(alertOf(1), resolvedOf(2, { key: 'alert-1' }))).toEqual({ ...nothing, fresh: [alertId(1)] })
      expect(await get(1)).toMatchObject({ state: 'received', resolvedAt: at(30) })
    })

    test('names each trouble that may be resolved once, and again when it is repeated', async () => {
      await receive(alertOf(1), alertOf(2), alertOf(3), alertOf(4))
      for (const [n, trouble] of [
        [1, 'tr-1'],
        [2, 'tr-1'],
        [3, 'tr-3'],
      ] as const) {
        await fixture().records.settleAlert(alertId(n), settlementOf(n, { trouble }))
      }
      expect(await receive(alertOf(13, { key: 'alert-3' }))).toEqual({ ...nothing, repeated: 1 })
      const resolved = [1, 2, 4].map((n) => resolvedOf(n + 20, { key: `alert-${n}` }))
      expect(await receive(...resolved)).toEqual({ ...nothing, troubles: ['tr-1'] })
      expect(await receive(...resolved)).toEqual({ ...nothing, troubles: ['tr-1'] })
      expect(await get(3)).not.toHaveProperty('resolvedAt')
    })
  })

  describe('receiveAlerts() of an alert that is known with another start', () => {
    const same = { fingerprint: 'same' }
    const resolvedAts = async (...alerts: number[]) => Promise.all(alerts.map(async (n) => (await get(n))?.resolvedAt))

    test.each([at(-90), at(-30)])('ends all that began before its end, when it began at %s itself', async (startsAt) => {
      await receive(alertOf(1, same))
      await receive(alertOf(2, { ...same, startsAt: at(-80) }))
      await fixture().records.settleAlert(alertId(1), settlementOf(1))
      const end = resolvedOf(4, { ...same, startsAt })
      const ended = { fresh: [alertId(4)], repeated: 0, troubles: ['tr-1'] }
      expect(await receive(end)).toEqual(ended)
      expect(await receive(end)).toEqual(ended)
      expect(await resolvedAts(1, 2)).toEqual([at(30), at(30)])
    })

    test('lasts, when the end that comes late is of an earlier firing', async () => {
      await receive(alertOf(1, { ...same, startsAt: at(40) }))
      expect(await receive(resolvedOf(2, same))).toEqual({ fresh: [alertId(2)], repeated: 0, troubles: [] })
      expect(await resolvedAts(1)).toEqual([undefined])
    })

    test('is over when it begins anew, for its end may never be told', async () => {
      await receive(alertOf(1, same))
      await fixture().records.settleAlert(alertId(1), settlementOf(1))
      expect(await receive(alertOf(2, { ...same, startsAt: at(9) }))).toEqual({ fresh: [alertId(2)], repeated: 0, troubles: ['tr-1'] })
      expect(await resolvedAts(1, 2)).toEqual([at(9), undefined])
    })

    test('lasts, when what comes began earlier and fires as well', async () => {
      await receive(alertOf(1, same))
      expect(await receive(alertOf(2, { ...same, startsAt: at(-90) }))).toEqual({ fresh: [alertId(2)], repeated: 0, troubles: [] })
      expect(await resolvedAts(1, 2)).toEqual([undefined, undefined])
    })

    test('keeps the end that it had', async () => {
      await receive(alertOf(1, same))
      await receive(resolvedOf(2, { key: 'alert-1', ...same }))
      await receive(alertOf(3, { ...same, startsAt: at(90) }), resolvedOf(4, { ...same, startsAt: at(-90), endsAt: at(80) }))
      expect(await resolvedAts(1, 3)).toEqual([at(30), undefined])
    })

    test('is another alert, where another source has the same fingerprint', async () => {
      await receive(alertOf(1, same))
      await receive(resolvedOf(2, { ...same, source: 'other', startsAt: at(-90) }))
      expect(await resolvedAts(1)).toEqual([undefined])
    })
  })

  describe('dueAlerts()', () => {
    test('names what is due and not settled, the longest due first', async () => {
      const { records, setTime } = fixture()
      await receive(alertOf(3), alertOf(2), alertOf(4), alertOf(5))
      setTime(start + 9000)
      await receive(alertOf(1))
      await records.delayAlert(alertId(2), at(5), 'The cluster is away')
      await records.settleAlert(alertId(5), settlementOf(5))
      expect(await due(-1)).toEqual([])
      expect(await due(0)).toEqual([3, 4].map(alertId))
      expect(await due(9)).toEqual([3, 4, 2, 1].map(alertId))
      expect(await due(9, 1)).toEqual([alertId(3)])
    })
  })

  describe('delayAlert()', () => {
    test('puts off and says why', async () => {
      await receive(alertOf(1))
      await fixture().records.delayAlert(alertId(1), at(5), 'The cluster is away')
      expect(await get(1)).toMatchObject({ state: 'received', dueAt: at(5), message: 'The cluster is away' })
      await fixture().records.settleAlert(alertId(1), settlementOf(1))
      expect(await get(1)).not.toHaveProperty('message')
    })

    test('leaves alone what is settled', async () => {
      await receive(alertOf(1))
      await fixture().records.settleAlert(alertId(1), settlementOf(1))
      const before = await get(1)
      await fixture().records.delayAlert(alertId(1), at(5), 'Too late')
      expect(await get(1)).toStrictEqual(before)
    })
  })

  describe('settleAlert()', () => {
    test('keeps all that is told', async () => {
      await receive(alertOf(1), alertOf(2))
      const settlement = settlementOf(1, { outcome: 'suppressed', suppression: 'pod-cooldown', message: 'Looked at a minute ago' })
      await fixture().records.settleAlert(alertId(1), settlement)
      expect(await get(1)).toStrictEqual({ ...alertOf(1), receivedAt: at(0), dueAt: at(0), state: 'settled', ...settlement })
      expect(await get(2)).toMatchObject({ state: 'received' })
    })

    test('counts once: what comes later changes nothing', async () => {
      await receive(alertOf(1))
      await fixture().records.settleAlert(alertId(1), settlementOf(1))
      const before = await get(1)
      await fixture().records.settleAlert(alertId(1), { outcome: 'failed', message: 'Given up' })
      expect(await get(1)).toStrictEqual(before)
    })

    test('of many at once takes one, whole', async () => {
      await receive(alertOf(1))
      const settlements = Array.from({ length: 10 }, (_, n) => settlementOf(n, { message: `${n}` }))
      await Promise.all(settlements.map((settlement) => fixture().records.settleAlert(alertId(1), settlement)))
      const { message, ...record } = (await get(1)) ?? {}
      expect(record).toMatchObject(settlementOf(Number(message)))
    })

    test('of several keeps each, whatever is settled or unknown among them', async () => {
      await receive(alertOf(1), alertOf(2), alertOf(3))
      await fixture().records.settleAlert(alertId(2), { outcome: 'failed' })
      const settlements = [1, 2, 9].map((n) => ({ id: alertId(n), ...settlementOf(n) }))
      await fixture().records.settleAlerts([...settlements, { id: alertId(3), outcome: 'denied', message: 'no’’ "” \u0000' }])
      expect(await get(1)).toMatchObject({ state: 'settled', ...settlementOf(1) })
      expect(await get(2)).toMatchObject({ state: 'settled', outcome: 'failed' })
      const { cluster: _, ...third } = (await get(3)) ?? {}
      expect(third).toMatchObject({ state: 'settled', outcome: 'denied', message: 'no’’ "” \u0000' })
      await fixture().records.settleAlerts([])
    })

    test('resolvedAmong() names those that fire no more', async () => {
      await receive(alertOf(1), alertOf(2), alertOf(3))
      await receive(alertOf(2, { status: 'resolved', endsAt: at(7) }))
      expect(await fixture().records.resolvedAmong([1, 2, 9].map(alertId))).toEqual([alertId(2)])
      expect(await fixture().records.resolvedAmong([])).toEqual([])
    })

    test('does nothing about an unknown alert', async () => {
      await fixture().records.settleAlert(alertId(1), settlementOf(1))
      await fixture().records.delayAlert(alertId(1), at(5), 'x')
      expect(await get(1)).toBeUndefined()
    })
  })
}
