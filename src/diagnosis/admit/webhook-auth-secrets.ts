import type { Config, SecretRef } from '../../config.ts'

/** `token`: goes over the wire as it is. `password`: of a user name. `key`: any text that signs. `whsec`: a key of Standard Webhooks. */
export type SecretKind = 'token' | 'password' | 'key' | 'whsec'

interface SourceSecret {
  readonly kind: SecretKind
  readonly ref: SecretRef
  /** Where it stands, from the source on. */
  readonly path: readonly (string | number)[]
}

/** The secrets of a source, and of which kind each is. */
export function secretsOfSource(source: Config['sources'][string]): readonly SourceSecret[] {
  const list = (kind: SecretKind, refs: readonly SecretRef[], path: readonly string[]) => refs.map((ref, at) => ({ kind, ref, path: [...path, at] }))
  if (source.kind === 'standard') return list('whsec', source.secrets, ['secrets'])
  if ('secrets' in source) return list('key', source.secrets, ['secrets'])
  const { auth } = source
  if ('bearer' in auth) return list('token', auth.bearer, ['auth', 'bearer'])
  if ('tokens' in auth) return list('token', auth.tokens, ['auth', 'tokens'])
  if ('signing' in auth) return list('whsec', auth.signing, ['auth', 'signing'])
  if ('basic' in auth) return [{ kind: 'password', ref: auth.basic.password, path: ['auth', 'basic', 'password'] }]
  return list('key', auth.hmac.secrets, ['auth', 'hmac', 'secrets'])
}

const minLength = 16

/** What is wrong with a secret of the configuration, for the start of the service; nothing of the secret is in the text. */
export function complainAboutSecret(kind: SecretKind, secret: string): string | undefined {
  if (secret.trim() !== secret) return 'the secret begins or ends with white space'
  if (kind === 'whsec') return complainAboutWhsec(secret)
  if (secret.length < minLength) return `the secret has ${secret.length} characters, expected at least ${minLength}: openssl rand -hex 32 makes one`
  if (kind !== 'token') return undefined
  if (!/^[\x21-\x7e]+$/.test(secret))
    return 'the token has characters that a header cannot hold; expected letters, digits and signs of ASCII, no spaces'
  if (secret.includes(',')) return 'the token must not have a comma'
  return secret.length > 4096 ? `the token has ${secret.length} characters, at most 4096 are allowed` : undefined
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme */
function complainAboutWhsec(secret: string): string | undefined {
  const expected = 'expected "whsec_" and the base64 of 24 to 64 random bytes'
  if (!secret.startsWith('whsec_')) return `the secret does not begin with "whsec_"; ${expected}`
  const base64 = secret.slice('whsec_'.length)
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return `what follows "whsec_" is not base64; ${expected}`
  const bytes = atob(base64).length
  return bytes < 24 || bytes > 64 ? `the secret has ${bytes} bytes; ${expected}` : undefined
}
