import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bounds } from '../../src/diagnosis/accept/webhooks/alert-list.ts'
import { parseAlertmanager } from '../../src/diagnosis/accept/webhooks/alertmanager.ts'
import { parseGrafana } from '../../src/diagnosis/accept/webhooks/grafana.ts'
import { parsePagerduty } from '../../src/diagnosis/accept/webhooks/pagerduty.ts'
import { parseStandard } from '../../src/diagnosis/accept/webhooks/standard.ts'

const around = { source: 'alerts', now: Date.parse('2026-11-27T12:00:00Z') }
const good = { status: 'firing', labels: { alertname: 'Down' }, startsAt: '2026-11-27T11:00:00Z' }
const many = (count: number, value = 'v') => Object.fromEntries(Array.from({ length: count }, (_, at) => [`n${at}`, value]))

const parse = (...alerts: readonly unknown[]) => parseAlertmanager({ version: '4', alerts }, around)

function group(...alerts: readonly unknown[]) {
  const parsed = parse(...alerts)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors))
  return parsed.value
}

describe('an alert out of bounds is left out, told, and costs no other', () => {
  test.each([
    ['too many labels', { ...good, labels: many(bounds.labels + 1) }, 'alerts[1].labels: expected at most 100 labels'],
    ['a label that is too long', { ...good, labels: { pod: 'x'.repeat(4097) } }, 'alerts[1].labels.pod: expected at most 4096 characters'],
    ['a name that is too long', { ...good, labels: { ['x'.repeat(257)]: 'v' } }, 'alerts[1].labels: expected a name of at most 256 characters'],
    ['a label that is no text', { ...good, labels: { pod: { a: 1 } } }, 'alerts[1].labels.pod: expected string'],
    ['labels that are a list', { ...good, labels: ['pod'] }, 'alerts[1].labels: expected record'],
    ['another status', { ...good, status: 'suppressed' }, 'alerts[1].status: expected one of "firing"|"resolved"'],
    ['no status', { ...good, status: undefined }, 'alerts[1].status: expected one of "firing"|"resolved"'],
    ['a fingerprint that is too long', { ...good, fingerprint: 'f'.repeat(257) }, 'alerts[1].fingerprint: expected at most 256 characters'],
    ['more than a row of the database takes', { ...good, labels: many(100, '€'.repeat(4000)) }, 'alerts[1]: it has '],
    ['no time', { ...good, startsAt: 12 }, 'alerts[1].startsAt: expected string'],
    ['a text', 'alert', 'alerts[1]: expected object'],
    ['nothing', null, 'alerts[1]: expected object'],
  ])('%s', (_, bad, note) => {
    const { alerts, notes } = group(good, bad, good)
    expect(alerts).toHaveLength(2)
    expect(notes).toEqual([expect.stringContaining(`An alert is left out: ${note}`)])
  })

  test('what is at the bounds is taken', () => {
    expect(group({ ...good, labels: many(bounds.labels, 'x'.repeat(bounds.valueLength)) })).toMatchObject({ notes: [] })
  })

  test('no value of a label stands in a note', () => {
    const { notes } = group(good, { ...good, labels: { password: 'made-up-secret'.repeat(400) } })
    expect(notes.join()).not.toContain('made-up')
  })

  test('if none is left, it is an error', () => {
    expect(parse('a', 'b')).toMatchObject({ ok: false, errors: [{ field: 'alerts[0]' }, { field: 'alerts[1]' }] })
  })

  test('notes have a bound', () => {
    const { notes } = group(good, ...Array.from({ length: 500 }, () => 'bad'))
    expect(notes).toHaveLength(bounds.notes + 1)
    expect(notes.at(-1)).toBe('480 more alerts are left out')
  })
})

describe('annotations', () => {
  const annotationsOf = (annotations: unknown) => group({ ...good, annotations }).alerts[0]?.annotations

  test('that are long are cut', () => {
    const text = annotationsOf({ description: 'x'.repeat(10_000) })?.description ?? ''
    expect(text).toHaveLength(bounds.annotationLength)
    expect(text.endsWith('x…')).toBe(true)
  })

  test('that are too many are left out', () => {
    expect(Object.keys(annotationsOf(many(200)) ?? {})).toHaveLength(bounds.annotations)
  })

  test.each([[null], [undefined], ['text'], [7], [{ summary: 7 }]])('%j are none', (annotations) => {
    expect(annotationsOf(annotations)).toEqual({})
  })
})

