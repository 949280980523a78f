import { platform } from '#platform'
import type { ConfigInput } from '../../src/config.ts'
import type { Deps } from '../../src/deps.ts'
import type { AlertRecord } from '../../src/ports/records/intake.ts'
import { type Setup, secrets, setUp } from './setup.ts'

export const bearer = { authorization: `Bearer ${secrets.ALERT_TOKEN}` }

/** Sources of several kinds, and how often the app woke whoever settles. */
export async function webhookWorld(parts: Partial<Deps> = {}, change: Partial<ConfigInput> = {}) {
  let woken = 0
  const setup: Setup = await setUp(
    {
      sources: {
        alertmanager: { kind: 'alertmanager', auth: { bearer: [{ env: 'ALERT_TOKEN' }] } },
        grafana: { kind: 'grafana', auth: { basic: { username: 'grafana', password: { env: 'ALERT_TOKEN' } } } },
        pagerduty: { kind: 'pagerduty', secrets: [{ env: 'SIGNING_KEY' }] },
        signed: { kind: 'standard', secrets: [{ env: 'WHSEC' }] },
        github: { kind: 'github', secrets: [{ env: 'SIGNING_KEY' }], tracker: 'redmine', users: { octo: 'alice' } },
      },
      ...change,
    },
    { wake: () => void woken++, ...parts },
  )
  return {
    ...setup,
    woken: () => woken,
    alerts: (): Promise<readonly AlertRecord[]> => setup.deps.records.listAlerts({}, { limit: 1000 }),
    post: (source: string, body: unknown, headers: Readonly<Record<string, string>> = bearer): Promise<Response> =>
      platform.ask(setup.app, `/v1/webhooks/${source}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}

/** Hexadecimal HMAC-SHA256 of the body. */
export async function hmac(secret: string, body: string): Promise<string> {
  const bytes = new TextEncoder()
  const key = await crypto.subtle.importKey('raw', bytes.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const made = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes.encode(body)))
  return Array.from(made, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
