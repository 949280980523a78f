import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { now, ref, secrets, verdict } from './admit-webhook-auth-world.ts'

describe('PagerDuty', () => {
  const source = { kind: 'pagerduty', secrets: [ref('first'), ref('pagerduty')] }
  const body = '{"event":{"id":"e1"}}'
  // openssl dgst -sha256 -hmac made-up-pagerduty-secret
  const right = 'v1=a0c571b22a24151d762ecf464a913ee9aacee0e37630a98aaa0218d2be770c8e'
  const other = `v1=${'0'.repeat(64)}`

  test.each([
    ['one signature', right],
    ['the first of two', `${right},${other}`],
    ['the second of two', `${other}, ${right}`],
    ['beside another version', `v2=abc,${right}`],
  ])('%s; the id is that of the event', async (_, signature) => {
    expect(await verdict(source, { 'x-pagerduty-signature': signature }, body)).toBe('ok e1')
  })

  test.each([
    ['another body', right, '{}', '401 The signature in X-PagerDuty-Signature is not of this body'],
    ['another signature', other, body, '401 The signature in X-PagerDuty-Signature is not of this body'],
    ['another version alone', 'v2=abc', body, '400 The header X-PagerDuty-Signature has no signature of version 1'],
    ['one that is no signature', `${right},v1=abc`, body, '400 The header X-PagerDuty-Signature has a signature that is not'],
    ['eleven', Array(11).fill(right).join(','), body, '400 The header X-PagerDuty-Signature has more than 10 signatures'],
  ])('refused: %s', async (_, signature, given, message) => {
    expect(await verdict(source, { 'x-pagerduty-signature': signature }, given)).toContain(message)
  })

  test('no signature', async () => {
    expect(await verdict(source, {}, body)).toBe('401 The request has no X-PagerDuty-Signature header; only webhooks of version 3 have one')
  })
})

describe('Grafana’s HMAC', () => {
  const hmac = { secrets: [ref('grafana')] }
  const body = '{"version":"1"}'
  // openssl dgst -sha256 -hmac made-up-grafana-secret, of the body, and of 1795780200:BODY
  const plain = '0ca97ca6f762ad5424bb5cf96f94bed9e1c793dfcca10fe5ba1c165a38218165'
  const timed = '7c8e097833022f89ebca1909948f94d13163ee48b155e4683efe38d659909d7d'
  const source = (more: object = {}) => ({ kind: 'grafana', auth: { hmac: { ...hmac, ...more } } })
  const withTime = source({ timestampHeader: 'X-Grafana-Time' })

  test('of the body', async () => {
    expect(await verdict(source(), { 'x-grafana-alerting-signature': plain }, body)).toBe('ok')
  })

  test('in a header of another name', async () => {
    expect(await verdict(source({ header: 'X-Mine' }), { 'x-mine': plain }, body)).toBe('ok')
  })

  test('of time and body', async () => {
    expect(await verdict(withTime, { 'x-grafana-alerting-signature': timed, 'x-grafana-time': '1795780200' }, body)).toBe('ok')
  })

  test.each([
    [
      'another body',
      source(),
      { 'x-grafana-alerting-signature': plain },
      '401 The signature in X-Grafana-Alerting-Signature is not of this body by a secret of this source; if the contact point has a timestamp header, configure its name, too',
    ],
    [
      'a signature without the time',
      withTime,
      { 'x-grafana-alerting-signature': plain, 'x-grafana-time': '1795780200' },
      '401 The signature in X-Grafana-Alerting-Signature is not',
    ],
    [
      'another time',
      withTime,
      { 'x-grafana-alerting-signature': timed, 'x-grafana-time': '1795780201' },
      '401 The signature in X-Grafana-Alerting-Signature is not',
    ],
    ['no time', withTime, { 'x-grafana-alerting-signature': timed }, '401 The header X-Grafana-Time is missing'],
    [
      'two times',
      withTime,
      { 'x-grafana-alerting-signature': timed, 'x-grafana-time': '1, 2' },
      '400 The header X-Grafana-Time comes more than once',
    ],
    [
      'a date',
      withTime,
      { 'x-grafana-alerting-signature': timed, 'x-grafana-time': '2026-11-27' },
      '400 The header X-Grafana-Time is not a time in whole seconds since 1970',
    ],
    ['no signature', source(), {}, '401 The request has no X-Grafana-Alerting-Signature header; set the HMAC signature of the contact point'],
    [
      'two signatures',
      source(),
      { 'x-grafana-alerting-signature': `${plain}, ${plain}` },
      '400 The header X-Grafana-Alerting-Signature comes more than once',
    ],
    [
      'half of one',
      source(),
      { 'x-grafana-alerting-signature': plain.slice(1) },
      '400 The header X-Grafana-Alerting-Signature is not 64 hexadecimal digits',
    ],
  ])('refused: %s', async (_, of, headers, message) => {
    expect(await verdict(of, headers as Record<string, string>, '{"version":"2"}')).toContain(message)
  })

  test.each([
    ['300 s ago', 300, 'ok'],
    ['300 s ahead', -300, 'ok'],
    ['301 s ago', 301, '401 The time in X-Grafana-Time is 301 s from now, at most 300 s are allowed'],
    ['301 s ahead', -301, '401 The time in X-Grafana-Time is 301 s from now, at most 300 s are allowed'],
  ])('a message signed %s', async (_, seconds, expected) => {
    const headers = { 'x-grafana-alerting-signature': timed, 'x-grafana-time': '1795780200' }
    expect(await verdict(withTime, headers, body, now + seconds * 1000)).toContain(expected)
  })
})

