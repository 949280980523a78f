import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import { now, ref, secrets, verdict } from './admit-webhook-auth-world.ts'

describe('a bearer token', () => {
  const source = { kind: 'alertmanager', auth: { bearer: [ref('first'), ref('second')] } }

  test.each([
    ['the first', 'Bearer made-up-token-number-one'],
    ['the second, while one is replaced', 'Bearer made-up-token-number-two'],
    ['a scheme in small letters', 'bearer made-up-token-number-one'],
  ])('is taken: %s', async (_, authorization) => {
    expect(await verdict(source, { authorization })).toBe('ok')
  })

  test.each([
    ['another one', 'Bearer made-up-token-number-six', '401 The bearer token is not one of this source'],
    ['one that is longer', 'Bearer made-up-token-number-one1', '401 The bearer token is not one of this source'],
    ['one that is shorter', 'Bearer made-up-token-number-on', '401 The bearer token is not one of this source'],
    ['none', 'Bearer', '400 The Authorization header is not, or not once, of the form "Bearer TOKEN"'],
    ['two', 'Bearer made-up-token-number-one, Bearer x', '400 The Authorization header is not'],
    ['the token twice', 'Bearer made-up-token-number-one,made-up-token-number-one', '400 The Authorization header is not'],
    ['another scheme', 'Basic bWFkZTp1cA==', '400 The Authorization header is not'],
  ])('is refused: %s', async (_, authorization, message) => {
    expect(await verdict(source, { authorization })).toContain(message)
  })

  test('is missing', async () => {
    expect(await verdict(source, {})).toBe('401 The request has no Authorization header; this source expects "Bearer TOKEN"')
  })
})

describe('user name and password', () => {
  const source = { kind: 'grafana', auth: { basic: { username: 'gräfin', password: ref('password') } } }
  const basic = (text: string) => `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`

  test('are read as UTF-8', async () => {
    expect(await verdict(source, { authorization: basic(`gräfin:${secrets.password}`) })).toBe('ok')
  })

  test.each([
    ['another password', basic('gräfin:made-up'), '401 User name or password is not that of this source'],
    ['another user', basic(`graf:${secrets.password}`), '401 User name or password'],
    ['no colon', basic('gräfin'), '401 User name or password'],
    ['Latin-1', `Basic ${btoa('gr\xe4fin:x')}`, '400 The Authorization header is not'],
    ['no base64', 'Basic !!!!', '400 The Authorization header is not'],
    ['broken base64', 'Basic abcde', '400 The Authorization header is not'],
    ['a bearer', 'Bearer made-up-token-number-one', '400 The Authorization header is not'],
  ])('are refused: %s', async (_, authorization, message) => {
    expect(await verdict(source, { authorization })).toContain(message)
  })

  test('are missing', async () => {
    expect(await verdict(source, {})).toContain('401 The request has no Authorization header; this source expects a user name and a password')
  })
})

describe('GitHub', () => {
  const source = { kind: 'github', secrets: [ref('first'), ref('everybody')], tracker: 'github' }
  // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'

  test('the values of its documentation', async () => {
    const headers = { 'x-hub-signature-256': signature, 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' }
    expect(await verdict(source, headers, 'Hello, World!')).toBe('ok 72d3162e-cc78-11e3-81ab-4c9367dc0958')
  })

  test('large hexadecimal digits are digits', async () => {
    expect(await verdict(source, { 'x-hub-signature-256': signature.toUpperCase().replace('SHA', 'sha') }, 'Hello, World!')).toBe('ok')
  })

  test.each([
    ['another body', signature, 'Hello, World', '401 The signature in X-Hub-Signature-256 is not of this body by a secret of this source'],
    ['twice', `${signature}, ${signature}`, 'Hello, World!', '400 The header X-Hub-Signature-256 comes more than once'],
    ['SHA-1', 'sha1=03d2c1f5', 'Hello, World!', '400 The header X-Hub-Signature-256 is not "sha256=" and 64 hexadecimal digits'],
    ['half of it', signature.slice(0, 40), 'Hello, World!', '400'],
    ['other signs', `sha256=${'g'.repeat(64)}`, 'Hello, World!', '400'],
    ['nothing', '', 'Hello, World!', '400'],
  ])('refused: %s', async (_, header, body, message) => {
    expect(await verdict(source, { 'x-hub-signature-256': header }, body)).toContain(message)
  })

  test('the old signature is not enough', async () => {
    expect(await verdict(source, { 'x-hub-signature': 'sha1=x' }, 'Hello, World!')).toBe(
      '401 The request has no X-Hub-Signature-256 header; set the secret of the webhook',
    )
  })
})

describe('Jira', () => {
  const source = { kind: 'jira', secrets: [ref('everybody')], tracker: 'jira' }
  // https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
  const signature = 'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9'

  test('the values of its documentation', async () => {
    const headers = { 'x-hub-signature': signature, 'x-atlassian-webhook-identifier': 'hook-1' }
    expect(await verdict(source, headers, 'Hello World!')).toBe('ok hook-1')
  })

  test('an id that is none is left out', async () => {
    expect(await verdict(source, { 'x-hub-signature': signature, 'x-atlassian-webhook-identifier': 'a, b' }, 'Hello World!')).toBe('ok')
  })

  test('a webhook without a secret is not signed', async () => {
    expect(await verdict(source, {}, 'Hello World!')).toBe('401 The request has no X-Hub-Signature header; set the secret of the webhook')
  })
})

describe('GitLab', () => {
  const source = { kind: 'gitlab', auth: { tokens: [ref('first'), ref('second')] }, tracker: 'gitlab' }

  test.each(['first', 'second'])('the %s token', async (name) => {
    expect(await verdict(source, { 'x-gitlab-token': secrets[name] ?? '', 'idempotency-key': 'k-1' })).toBe('ok k-1')
  })

  test.each([
    ['another', { 'x-gitlab-token': 'made-up' }, '401 The token in X-Gitlab-Token is not one of this source'],
    [
      'twice',
      { 'x-gitlab-token': `${secrets.first}, ${secrets.first}` },
      '401 The token in X-Gitlab-Token is not one of this source, or comes more than once',
    ],
    ['none', {}, '401 The request has no X-Gitlab-Token header; set the secret token of the webhook'],
  ])('refused: %s', async (_, headers, message) => {
    expect(await verdict(source, headers)).toContain(message)
  })

  test('its signing token is that of Standard Webhooks', async () => {
    const signing = { kind: 'gitlab', auth: { signing: [ref('whsec')] }, tracker: 'gitlab' }
    const headers = { 'webhook-id': 'g-1', 'webhook-timestamp': String(now / 1000) }
    const signature = new Webhook(secrets.whsec ?? '').sign('g-1', new Date(now), '{}')
    expect(await verdict(signing, { ...headers, 'webhook-signature': signature }, '{}')).toBe('ok g-1')
    expect(await verdict(signing, { ...headers, 'x-gitlab-token': secrets.first ?? '' }, '{}')).toContain('401 The request has no webhook-signature')
  })
})

test.each(['first', 'everybody'])('an empty secret matches nothing, beside %s', async (name) => {
  expect(
    await verdict({ kind: 'alertmanager', auth: { basic: { username: 'a', password: ref('empty') } } }, { authorization: `Basic ${btoa('a:')}` }),
  ).toContain('401')
  expect(
    await verdict({ kind: 'github', secrets: [ref('empty'), ref(name)], tracker: 't' }, { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }),
  ).toContain('401')
})
