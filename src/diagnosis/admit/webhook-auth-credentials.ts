import type { VerifiedWebhook, WebhookMessage } from '../../deps.ts'
import { accepted, idIn, rejected, sameText } from './webhook-auth-parts.ts'

const noAuthorization = 'The request has no Authorization header'

/** `Authorization: Bearer TOKEN`, RFC 6750. */
export async function verifyBearer({ headers }: WebhookMessage, tokens: readonly string[]): Promise<VerifiedWebhook> {
  const header = headers.get('authorization')
  if (header === null) return rejected(401, `${noAuthorization}; this source expects "Bearer TOKEN"`)
  const [, token] = /^bearer +([^\s,]{1,4096})$/i.exec(header.trim()) ?? []
  if (token === undefined) return rejected(400, `The Authorization header is not, or not once, of the form "Bearer TOKEN"`)
  return (await isOneOf(token, tokens)) ? accepted(undefined) : rejected(401, 'The bearer token is not one of this source')
}

/** `Authorization: Basic …`, RFC 7617 with UTF-8: https://www.rfc-editor.org/rfc/rfc7617#section-2.1 */
export async function verifyBasic({ headers }: WebhookMessage, username: string, passwords: readonly string[]): Promise<VerifiedWebhook> {
  const header = headers.get('authorization')
  if (header === null) return rejected(401, `${noAuthorization}; this source expects a user name and a password (Basic)`)
  const [, encoded] = /^basic +([A-Za-z0-9+/]{1,8192}={0,2})$/i.exec(header.trim()) ?? []
  const given = encoded === undefined ? undefined : textOfBase64(encoded)
  if (given === undefined) return rejected(400, 'The Authorization header is not, or not once, "Basic" and the base64 of user:password in UTF-8')
  const expected = passwords.map((password) => `${username}:${password}`)
  return (await isOneOf(given, expected)) ? accepted(undefined) : rejected(401, 'User name or password is not that of this source')
}

/** A header that is the secret itself. */
export async function verifyPlainToken(
  { headers }: WebhookMessage,
  tokens: readonly string[],
  names: { readonly header: string; readonly idHeader: string },
): Promise<VerifiedWebhook> {
  const given = headers.get(names.header)
  if (given === null || given === '') return rejected(401, `The request has no ${names.header} header; set the secret token of the webhook`)
  return (await isOneOf(given, tokens))
    ? accepted(idIn(headers, names.idHeader))
    : rejected(401, `The token in ${names.header} is not one of this source, or comes more than once`)
}

/** All are compared to the end, whichever matches. */
async function isOneOf(given: string, expected: readonly string[]): Promise<boolean> {
  const same = await Promise.all(expected.map((secret) => sameText(given, secret)))
  return same.includes(true)
}

function textOfBase64(encoded: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
