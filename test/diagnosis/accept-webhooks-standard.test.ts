import { expect, test } from 'vitest'
import { parseStandard } from '../../src/diagnosis/accept/webhooks/standard.ts'

const around = { source: 'own', now: Date.parse('2026-11-27T12:00:00Z') }
const data = { labels: { alertname: 'Slow', namespace: 'fruit', pod: 'apples-1' }, startsAt: '2026-11-27T11:00:00Z', fingerprint: 'f1' }
const parse = (body: unknown) => parseStandard(body, around)

test.each([
  ['alert.firing', 'firing', undefined],
  ['alert.resolved', 'resolved', '2026-11-27T11:30:00.000Z'],
])('%s is an alert that is %s', (type, status, endsAt) => {
  const parsed = parse({ type, timestamp: '2026-11-27T12:00:00Z', data: { ...data, endsAt: '2026-11-27T11:30:00Z' } })
  const alert = parsed.ok ? parsed.value.alerts[0] : undefined
  expect(alert).toMatchObject({ source: 'own', fingerprint: 'f1', status, name: 'Slow', labels: data.labels, annotations: {}, links: [] })
  expect(alert?.endsAt).toBe(endsAt)
})

test('the type says the status, whatever the data say', () => {
  expect(parse({ type: 'alert.firing', data: { ...data, status: 'resolved' } })).toMatchObject({ value: { alerts: [{ status: 'firing' }] } })
})

test('diagnosis.requested is a request, not looked at yet', () => {
  const request = { pod: 'fruit/apples-1', unknown: [1] }
  expect(parse({ type: 'diagnosis.requested', data: request })).toEqual({ ok: true, value: { alerts: [], notes: [], request } })
})

test.each([
  ['a list', [], 'body', 'type and data'],
  ['no type', { data }, 'type', 'alert.firing, alert.resolved, diagnosis.requested'],
  ['another type', { type: 'alert.acknowledged', data }, 'type', 'alert.firing, alert.resolved, diagnosis.requested'],
  ['a name that every object has', { type: 'constructor', data }, 'type', 'alert.firing'],
  ['no data', { type: 'alert.firing' }, 'data', 'expected an object'],
  ['a request that no one may make', { type: 'diagnosis.requested', data: { reason: 'x'.repeat(70_000) } }, 'data', 'at most 65536'],
  ['a request that is a text', { type: 'diagnosis.requested', data: 'pod' }, 'data', 'expected an object'],
  ['no start', { type: 'alert.firing', data: { labels: {} } }, 'data.startsAt', 'expected string'],
  ['labels that are numbers', { type: 'alert.firing', data: { ...data, labels: { replicas: 3 } } }, 'data.labels.replicas', 'expected string'],
])('refuses %s', (_, body, field, message) => {
  expect(parse(body)).toMatchObject({ ok: false, errors: [{ field, message: expect.stringContaining(message) }] })
})