describe('Standard Webhooks', () => {
  const source = (more: object = {}) => ({ kind: 'standard', secrets: [ref('otherWhsec'), ref('whsec')], ...more })
  // https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_test.go
  const vector = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  }
  const body = '{"test": 2432232314}'
  const then = 1_614_265_330_000
  const ok = 'ok msg_p5jXN8AQM9LWM0D4loKWxJek'
  const other = `v1,${btoa('x'.repeat(32))}`

  test('the values of its own tests', async () => {
    expect(await verdict(source(), vector, body, then)).toBe(ok)
  })

  test.each([
    ['the second of two', `${other} ${vector['webhook-signature']}`],
    ['beside versions that are unknown', `v1a,${btoa('x'.repeat(64))} v2,abc ${vector['webhook-signature']}`],
    ['with more than one space', `  ${other}   ${vector['webhook-signature']}`],
  ])('a signature %s', async (_, signature) => {
    expect(await verdict(source(), { ...vector, 'webhook-signature': signature }, body, then)).toBe(ok)
  })

  test.each([
    ['another id', { 'webhook-id': 'msg_other' }, '401 The signature in webhook-signature is not of this message'],
    ['another time', { 'webhook-timestamp': '1614265331' }, '401 The signature in webhook-signature is not of this message'],
    ['another signature', { 'webhook-signature': other }, '401 The signature in webhook-signature is not of this message'],
    ['two ids', { 'webhook-id': 'a, b' }, '400 The header webhook-id is not one id'],
    ['an id that is too long', { 'webhook-id': 'x'.repeat(256) }, '400 The header webhook-id is not one id'],
    ['no id', { 'webhook-id': '' }, '400 The header webhook-id is not one id'],
    ['two times', { 'webhook-timestamp': '1614265330, 1614265330' }, '400 The header webhook-timestamp comes more than once'],
    ['a time with a fraction', { 'webhook-timestamp': '1614265330.5' }, '400 The header webhook-timestamp is not a time'],
    ['a time below zero', { 'webhook-timestamp': '-1614265330' }, '400 The header webhook-timestamp is not a time'],
    ['two headers of signatures', { 'webhook-signature': `${other}, ${other}` }, '400 The header webhook-signature comes more than once'],
    [
      'another version alone',
      { 'webhook-signature': `v1a,${btoa('x'.repeat(64))}` },
      '400 The header webhook-signature has no signature of version 1',
    ],
    ['an empty signature', { 'webhook-signature': 'v1,' }, '400 The header webhook-signature has a signature that is not'],
    ['eleven signatures', { 'webhook-signature': Array(11).fill(other).join(' ') }, '400 The header webhook-signature has more than 10'],
  ])('refused: %s', async (_, change, message) => {
    expect(await verdict(source(), { ...vector, ...change }, body, then)).toContain(message)
  })

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const)('refused: without %s', async (name) => {
    const { [name]: _, ...rest } = vector
    expect(await verdict(source(), rest, body, then)).toMatch(new RegExp(`^401 The (request has no|header) ${name}`))
  })

  test.each([
    [300, 300, 'ok'],
    [300, 301, '401'],
    [300, -301, '401'],
    [3600, 3600, 'ok'],
    [3600, 3601, '401'],
    [10, 11, '401'],
  ])('a tolerance of %i s, and %i s later', async (toleranceSeconds, seconds, expected) => {
    expect(await verdict(source({ toleranceSeconds }), vector, body, then + seconds * 1000)).toContain(expected)
  })

  test.each([
    ['a byte order mark', new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), 'ok'],
    ['other characters than ASCII', new TextEncoder().encode('{"a":"grün ☃"}'), 'ok'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), '400 The body is not UTF-8'],
  ])('a body with %s', async (_, bytes, expected) => {
    const signature = new Webhook(secrets.whsec ?? '').sign('m', new Date(now), new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
    const headers = { 'webhook-id': 'm', 'webhook-timestamp': String(now / 1000), 'webhook-signature': signature }
    expect(await verdict(source(), headers, bytes)).toContain(expected)
  })
})
