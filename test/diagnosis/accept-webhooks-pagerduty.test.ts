import { describe, expect, test } from 'vitest'
import { parsePagerduty } from '../../src/diagnosis/accept/webhooks/pagerduty.ts'
import { pairsOf } from '../../src/diagnosis/accept/webhooks/pairs.ts'
import ping from '../fixtures/webhooks/pagerduty-ping.json'
import triggered from '../fixtures/webhooks/pagerduty-triggered.json'

const around = { source: 'pager', now: Date.parse('2026-11-27T12:00:00Z') }
const event = (change: object, incident: object = {}) => ({
  event: { ...triggered.event, ...change, data: { ...triggered.event.data, ...incident } },
})

function alertOf(body: unknown) {
  const parsed = parsePagerduty(body, around)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors))
  return parsed.value.alerts[0]
}

describe('PagerDuty', () => {
  test('an incident that is triggered is an alert that fires', () => {
    expect(alertOf(triggered)).toEqual({
      source: 'pager',
      fingerprint: 'QFRUIT0001',
      status: 'firing',
      startsAt: '2026-11-27T11:50:41.000Z',
      name: '[FIRING:1] KubePodCrashLooping fruit/apples-57bcf49487-ddmpn',
      labels: {
        alertname: '[FIRING:1] KubePodCrashLooping fruit/apples-57bcf49487-ddmpn',
        title: '[FIRING:1] KubePodCrashLooping fruit/apples-57bcf49487-ddmpn',
        pagerduty_service: 'Fruit shop',
        urgency: 'high',
        priority: 'P2',
        incident_key: '5f0c3b1d9e8a47c6b2d1',
      },
      annotations: {},
      links: [{ label: 'PagerDuty', url: 'https://fruit.pagerduty.example/incidents/QFRUIT0001' }],
    })
  })

  test('one that is resolved ends the same alert', () => {
    const end = alertOf(event({ event_type: 'incident.resolved', occurred_at: '2026-11-27T12:10:00.5Z' }, { status: 'resolved' }))
    expect(end).toMatchObject({
      fingerprint: 'QFRUIT0001',
      status: 'resolved',
      startsAt: '2026-11-27T11:50:41.000Z',
      endsAt: '2026-11-27T12:10:00.500Z',
    })
  })

  test('one that is opened again is another firing of it, and so is its end', () => {
    const again = { reopened_at: '2026-11-27T13:00:00Z' }
    const starts = ['incident.reopened', 'incident.resolved'].map((event_type) => alertOf(event({ event_type }, again))?.startsAt)
    expect(starts).toEqual(['2026-11-27T13:00:00.000Z', '2026-11-27T13:00:00.000Z'])
  })

  test('without the time of that, it counts when the event was', () => {
    const again = alertOf(event({ event_type: 'incident.reopened', occurred_at: '2026-11-27T13:00:01Z' }))
    expect(again).toMatchObject({ status: 'firing', startsAt: '2026-11-27T13:00:01.000Z' })
  })

  const nothing = { ok: true, value: { alerts: [], notes: [] } }

  test('a test event brings no alert', () => {
    expect(parsePagerduty(ping, around)).toEqual(nothing)
  })

  test.each(['incident.acknowledged', 'incident.annotated', 'service.updated', 'new.type'])('%s means nothing to us', (event_type) => {
    expect(parsePagerduty(event({ event_type }), around)).toEqual(nothing)
  })

  test('custom fields are labels', () => {
    const custom_fields = [
      { name: 'namespace', value: 'fruit' },
      { name: 'pod', value: 'apples-1' },
      { name: 'replicas', value: 3 },
      { name: 'alertname', value: 'Restarts' },
      { name: 'urgency', value: 'none of the incident' },
      { name: 'tags', value: ['a'] },
      { name: 'empty', value: null },
      'odd',
    ]
    const alert = alertOf(event({}, { custom_fields }))
    expect(alert?.labels).toMatchObject({ namespace: 'fruit', pod: 'apples-1', replicas: '3', urgency: 'high' })
    expect(alert?.labels).not.toHaveProperty('tags')
    expect(alert?.name).toBe('Restarts')
  })

  test('pairs in the details of the body are labels, after the custom fields', () => {
    const body = { type: 'incident_body', details: 'namespace: shop\npod: cart-1\nurgency: odd' }
    const alert = alertOf(event({}, { body, custom_fields: [{ name: 'namespace', value: 'fruit' }] }))
    expect(alert?.labels).toMatchObject({ namespace: 'fruit', pod: 'cart-1', urgency: 'high' })
  })

  test('an incident without a title has no name', () => {
    expect(alertOf(event({}, { title: '' }))?.name).toBe('unnamed alert')
  })

  test.each([
    ['version 2', { messages: [] }, 'body', 'make a Generic Webhook (v3) subscription'],
    ['nothing', {}, 'event', 'version 3'],
    ['no type', { event: { data: {} } }, 'event.event_type', 'expected the type'],
    ['no incident', { event: { ...triggered.event, data: null } }, 'event.data', 'expected an incident'],
    ['no id', event({}, { id: undefined }), 'event.data.id', 'expected the id'],
    ['no time', event({}, { created_at: undefined }), 'event.data.startsAt', ''],
  ])('refuses %s', (_, body, field, message) => {
    const parsed = parsePagerduty(body, around)
    expect(parsed).toMatchObject({ ok: false, errors: [{ field, message: expect.stringContaining(message) }] })
  })
})

describe('pairs', () => {
  test.each([
    ['lines', 'namespace: fruit\r\npod = apples-1', { namespace: 'fruit', pod: 'apples-1' }],
    [
      'what Alertmanager writes',
      'Labels:\n - alertname = Down\n - pod = apples-1\nAnnotations:\nSource: http://p.example/g',
      { alertname: 'Down', pod: 'apples-1', Source: 'http://p.example/g' },
    ],
    ['an object', { pod: 'apples-1', count: 2, ok: true, none: null, deep: { a: 1 } }, { pod: 'apples-1', count: '2', ok: 'true' }],
    ['an object with lines', { firing: 'Labels:\n - pod = apples-1\n' }, { pod: 'apples-1' }],
    ['prose', 'see https://x.example and 12:30, or\nhttp://y.example', {}],
    ['the first of two', 'pod: a\npod: b', { pod: 'a' }],
    ['no details', undefined, {}],
    ['a list', ['pod: a'], {}],
  ])('%s', (_, details, expected) => {
    expect(pairsOf(details)).toEqual(expected)
  })

  test('at most 50', () => {
    const text = Array.from({ length: 80 }, (_, at) => `n${at}: v`).join('\n')
    expect(Object.keys(pairsOf(text))).toHaveLength(50)
  })
})
