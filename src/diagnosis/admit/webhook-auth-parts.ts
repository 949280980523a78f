import type { VerifiedWebhook } from '../../deps.ts'

/** 401: the proof is missing or wrong. 400: it is not of the form that the sender gives it. */
export function rejected(status: 401 | 400, message: string): VerifiedWebhook {
  return { kind: 'rejected', status, message }
}

/** `id` is the same however often the message is delivered; where the signature does not cover it, it is the sender's word alone. */
export function accepted(id: string | undefined): VerifiedWebhook {
  return id === undefined ? { kind: 'ok' } : { kind: 'ok', id }
}

const encoder = new TextEncoder()

export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(text))
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** HMAC-SHA256 of the bytes; the key is not empty. */
export async function hmac(key: Uint8Array<ArrayBuffer>, data: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data))
}

/** Whether two texts are the same. The time tells neither where they differ nor how long they are, for their digests are compared. */
export async function sameText(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([a, b].map((text) => crypto.subtle.digest('SHA-256', bytesOfText(text))))
  return left !== undefined && right !== undefined && sameBytes(new Uint8Array(left), new Uint8Array(right))
}

/** Takes the same time wherever the two differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}

/** The 32 bytes of 64 hexadecimal digits; undefined if it is anything else. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{64}$/i.test(text)) return undefined
  return Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(text.slice(at * 2, at * 2 + 2), 16))
}

/** The id of a message in a header; undefined if there is none, or it is not one id of at most 255 visible characters. */
export function idIn(headers: Headers, name: string): string | undefined {
  const id = headers.get(name)?.trim()
  return id !== undefined && isId(id) ? id : undefined
}

/** A comma would be two headers of the same name, put together. */
export function isId(text: string): boolean {
  return /^[\x21-\x2b\x2d-\x7e]{1,255}$/.test(text)
}

/** Seconds since the epoch, as digits; a text is what is wrong with it. */
export function complainAboutTime(header: string, value: string | null, toleranceSeconds: number, now: number): VerifiedWebhook | undefined {
  if (value === null || value.trim() === '') return rejected(401, `The header ${header} is missing`)
  if (value.includes(',')) return rejected(400, `The header ${header} comes more than once`)
  if (!/^\d{1,12}$/.test(value.trim())) return rejected(400, `The header ${header} is not a time in whole seconds since 1970`)
  const away = Math.abs(now / 1000 - Number(value.trim()))
  if (away <= toleranceSeconds) return undefined
  return rejected(
    401,
    `The time in ${header} is ${Math.ceil(away)} s from now, at most ${toleranceSeconds} s are allowed: a clock is wrong, or this is a message that was sent before`,
  )
}
