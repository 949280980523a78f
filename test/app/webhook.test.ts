import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { maxDeliveryBytes } from '../../src/api/receive-webhook.ts'
import { RecordsUnavailable } from '../../src/ports/records/records.ts'
import { alertBody, apple } from '../intake/alerts.ts'
import { problemOf, secrets } from './setup.ts'
import { hmac, webhookWorld } from './webhook-world.ts'

const one = alertBody([{ pod: apple(1) }])

describe('a delivery', () => {
  test('is answered 202 with counts, and somebody is woken', async () => {
    const { post, woken, alerts } = await webhookWorld()
    const response = await post('alertmanager', one)
    expect([response.status, await response.json()]).toEqual([202, { received: 1, repeated: 0, notes: [] }])
    expect(woken()).toBe(1)
    expect(await alerts()).toMatchObject([{ source: 'alertmanager', state: 'received', status: 'firing', name: 'CrashLooping' }])
  })

  test('that is repeated changes nothing', async () => {
    const { post, woken, alerts } = await webhookWorld()
    await post('alertmanager', one)
    const before = await alerts()
    expect(await (await post('alertmanager', one)).json()).toMatchObject({ received: 0, repeated: 1 })
    expect(await alerts()).toEqual(before)
    expect(woken()).toBe(1)
  })

  test('by ten at once is kept once', async () => {
    const { post, alerts } = await webhookWorld()
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => (await (await post('alertmanager', one)).json()) as { received: number }),
    )
    expect(answers.map(({ received }) => received).toSorted()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    expect(await alerts()).toHaveLength(1)
  })

  test('of a group is split: what is known of it is repeated, the rest is new', async () => {
    const { post, alerts } = await webhookWorld()
    await post('alertmanager', one)
    const group = alertBody([{ pod: apple(1) }, { pod: apple(2) }, { pod: apple(3) }])
    expect(await (await post('alertmanager', group)).json()).toMatchObject({ received: 2, repeated: 1 })
    expect((await alerts()).map(({ labels }) => labels.pod).toSorted()).toEqual([apple(1), apple(2), apple(3)])
  })

  test('that fires again is another one', async () => {
    const { post, alerts } = await webhookWorld()
    await post('alertmanager', one)
    await post('alertmanager', alertBody([{ pod: apple(1), firing: 2 }]))
    expect(await alerts()).toHaveLength(2)
  })

  test('with the same alert twice keeps it once', async () => {
    const { post, alerts } = await webhookWorld()
    const response = await post('alertmanager', alertBody([{ pod: apple(1) }, { pod: apple(1) }]))
    expect(response.status).toBe(202)
    expect(await alerts()).toHaveLength(1)
  })

  test('of what is resolved marks the one that fires, and diagnoses nothing', async () => {
    const { post, alerts, runs } = await webhookWorld()
    await post('alertmanager', one)
    await post('alertmanager', alertBody([{ pod: apple(1), resolved: true }]))
    expect(await alerts()).toMatchObject([{ status: 'resolved', state: 'received' }])
    await post('alertmanager', alertBody([{ pod: apple(2), resolved: true }]))
    expect((await alerts()).find(({ labels }) => labels.pod === apple(2))).toMatchObject({ state: 'settled', outcome: 'ignored' })
    expect(runs.started).toEqual([])
  })

  test('without alerts is taken, and wakes nobody', async () => {
    const { post, woken } = await webhookWorld()
    const response = await post('alertmanager', alertBody([]))
    expect([response.status, await response.json()]).toEqual([202, { received: 0, repeated: 0, notes: [] }])
    expect(woken()).toBe(0)
  })

  test('says what is missing of it', async () => {
    const { post } = await webhookWorld()
    const { notes } = (await (await post('alertmanager', { ...one, truncatedAlerts: 7 })).json()) as { notes: readonly string[] }
    expect(notes).toEqual(['truncatedAlerts: 7 alerts are missing; set max_alerts: 0 in webhook_configs'])
  })

  test('is kept without its secrets', async () => {
    const { post, alerts } = await webhookWorld({
      redactor: {
        text: (_, text) => ({ text, counts: {} }),
        open: () => {
          throw new Error('Nothing is streamed here')
        },
        json: (_, value) => ({ value: JSON.parse(JSON.stringify(value).replaceAll('hunter2', '***HIDDEN***')), counts: {} }),
      },
    })
    await post('alertmanager', alertBody([{ annotations: { summary: 'login with hunter2 fails' }, labels: { argument: 'hunter2' } }]))
    expect(JSON.stringify(await alerts())).not.toContain('hunter2')
  })
})

