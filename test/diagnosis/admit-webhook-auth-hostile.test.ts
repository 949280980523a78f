import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { now, ref, secrets, verdict } from './admit-webhook-auth-world.ts'

const encoder = new TextEncoder()

async function hexOf(secret: string, data: Uint8Array<ArrayBuffer>): Promise<string> {
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return Array.from(new Uint8Array(await crypto.subtle.sign('HMAC', key, data)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const time = String(now / 1000)

/** Each scheme that signs: how its sender proves a body, and which header holds the proof. */
const schemes = [
  {
    name: 'github',
    source: { kind: 'github', secrets: [ref('first')], tracker: 't' },
    header: 'x-hub-signature-256',
    sign: async (body: Uint8Array<ArrayBuffer>) => ({ 'x-hub-signature-256': `sha256=${await hexOf(secrets.first ?? '', body)}` }),
  },
  {
    name: 'jira',
    source: { kind: 'jira', secrets: [ref('first')], tracker: 't' },
    header: 'x-hub-signature',
    sign: async (body: Uint8Array<ArrayBuffer>) => ({ 'x-hub-signature': `sha256=${await hexOf(secrets.first ?? '', body)}` }),
  },
  {
    name: 'pagerduty',
    source: { kind: 'pagerduty', secrets: [ref('first')] },
    header: 'x-pagerduty-signature',
    sign: async (body: Uint8Array<ArrayBuffer>) => ({ 'x-pagerduty-signature': `v1=${await hexOf(secrets.first ?? '', body)}` }),
  },
  {
    name: 'grafana',
    source: { kind: 'grafana', auth: { hmac: { secrets: [ref('first')], timestampHeader: 'x-time' } } },
    header: 'x-grafana-alerting-signature',
    sign: async (body: Uint8Array<ArrayBuffer>) => ({
      'x-grafana-alerting-signature': await hexOf(secrets.first ?? '', new Uint8Array([...encoder.encode(`${time}:`), ...body])),
      'x-time': time,
    }),
  },
  {
    name: 'standard',
    source: { kind: 'standard', secrets: [ref('whsec')] },
    header: 'webhook-signature',
    sign: async (body: Uint8Array<ArrayBuffer>) => ({
      'webhook-id': 'm-1',
      'webhook-timestamp': time,
      'webhook-signature': new Webhook(secrets.whsec ?? '').sign('m-1', new Date(now), new TextDecoder('utf-8', { ignoreBOM: true }).decode(body)),
    }),
  },
] as const

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }).map((one) => Uint8Array.from(encoder.encode(one)))
const flipped = (bytes: Uint8Array, at: number, bit: number) => bytes.map((byte, n) => (n === at % bytes.length ? byte ^ (1 << bit) : byte))

describe.each(schemes)('$name', ({ source, header, sign }) => {
  const signed: (body: Uint8Array<ArrayBuffer>) => Promise<Record<string, string>> = sign

  test('what is signed is taken', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (body) => {
        expect(await verdict(source, await sign(body), body)).toMatch(/^ok/)
      }),
      { numRuns: 50 },
    )
  })

  test('a body in which one bit is another is refused', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.nat(), fc.integer({ min: 0, max: 7 }), async (body, at, bit) => {
        expect(await verdict(source, await sign(body), flipped(body, at, bit))).toMatch(/^40[01] /)
      }),
      { numRuns: 100 },
    )
  })

  test('a signature in which one sign is another is refused', async () => {
    const sign64 = fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=, ')
    await fc.assert(
      fc.asyncProperty(text, fc.nat(), sign64, async (body, at, other) => {
        const headers = await signed(body)
        const proof = headers[header] ?? ''
        const changed = Array.from(proof, (one, n) => (n === at % proof.length ? other : one)).join('')
        fc.pre(changed.trim().toLowerCase() !== proof.toLowerCase() || (header === 'webhook-signature' && changed !== proof))
        expect(await verdict(source, { ...headers, [header]: changed }, body)).toMatch(/^40[01] /)
      }),
      { numRuns: 100 },
    )
  })

  test('a signature by another secret is refused', async () => {
    const others = JSON.parse(JSON.stringify(source).replace('"first"', '"second"').replace('"whsec"', '"otherWhsec"')) as object
    expect(await verdict(others, await sign(encoder.encode('{}')), '{}')).toMatch(/^401 /)
  })
})

describe('whatever the headers, nothing is thrown, and no message tells a secret or what was sent', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 300 }).map((one) => one.replace(/[^\x20-\x7e]/g, '')),
    fc.constantFrom('Bearer zzzzzzzz', 'Basic enp6enp6eno6eno=', 'sha256=zzzzzzzz', 'v1,zzzzzzzz', 'v1=zzzzzzzz', time, 'zzzzzzzz'),
  )
  const names = ['authorization', 'x-gitlab-token', 'x-time', 'webhook-id', 'webhook-timestamp', ...schemes.map((scheme) => scheme.header)]
  const headers = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] })
  const sources = [
    ...schemes.map(({ source }) => source),
    { kind: 'alertmanager', auth: { bearer: [ref('first'), ref('second')] } },
    { kind: 'grafana', auth: { basic: { username: 'user', password: ref('password') } } },
    { kind: 'gitlab', auth: { tokens: [ref('first')] }, tracker: 't' },
    { kind: 'gitlab', auth: { signing: [ref('whsec')] }, tracker: 't' },
  ]

  test.each(sources.map((source) => [source.kind, source] as const))('%s', async (_, source) => {
    await fc.assert(
      fc.asyncProperty(headers, fc.uint8Array({ maxLength: 50 }), async (given, body) => {
        const answer = await verdict(source, given as Record<string, string>, body)
        expect(answer).toMatch(/^40[01] /)
        expect(answer).not.toContain('zzz')
        for (const secret of Object.values(secrets)) if (secret !== '') expect(answer).not.toContain(secret)
      }),
      { numRuns: 100 },
    )
  })
})
