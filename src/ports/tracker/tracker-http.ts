import type { z } from 'zod'
import { TrackerRejected, TrackerUnavailable } from './tracker.ts'

/** How a tracker is reached; `fetch` fits. */
export type TrackerFetch = (request: Request) => Promise<Response>

export interface TrackerHttp {
  readonly fetch: TrackerFetch
  /** Milliseconds since the epoch, for `Retry-After` dates and signatures. */
  readonly clock: { now(): number }
  /** One request, its answer's body included. Default: 10 s. */
  readonly requestTimeoutMs?: number
}

export interface TrackerAnswer {
  readonly status: number
  readonly text: string
}

const maxAnswerBytes = 32 * 1024 * 1024
const defaultRetryMs = 10_000
const maxRetryMs = 3_600_000

/**
 * Sends one request to a tracker and reads the whole answer. `what` begins every message: `Cannot add a note to Redmine issue "12"`.
 * Redirects are not followed, for the request carries a key or a signature. Throws {@link TrackerUnavailable} where a later try may
 * help (no answer in time, 408, 425, 429, 5xx), {@link TrackerRejected} for a redirect, and the signal's own reason when it aborts.
 */
export async function trackerFetch(
  http: TrackerHttp,
  what: string,
  url: string,
  init: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string },
  signal: AbortSignal,
): Promise<TrackerAnswer> {
  signal.throwIfAborted()
  const timeoutMs = http.requestTimeoutMs ?? 10_000
  const timeout = AbortSignal.timeout(timeoutMs)
  const either = AbortSignal.any([signal, timeout])
  try {
    const response = await orAborted(http.fetch(new Request(url, { ...init, redirect: 'manual', signal: either })), either)
    refuseRedirect(response, what)
    const text = await orAborted(boundedText(response, what), either)
    if (response.status >= 500 || [408, 425, 429].includes(response.status)) {
      throw new TrackerUnavailable(`${what}: it answered ${response.status}`, retryAfterMs(response.headers, http.clock.now()))
    }
    return { status: response.status, text }
  } catch (error) {
    if (error instanceof TrackerUnavailable || error instanceof TrackerRejected) throw error
    signal.throwIfAborted()
    const why = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : `no connection (${reason(error)})`
    throw new TrackerUnavailable(`${what}: ${why}`, defaultRetryMs, { cause: error })
  }
}

/** Milliseconds that `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3); between 1 s and 1 h, 10 s where it says nothing. */
export function retryAfterMs(headers: Headers, now: number): number {
  const value = headers.get('retry-after')?.trim() ?? ''
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(ms) ? defaultRetryMs : Math.min(Math.max(ms, 1000), maxRetryMs)
}

/** The body of an answer as `schema` has it; `tracker` is its name for messages. Throws TrackerUnavailable for what is no JSON, TrackerRejected for another form. */
export function readJson<T>(text: string, schema: z.ZodType<T>, what: string, tracker: string): T {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    // A proxy's page or a cut answer: the next one may be whole.
    throw new TrackerUnavailable(`${what}: the answer is not JSON`, defaultRetryMs, { cause })
  }
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw new TrackerRejected(`${what}: this is not ${tracker}'s answer; check the tracker's url`, { cause: parsed.error })
  return parsed.data
}

/** The complaint inside an error's body, for a message: `errors` of Redmine's JSON or the text, shortened; empty if there is none. */
export function complaint(text: string): string {
  let said = text
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && 'errors' in body && Array.isArray(body.errors)) said = body.errors.join('; ')
  } catch {
    if (/^\s*</.test(text)) return ''
  }
  const line = said.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line === '' ? '' : ` (${line.length > 200 ? `${line.slice(0, 200)}…` : line})`
}

function refuseRedirect(response: Response, what: string): void {
  // Browsers alone hide a redirect's status, as 0.
  if (response.status !== 0 && (response.status < 300 || response.status > 399)) return
  const location = response.headers.get('location')
  const target = location === null ? 'another address' : `"${location.slice(0, 200)}"`
  throw new TrackerRejected(`${what}: it redirects to ${target}; redirects are not followed, so put the final address into the tracker's url`)
}

async function boundedText(response: Response, what: string): Promise<string> {
  if (!response.body) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of response.body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
    bytes += piece.length
    if (bytes > maxAnswerBytes) throw new TrackerRejected(`${what}: its answer is larger than ${maxAnswerBytes} bytes; use another issue`)
    text += decoder.decode(piece, { stream: true })
  }
  return text + decoder.decode()
}

/** A transport may not look at the request's signal: do not wait for it longer than the signal allows. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
    // The loser of the race must not become an unhandled rejection.
    work.catch(() => {})
    promise.catch(() => {})
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