describe('nothing is kept, and the answer says why', () => {
  const refused = async (world: Awaited<ReturnType<typeof webhookWorld>>, answer: Promise<Response>) => {
    const problem = await problemOf(await answer)
    expect(await world.alerts()).toEqual([])
    expect(world.woken()).toBe(0)
    return [problem.status, problem.type.replace(/.*\//, ''), problem.detail]
  }

  test.each<[string, Record<string, string>, number, string]>([
    ['a wrong token', { authorization: 'Bearer made-up-token-of-another' }, 401, 'bad-signature'],
    ['no token', {}, 401, 'bad-signature'],
    ['the token of a principal', { authorization: 'Bearer made-up-token-of-olga-the-operator' }, 401, 'bad-signature'],
    ['the token as a password', { authorization: `Basic ${btoa(`x:${secrets.ALERT_TOKEN}`)}` }, 400, 'malformed-request'],
  ])('of %s', async (_, headers, status, slug) => {
    const world = await webhookWorld()
    expect((await refused(world, world.post('alertmanager', one, headers))).slice(0, 2)).toEqual([status, slug])
    expect(JSON.stringify(world.logged)).not.toContain(secrets.ALERT_TOKEN)
    expect(world.logged).toContainEqual(
      expect.objectContaining({ message: 'Request', data: expect.objectContaining({ status, principal: undefined }) }),
    )
  })

  test.each(['unknown', 'constructor', '__proto__', 'ALERTMANAGER', '%00', '..%2fintake'])('of a source that is not there: %s', async (name) => {
    const world = await webhookWorld()
    expect((await refused(world, world.post(name, one)))[0]).toBe(404)
  })

  test('of more than 4 MiB', async () => {
    const world = await webhookWorld()
    const answer = world.post('alertmanager', { ...one, padding: 'x'.repeat(maxDeliveryBytes) })
    expect((await refused(world, answer)).slice(0, 2)).toEqual([413, 'body-too-large'])
  })

  test('of a custom payload', async () => {
    const world = await webhookWorld()
    const [status, slug, detail] = await refused(world, world.post('alertmanager', { text: 'CrashLooping of apples' }))
    expect([status, slug]).toEqual([422, 'not-a-delivery'])
    expect(detail).toContain('take payload out of the webhook_configs of this receiver')
  })

  test.each([
    ['no JSON', '{"version":'],
    ['half a character', '"\\ud800'],
    ['nothing', ''],
    ['lists in lists, too deep to walk through', `{"version":"4","alerts":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['objects in objects', `{"version":"4","alerts":[],"more":${'{"a":'.repeat(101)}1${'}'.repeat(101)}}`],
  ])('of %s', async (_, body) => {
    const world = await webhookWorld()
    expect((await refused(world, world.post('alertmanager', body)))[0]).toBe(400)
  })

  test('of alerts that are none', async () => {
    const world = await webhookWorld()
    const [status, , detail] = await refused(world, world.post('alertmanager', { ...one, alerts: [{ status: 'odd' }, 7] }))
    expect(status).toBe(422)
    expect(detail).toContain('alerts[0]')
  })

  test('of a body that was changed after it was signed', async () => {
    const world = await webhookWorld()
    const signature = await hmac(secrets.SIGNING_KEY ?? '', '{}')
    const answer = world.post('pagerduty', '{ }', { 'x-pagerduty-signature': `v1=${signature}` })
    expect((await refused(world, answer))[0]).toBe(401)
  })

  test('of a GET, which is not for this address', async () => {
    const world = await webhookWorld()
    const response = await world.ask('/v1/webhooks/alertmanager')
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

test('one wrong alert of a group does not cost the others', async () => {
  const { post, alerts } = await webhookWorld()
  const response = await post('alertmanager', { ...one, alerts: [...one.alerts, { status: 'firing', startsAt: 'yesterday' }] })
  const { received, notes } = (await response.json()) as { received: number; notes: readonly string[] }
  expect([response.status, received, notes.length]).toEqual([202, 1, 1])
  expect(notes[0]).toContain('alerts[1].startsAt')
  expect(await alerts()).toHaveLength(1)
})

test('while the records are away it is 503 with Retry-After, which Alertmanager tries again', async () => {
  const world = await webhookWorld()
  const { receiveAlerts } = world.deps.records
  world.deps.records.receiveAlerts = () => Promise.reject(new RecordsUnavailable('The database is away'))
  const response = await world.post('alertmanager', one)
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '10'])
  expect(world.woken()).toBe(0)
  world.deps.records.receiveAlerts = receiveAlerts
  expect(await (await world.post('alertmanager', one)).json()).toMatchObject({ received: 1 })
})

test('4 MiB of alerts are kept, each', async () => {
  const { post, alerts, deps } = await webhookWorld()
  const many = alertBody(Array.from({ length: 900 }, (_, at) => ({ pod: `apples-${at}`, annotations: { description: 'x'.repeat(4300) } })))
  const body = JSON.stringify(many)
  expect(body.length).toBeGreaterThan(0.95 * maxDeliveryBytes)
  expect(body.length).toBeLessThan(maxDeliveryBytes)
  expect(await (await post('alertmanager', body)).json()).toMatchObject({ received: 900, repeated: 0 })
  expect(await alerts()).toHaveLength(900)
  expect(await deps.records.dueAlerts('2999-01-01T00:00:00.000Z', 1000)).toHaveLength(900)
})

describe('each source has its own authentication and form', () => {
  test('Grafana: user and password, and the dashboard', async () => {
    const { post, alerts } = await webhookWorld()
    const body = { ...one, version: '1', orgId: 1, alerts: one.alerts.map((alert) => ({ ...alert, dashboardURL: 'https://grafana.example/d/1' })) }
    const response = await post('grafana', body, { authorization: `Basic ${btoa(`grafana:${secrets.ALERT_TOKEN}`)}` })
    expect([response.status, await response.json()]).toEqual([202, { received: 1, repeated: 0, notes: [] }])
    expect(await alerts()).toMatchObject([{ source: 'grafana', links: [{ label: 'Dashboard', url: 'https://grafana.example/d/1' }] }])
  })

  test('Standard Webhooks: signed with a time, delivered again it is known', async () => {
    const { post, alerts } = await webhookWorld()
    const body = JSON.stringify({ type: 'diagnosis.requested', timestamp: new Date().toISOString(), data: { pod: 'shop/cart-0' } })
    const at = new Date()
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secrets.WHSEC ?? '').sign('msg_1', at, body),
    }
    expect(await (await post('signed', body, headers)).json()).toMatchObject({ received: 1 })
    expect(await (await post('signed', body, headers)).json()).toMatchObject({ received: 0, repeated: 1 })
    expect(await alerts()).toMatchObject([{ name: 'diagnosis.requested', fingerprint: 'msg_1' }])
  })

  test('GitHub: a signature of the body; what is no command is taken and kept out', async () => {
    const { post, alerts, woken } = await webhookWorld()
    const body = JSON.stringify({ zen: 'Keep it logically awesome.' })
    const headers = { 'x-github-event': 'ping', 'x-hub-signature-256': `sha256=${await hmac(secrets.SIGNING_KEY ?? '', body)}` }
    const response = await post('github', body, headers)
    expect([response.status, await response.json()]).toEqual([202, { received: 0, repeated: 0, notes: ['the webhook was set up'] }])
    expect([await alerts(), woken()]).toEqual([[], 0])
  })
})
