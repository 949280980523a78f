import { describe, expect, test } from 'vitest'
import { parseAlertmanager } from '../../src/diagnosis/accept/webhooks/alertmanager.ts'
import { fingerprintOf } from '../../src/diagnosis/accept/webhooks/fingerprint.ts'
import { parseGrafana } from '../../src/diagnosis/accept/webhooks/grafana.ts'
import firing from '../fixtures/webhooks/alertmanager-0.25-firing.json'
import resolved from '../fixtures/webhooks/alertmanager-0.25-resolved.json'
import newest from '../fixtures/webhooks/alertmanager-0.34.json'
import grafana from '../fixtures/webhooks/grafana-12.json'

const around = { source: 'alerts', now: Date.parse('2026-11-27T12:00:00Z') }
const alertmanager = (body: unknown) => parseAlertmanager(body, around)

function delivered(parsed: ReturnType<typeof parseAlertmanager>) {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors))
  return parsed.value
}

function errorsOf(parsed: ReturnType<typeof parseAlertmanager>) {
  if (parsed.ok) throw new Error('It was taken')
  return parsed.errors.map(({ field, message }) => `${field}: ${message}`)
}

const one = { status: 'firing', labels: { alertname: 'Down' }, startsAt: '2026-11-27T11:00:00Z' }
const group = (alert: object, rest: object = {}) => ({ version: '4', alerts: [{ ...one, ...alert }], ...rest })
const alertOf = (alert: object, rest: object = {}) => delivered(alertmanager(group(alert, rest))).alerts[0]

describe('Alertmanager', () => {
  test('each alert of a group is one', () => {
    expect(delivered(alertmanager(firing)).alerts.map(({ name, status }) => [name, status])).toEqual([
      ['KubePodNotReady', 'firing'],
      ['KubePodCrashLooping', 'firing'],
    ])
  })

  test('an alert has all that the service needs of it', () => {
    expect(delivered(alertmanager(firing)).alerts[1]).toEqual({
      source: 'alerts',
      fingerprint: '28d6074929fd7bef',
      status: 'firing',
      startsAt: '2026-11-27T11:50:40.486Z',
      name: 'KubePodCrashLooping',
      labels: { alertname: 'KubePodCrashLooping', container: 'app', namespace: 'fruit', pod: 'apples-57bcf49487-ddmpn', severity: 'warning' },
      annotations: {
        runbook_url: 'https://runbooks.example/KubePodCrashLooping',
        summary: 'Container app restarts again & again, <b>grün</b>',
      },
      links: [
        { label: 'Runbook', url: 'https://runbooks.example/KubePodCrashLooping' },
        { label: 'Rule', url: 'http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1' },
        { label: 'Alertmanager', url: 'http://alerts.example:9093/' },
      ],
    })
  })

  test('what is resolved in a group that fires is resolved, with its end', () => {
    const { alerts } = delivered(alertmanager(resolved))
    expect(alerts.map(({ name, status, endsAt }) => [name, status, endsAt])).toEqual([
      ['KubePodNotReady', 'resolved', '2026-11-27T11:50:45.000Z'],
      ['KubePodCrashLooping', 'firing', undefined],
    ])
  })

  test('a firing and its end have the same fingerprint and start', () => {
    const key = (body: unknown) => delivered(alertmanager(body)).alerts.map(({ fingerprint, startsAt }) => [fingerprint, startsAt])
    expect(key(resolved)).toEqual(key(firing))
  })

  test('the fields of 0.34 change nothing', () => {
    expect(alertmanager(newest)).toEqual(alertmanager(firing))
  })

  test('unknown fields are passed over', () => {
    expect(alertmanager(group({ severityScore: 3 }, { receiver: 7, future: { a: [1] } }))).toEqual(alertmanager(group({})))
  })

  test.each([
    ['one', 1, 'truncatedAlerts: 1 alert is missing; set max_alerts: 0 in webhook_configs'],
    ['three', 3, 'truncatedAlerts: 3 alerts are missing; set max_alerts: 0 in webhook_configs'],
  ])('tells that %s was left out by the sender', (_, truncatedAlerts, note) => {
    expect(delivered(alertmanager(group({}, { truncatedAlerts }))).notes).toEqual([note])
  })

  test('a group of no alerts is nothing', () => {
    expect(delivered(alertmanager({ version: '4', alerts: [] }))).toEqual({ alerts: [], notes: [] })
  })

  test.each([
    [
      'a custom payload',
      { text: 'Pod is down' },
      "body: this is not Alertmanager's message; take payload out of the webhook_configs of this receiver",
    ],
    ['a list', [], "body: this is not Alertmanager's message; take payload out of the webhook_configs of this receiver"],
    ['nothing', null, "body: this is not Alertmanager's message; take payload out of the webhook_configs of this receiver"],
    ['a payload that has alerts', { alerts: [one] }, 'version: expected "4"; if webhook_configs has a payload'],
    ['version 3', { version: '3', alerts: [] }, 'version: expected "4"'],
    ['a number as version', { version: 4, alerts: [] }, 'version: expected "4"'],
    ['a message of Grafana', grafana, 'version: this is a message of Grafana; make a source of the kind grafana'],
    ['alerts that are no list', { version: '4', alerts: {} }, 'alerts: expected a list'],
  ])('refuses %s, and says what to do', (_, body, message) => {
    expect(errorsOf(alertmanager(body))[0]).toContain(message)
  })
})