test('halves of characters are replaced', () => {
  const { alerts } = group({ ...good, labels: { alertname: 'a\ud800b', 'x\udc00': 'y' }, annotations: { a: '\ud83d' }, fingerprint: '\udfff' })
  expect(alerts[0]).toMatchObject({ name: 'a\ufffdb', labels: { 'x\ufffd': 'y' }, annotations: { a: '\ufffd' }, fingerprint: '\ufffd' })
})

test('an object cannot be given another prototype', () => {
  const body: unknown = JSON.parse(
    '{"version":"4","alerts":[{"status":"firing","startsAt":"2026-11-27T11:00:00Z","labels":{"__proto__":"x","pod":"p"}}]}',
  )
  const parsed = parseAlertmanager(body, around)
  const labels = parsed.ok ? parsed.value.alerts[0]?.labels : undefined
  expect(labels?.pod).toBe('p')
  expect(Object.getPrototypeOf(labels)).toBe(Object.prototype)
})

describe('whatever the JSON, nothing is thrown, and what is taken is well formed', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('2026-11-27T11:00:00Z', 'firing', 'https://a.example/\u0000'))
  const alert = fc.record(
    {
      status: fc.oneof(fc.constantFrom('firing', 'resolved'), fc.jsonValue()),
      labels: fc.oneof(fc.dictionary(text, text), fc.jsonValue()),
      annotations: fc.oneof(fc.dictionary(text, text), fc.jsonValue()),
      startsAt: fc.oneof(fc.constant('2026-11-27T11:00:00Z'), text, fc.jsonValue()),
      endsAt: fc.oneof(text, fc.jsonValue()),
      generatorURL: fc.oneof(text, fc.jsonValue()),
      fingerprint: fc.oneof(text, fc.jsonValue()),
      values: fc.jsonValue(),
    },
    { requiredKeys: ['status', 'labels', 'startsAt'] },
  )
  const incident = fc.record({
    id: fc.oneof(text, fc.jsonValue()),
    title: fc.oneof(text, fc.jsonValue()),
    created_at: fc.oneof(fc.constant('2026-11-27T11:00:00Z'), text),
    custom_fields: fc.oneof(fc.array(fc.record({ name: text, value: fc.jsonValue() })), fc.jsonValue()),
    body: fc.oneof(fc.record({ details: fc.oneof(text, fc.jsonValue()) }), fc.jsonValue()),
  })
  const type = fc.constantFrom(
    'incident.triggered',
    'incident.reopened',
    'incident.resolved',
    'alert.firing',
    'alert.resolved',
    'diagnosis.requested',
  )
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record({ version: fc.constantFrom('1', '4'), alerts: fc.array(fc.oneof(alert, fc.jsonValue())), truncatedAlerts: fc.jsonValue() }),
    fc.record({ event: fc.record({ event_type: type, data: incident, occurred_at: text }) }),
    fc.record({ type, data: alert }),
  )

  test.each([
    ['alertmanager', parseAlertmanager],
    ['grafana', parseGrafana],
    ['pagerduty', parsePagerduty],
    ['standard', parseStandard],
  ])('%s', (_, parse) => {
    fc.assert(
      fc.property(body, (input) => {
        const parsed = parse(input, around)
        if (!parsed.ok) return void expect(parsed.errors.length).toBeGreaterThan(0)
        for (const one of parsed.value.alerts) {
          expect(JSON.stringify(one).isWellFormed()).toBe(true)
          expect(new Date(one.startsAt).toISOString()).toBe(one.startsAt)
          expect(one.name).not.toBe('')
          expect(one.fingerprint).not.toBe('')
          for (const { url } of one.links) expect(url).toMatch(/^https?:\/\/[^\s"<>]+$/)
        }
      }),
      { numRuns: 500 },
    )
  })
})
