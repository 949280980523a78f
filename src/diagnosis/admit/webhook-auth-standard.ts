import { Webhook } from 'standardwebhooks'
import type { VerifiedWebhook, WebhookMessage } from '../../deps.ts'
import { accepted, bytesOfText, complainAboutTime, isId, rejected, sameBytes } from './webhook-auth-parts.ts'

const maxSignatures = 10

/**
 * Standard Webhooks, and GitLab's signing token, which is the same:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#verifying-webhook-authenticity
 *
 * The package signs; that the time is near, and that the signature is the same, is looked at here, because its own `verify` knows one
 * tolerance and the clock of the machine only. Throws where a secret is not base64: see `complainAboutSecret`.
 */
export async function verifyStandard(
  { headers, body }: WebhookMessage,
  secrets: readonly string[],
  toleranceSeconds: number,
  now: number,
): Promise<VerifiedWebhook> {
  const id = headers.get('webhook-id')
  if (id === null) return rejected(401, 'The request has no webhook-id header: it is not signed as Standard Webhooks says')
  if (!isId(id)) return rejected(400, 'The header webhook-id is not one id of at most 255 visible characters, without a comma')
  const time = headers.get('webhook-timestamp')
  const complaint = complainAboutTime('webhook-timestamp', time, toleranceSeconds, now)
  if (complaint) return complaint
  const signatures = signaturesIn(headers.get('webhook-signature'))
  if (!Array.isArray(signatures)) return signatures
  const payload = textOf(body)
  if (payload === undefined) return rejected(400, 'The body is not UTF-8')
  const signedAt = new Date(Number(time) * 1000)
  const expected = secrets.map((secret) => new Webhook(secret).sign(id, signedAt, payload))
  const same = expected.flatMap((right) => signatures.map((given) => sameBytes(bytesOfText(right), bytesOfText(given))))
  return same.includes(true) ? accepted(id) : rejected(401, 'The signature in webhook-signature is not of this message by a secret of this source')
}

/** Those of version 1 with their `v1,`; other versions are passed over, as the specification says. */
function signaturesIn(header: string | null): string[] | VerifiedWebhook {
  const name = 'webhook-signature'
  if (header === null) return rejected(401, `The request has no ${name} header: it is not signed as Standard Webhooks says`)
  const entries = header.split(' ').filter((entry) => entry !== '')
  if (entries.length > maxSignatures) return rejected(400, `The header ${name} has more than ${maxSignatures} signatures`)
  if (entries.some((entry) => entry.endsWith(',') && entry !== 'v1,')) return rejected(400, `The header ${name} comes more than once`)
  const ours = entries.filter((entry) => entry.startsWith('v1,'))
  if (ours.length === 0) return rejected(400, `The header ${name} has no signature of version 1, "v1," and base64`)
  if (!ours.every((entry) => /^v1,[A-Za-z0-9+/]{43}=$/.test(entry)))
    return rejected(400, `The header ${name} has a signature that is not "v1," and the base64 of 32 bytes`)
  return ours
}

/** With a byte order mark, if there is one: it is signed, too. */
function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return undefined
  }
}
