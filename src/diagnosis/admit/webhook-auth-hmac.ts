import type { VerifiedWebhook, WebhookMessage } from '../../deps.ts'
import { accepted, bytesOfHex, bytesOfText, complainAboutTime, hmac, idIn, isId, joined, rejected, sameBytes } from './webhook-auth-parts.ts'

/** More would only be work for us: a sender has two while a secret is replaced. */
const maxSignatures = 10

/**
 * `HEADER: sha256=<hex>` over the body: GitHub, https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, and Jira,
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks. The id is in a header that is not signed.
 */
export async function verifySha256(
  { headers, body }: WebhookMessage,
  secrets: readonly string[],
  names: { readonly header: string; readonly idHeader: string },
): Promise<VerifiedWebhook> {
  const header = headers.get(names.header)
  if (header === null) return rejected(401, `The request has no ${names.header} header; set the secret of the webhook`)
  if (header.includes(',')) return rejected(400, `The header ${names.header} comes more than once`)
  const [, hex = ''] = /^sha256=(.*)$/.exec(header.trim()) ?? []
  const signature = bytesOfHex(hex)
  if (!signature) return rejected(400, `The header ${names.header} is not "sha256=" and 64 hexadecimal digits`)
  return (await isSigned([signature], secrets, joined(body))) ? accepted(idIn(headers, names.idHeader)) : wrong(names.header)
}

/**
 * `X-PagerDuty-Signature: v1=<hex>,v1=<hex>` over the body, one for each secret that the subscription has:
 * https://github.com/PagerDuty/developer-docs/blob/main/docs/webhooks/04-Signatures.md. The id is that of the event, which is signed.
 */
export async function verifyPagerDuty({ headers, body }: WebhookMessage, secrets: readonly string[]): Promise<VerifiedWebhook> {
  const name = 'X-PagerDuty-Signature'
  const header = headers.get(name)
  if (header === null) return rejected(401, `The request has no ${name} header; only webhooks of version 3 have one`)
  const entries = header.split(',').map((entry) => entry.trim())
  if (entries.length > maxSignatures) return rejected(400, `The header ${name} has more than ${maxSignatures} signatures`)
  const ours = entries.filter((entry) => entry.startsWith('v1='))
  if (ours.length === 0) return rejected(400, `The header ${name} has no signature of version 1, "v1=" and 64 hexadecimal digits`)
  const signatures = ours.map((entry) => bytesOfHex(entry.slice(3))).filter((signature) => signature !== undefined)
  if (signatures.length < ours.length) return rejected(400, `The header ${name} has a signature that is not "v1=" and 64 hexadecimal digits`)
  return (await isSigned(signatures, secrets, joined(body))) ? accepted(eventId(body)) : wrong(name)
}

/**
 * Hexadecimal digits over the body, or over `TIME:BODY` where the contact point sends a time:
 * https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/#hmac-signature
 */
export async function verifyGrafana(
  { headers, body }: WebhookMessage,
  secrets: readonly string[],
  names: { readonly header: string; readonly timestampHeader?: string | undefined; readonly toleranceSeconds: number },
  now: number,
): Promise<VerifiedWebhook> {
  const { header: name, timestampHeader } = names
  const header = headers.get(name)
  if (header === null) return rejected(401, `The request has no ${name} header; set the HMAC signature of the contact point`)
  if (header.includes(',')) return rejected(400, `The header ${name} comes more than once`)
  const signature = bytesOfHex(header.trim())
  if (!signature) return rejected(400, `The header ${name} is not 64 hexadecimal digits`)
  if (timestampHeader === undefined) {
    const hint = '; if the contact point has a timestamp header, configure its name, too'
    return (await isSigned([signature], secrets, joined(body))) ? accepted(undefined) : wrong(name, hint)
  }
  const time = headers.get(timestampHeader)
  const complaint = complainAboutTime(timestampHeader, time, names.toleranceSeconds, now)
  if (complaint) return complaint
  const signed = joined(bytesOfText(`${time?.trim()}:`), body)
  return (await isSigned([signature], secrets, signed)) ? accepted(undefined) : wrong(name)
}

/** Whether one of the signatures was made with one of the secrets. All are compared, whichever matches. */
async function isSigned(signatures: readonly Uint8Array[], secrets: readonly string[], data: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const expected = await Promise.all(secrets.map((secret) => hmac(bytesOfText(secret), data)))
  return expected.flatMap((right) => signatures.map((given) => sameBytes(right, given))).includes(true)
}

function wrong(header: string, hint = ''): VerifiedWebhook {
  return rejected(401, `The signature in ${header} is not of this body by a secret of this source${hint}`)
}

function eventId(body: Uint8Array): string | undefined {
  try {
    const id: unknown = JSON.parse(new TextDecoder().decode(body))?.event?.id
    return typeof id === 'string' && isId(id) ? id : undefined
  } catch {
    return undefined
  }
}
