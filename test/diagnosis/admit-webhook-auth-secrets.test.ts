import { describe, expect, test } from 'vitest'
import { complainAboutSecret, secretsOfSource } from '../../src/diagnosis/admit/webhook-auth-secrets.ts'
import { ref, sourceOf } from './admit-webhook-auth-world.ts'

const whsec = (bytes: number) => `whsec_${btoa('m'.repeat(bytes))}`

describe('a secret', () => {
  test.each([
    ['token', 'made-up-token-of-24-signs'],
    ['password', 'made up, with späces'],
    ['key', "It's a Secret to Everybody"],
    ['whsec', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['whsec', whsec(24)],
    ['whsec', whsec(64)],
  ] as const)('of the kind %s may be %s', (kind, secret) => {
    expect(complainAboutSecret(kind, secret)).toBeUndefined()
  })

  test.each([
    ['token', 'short', 'the secret has 5 characters, expected at least 16'],
    ['password', 'made-up', 'expected at least 16'],
    ['key', '', 'the secret has 0 characters'],
    ['key', 'made-up-key-of-24-signs\n', 'the secret begins or ends with white space'],
    ['token', 'made up token of 24 signs', 'the token has characters that a header cannot hold'],
    ['token', 'made-up-tökén-of-24-signs', 'the token has characters that a header cannot hold'],
    ['token', 'made-up,token-of-24-signs', 'the token must not have a comma'],
    ['token', 'x'.repeat(4097), 'at most 4096 are allowed'],
    ['whsec', btoa('m'.repeat(32)), 'the secret does not begin with "whsec_"'],
    ['whsec', 'whsec_', 'what follows "whsec_" is not base64'],
    ['whsec', 'whsec_made-up-and-not-base64', 'what follows "whsec_" is not base64'],
    ['whsec', 'whsec_bWFkZQ=', 'what follows "whsec_" is not base64'],
    ['whsec', whsec(23), 'the secret has 23 bytes; expected "whsec_" and the base64 of 24 to 64 random bytes'],
    ['whsec', whsec(65), 'the secret has 65 bytes'],
    ['whsec', `whsk_${btoa('m'.repeat(32))}`, 'the secret does not begin with "whsec_"'],
  ] as const)('of the kind %s must not be %j', (kind, secret, message) => {
    const complaint = complainAboutSecret(kind, secret)
    expect(complaint).toContain(message)
    if (secret.length > 8) expect(complaint).not.toContain(secret.trim().slice(6))
  })
})

test.each([
  [{ kind: 'alertmanager', auth: { bearer: [ref('first'), ref('second')] } }, ['token auth.bearer.0', 'token auth.bearer.1']],
  [{ kind: 'grafana', auth: { basic: { username: 'u', password: ref('password') } } }, ['password auth.basic.password']],
  [{ kind: 'grafana', auth: { hmac: { secrets: [ref('grafana')] } } }, ['key auth.hmac.secrets.0']],
  [{ kind: 'pagerduty', secrets: [ref('pagerduty')] }, ['key secrets.0']],
  [{ kind: 'standard', secrets: [ref('whsec')] }, ['whsec secrets.0']],
  [{ kind: 'github', secrets: [ref('first')], tracker: 't' }, ['key secrets.0']],
  [{ kind: 'jira', secrets: [ref('first')], tracker: 't' }, ['key secrets.0']],
  [{ kind: 'gitlab', auth: { tokens: [ref('first')] }, tracker: 't' }, ['token auth.tokens.0']],
  [{ kind: 'gitlab', auth: { signing: [ref('whsec')] }, tracker: 't' }, ['whsec auth.signing.0']],
])('the secrets of %j', (source, expected) => {
  expect(secretsOfSource(sourceOf(source)).map(({ kind, path }) => `${kind} ${path.join('.')}`)).toEqual(expected)
})