describe('a time', () => {
  test.each([
    ['nanoseconds', '2026-11-27T11:50:40.533767846Z', '2026-11-27T11:50:40.533Z'],
    ['no fraction', '2026-11-27T11:50:40Z', '2026-11-27T11:50:40.000Z'],
    ['an offset', '2026-11-27T13:20:40.5+01:30', '2026-11-27T11:50:40.500Z'],
    ['small letters', '2026-11-27t11:50:40z', '2026-11-27T11:50:40.000Z'],
  ])('with %s is told in UTC and milliseconds', (_, startsAt, expected) => {
    expect(alertOf({ startsAt })?.startsAt).toBe(expected)
  })

  test.each(['', 'yesterday', '2026-11-27', '2026-13-27T11:50:40Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59-12:00'])(
    '"%s" is none, and the alert is refused',
    (startsAt) => {
      expect(errorsOf(alertmanager(group({ startsAt })))).toEqual([
        'alerts[0].startsAt: expected a time as in RFC 3339, such as 2026-11-27T10:00:00Z',
      ])
    },
  )

  test.each([[undefined], ['0001-01-01T00:00:00Z'], ['nonsense'], [null]])('an alert that is resolved at %s is resolved now', (endsAt) => {
    expect(alertOf({ status: 'resolved', endsAt })?.endsAt).toBe('2026-11-27T12:00:00.000Z')
  })

  test('the time at which a firing alert would end by itself is not its end', () => {
    expect(alertOf({ endsAt: '2026-11-27T12:04:00Z' })).not.toHaveProperty('endsAt')
  })
})

describe('a fingerprint that is missing', () => {
  test.each([
    ['of Debian’s Alertmanager', firing.alerts[0]?.labels, '8c99ccdf69204164'],
    ['of more labels', firing.alerts[1]?.labels, '28d6074929fd7bef'],
    ['of no labels', {}, 'cbf29ce484222325'],
  ])('is computed as Alertmanager does: %s', (_, labels, expected) => {
    expect(fingerprintOf((labels ?? {}) as Record<string, string>)).toBe(expected)
  })

  test.each([[undefined], [''], [null], ['  ']])('%o', (fingerprint) => {
    const labels = firing.alerts[0]?.labels
    expect(alertOf({ labels, fingerprint })?.fingerprint).toBe('8c99ccdf69204164')
  })

  test('depends on the labels, not on their order', () => {
    expect(fingerprintOf({ b: '2', a: '1' })).toBe(fingerprintOf({ a: '1', b: '2' }))
    expect(fingerprintOf({ a: '1b', c: '' })).not.toBe(fingerprintOf({ a: '1', bc: '' }))
  })
})

