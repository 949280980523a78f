import type { Config, SecretRef } from '../../src/config.ts'
import { source as sourceSchema } from '../../src/config-intake.ts'
import { verifyWebhook } from '../../src/diagnosis/admit/webhook-auth.ts'

/** 2026-11-27T11:50:00Z */
export const now = 1_795_780_200_000

/** Secrets are made up; a reference's name is looked up here. */
export const secrets: Readonly<Record<string, string>> = {
  first: 'made-up-token-number-one',
  second: 'made-up-token-number-two',
  password: 'made-up-pässword-☃',
  everybody: "It's a Secret to Everybody",
  pagerduty: 'made-up-pagerduty-secret',
  grafana: 'made-up-grafana-secret',
  whsec: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  otherWhsec: `whsec_${btoa('made up for the tests, not a secret')}`,
  empty: '',
}

const secretOf = (ref: SecretRef) => secrets['env' in ref ? ref.env : ref.file] ?? ''
export const ref = (name: keyof typeof secrets & string) => ({ env: name })
export const sourceOf = (input: object): Config['sources'][string] => sourceSchema.parse(input)

/** `ok`, `ok <id>`, or the status and the message of the refusal. */
export async function verdict(source: object, headers: HeadersInit, body: string | Uint8Array = '', at = now): Promise<string> {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const given = await verifyWebhook({ headers: new Headers(headers), body: bytes }, sourceOf(source), secretOf, at)
  if (given.kind === 'ok') return given.id === undefined ? 'ok' : `ok ${given.id}`
  return `${given.status} ${given.message}`
}