describe('an alert', () => {
  test.each([[{}], [{ alertname: '' }], [{ alertname: '  ' }], [null], [undefined]])('without a name is unnamed: labels %o', (labels) => {
    expect(alertOf({ labels })?.name).toBe('unnamed alert')
  })

  test.each([
    ['javascript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['//runbooks.example/x', undefined],
    ['https://user:made-up@runbooks.example/x', undefined],
    [`https://runbooks.example/${'x'.repeat(5000)}`, undefined],
    ['', undefined],
    ['HTTPS://Runbooks.example/a b"><c', 'https://runbooks.example/a%20b%22%3E%3Cc'],
    [' https://runbooks.example/x\n', 'https://runbooks.example/x'],
  ])('links to http and https only: %j', (runbook_url, expected) => {
    expect(alertOf({ annotations: { runbook_url } })?.links).toEqual(expected === undefined ? [] : [{ label: 'Runbook', url: expected }])
  })

  test('runbook is a runbook, too, and the same URL stands once', () => {
    const links = alertOf({ annotations: { runbook: 'https://r.example/1', runbook_url: 'https://r.example/1' } })?.links
    expect(links).toEqual([{ label: 'Runbook', url: 'https://r.example/1' }])
  })
})

describe('Grafana', () => {
  const { alerts, notes } = delivered(parseGrafana(grafana, around))

  test('an alert has its links and its values', () => {
    expect(notes).toEqual([])
    expect(alerts[0]).toMatchObject({
      fingerprint: 'b0c4a1f2e3d49586',
      startsAt: '2026-11-27T11:51:40.500Z',
      name: 'Pod restarts',
      annotations: { values: 'B=44.25, C=1', summary: 'Container app restarts' },
    })
    expect(alerts[0]?.links.map(({ label }) => label)).toEqual(['Runbook', 'Rule', 'Dashboard', 'Panel', 'Silence', 'Screenshot', 'Grafana'])
  })

  test('DatasourceNoData is an alert without values', () => {
    expect(alerts[1]).toMatchObject({ name: 'DatasourceNoData', labels: { rulename: 'Pod memory' }, annotations: {} })
  })

  test.each([
    [{ values: null, valueString: "[ var='A' value=1 ]" }, { values: "[ var='A' value=1 ]" }],
    [{ values: { A: 1 }, annotations: { values: 'mine' } }, { values: 'mine' }],
    [{ values: 'odd', valueString: '' }, {}],
    [{ values: { A: null, B: 2 } }, { values: 'B=2' }],
  ])('values %j', (alert, annotations) => {
    expect(delivered(parseGrafana({ version: '1', alerts: [{ ...one, ...alert }] }, around)).alerts[0]?.annotations).toEqual(annotations)
  })

  test('tells how many alerts are missing', () => {
    expect(delivered(parseGrafana({ ...grafana, truncatedAlerts: 2 }, around)).notes).toEqual([
      'truncatedAlerts: 2 alerts are missing; set Max Alerts of the contact point to 0',
    ])
  })

  test.each([
    ['a custom payload', { text: 'down' }, 'take the custom payload out of the contact point'],
    ['an Alertmanager', firing, 'make a source of the kind alertmanager'],
    ['legacy alerting', { ruleId: 1, evalMatches: [], state: 'alerting' }, 'legacy alerting'],
    ['another version', { version: '2', alerts: [] }, 'expected "1"'],
    ['no list', { version: '1', alerts: 'none' }, 'expected a list'],
  ])('refuses %s, and says what to do', (_, body, message) => {
    expect(errorsOf(parseGrafana(body, around))[0]).toContain(message)
  })
})
