import { describe, expect, test } from 'vitest'
import { TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { complaint, retryAfterMs, trackerFetch } from '../../src/ports/tracker/tracker-http.ts'

const now = Date.parse('2026-11-23T12:00:00Z')

describe('retryAfterMs', () => {
  test.each([
    ['7', 7000],
    [' 7 ', 7000],
    ['Mon, 23 Nov 2026 12:00:07 GMT', 7000],
    ['Monday, 23-Nov-26 12:00:07 GMT', 7000],
    ['0', 1000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 1000],
    ['99999999999999999999', 3_600_000],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 3_600_000],
    ['soon', 10_000],
    ['-5x', 10_000],
    ['', 10_000],
  ])('%j is bounded to %i', (value, expected) => {
    expect(retryAfterMs(new Headers({ 'retry-after': value }), now)).toBe(expected)
  })

  test('is 10 s where the header is missing', () => {
    expect(retryAfterMs(new Headers(), now)).toBe(10_000)
  })
})

describe('complaint', () => {
  test.each([
    ['{"errors":["Subject cannot be blank","Due date is invalid"]}', ' (Subject cannot be blank; Due date is invalid)'],
    ['<html><h1>Forbidden</h1>', ''],
    ['', ''],
    ['plain\r\n\u0007text', ' (plain text)'],
    ['x'.repeat(500), ` (${'x'.repeat(200)}…)`],
  ])('of %j', (text, expected) => {
    expect(complaint(text)).toBe(expected)
  })
})

describe('trackerFetch', () => {
  const get = (transport: (request: Request) => Promise<Response>, signal = AbortSignal.timeout(5000)) =>
    trackerFetch(
      { fetch: transport, clock: { now: () => now }, requestTimeoutMs: 50 },
      'Cannot read issue "1"',
      'http://tracker.example/',
      { method: 'GET', headers: {} },
      signal,
    ).catch((error: unknown) => error)

  test('gives up on a transport that never answers and heeds no signal', async () => {
    const error = await get(() => new Promise(() => {}))
    expect(error).toBeInstanceOf(TrackerUnavailable)
    expect((error as Error).message).toBe('Cannot read issue "1": no answer within 0.05 s')
  })

  test('gives up on a body that never ends', async () => {
    const error = await get(async () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })))
    expect(error).toBeInstanceOf(TrackerUnavailable)
  })

  test('reads no more than 32 MiB', async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)) })
    const error = await trackerFetch(
      { fetch: async () => new Response(endless), clock: { now: () => now } },
      'Cannot read issue "1"',
      'http://tracker.example/',
      { method: 'GET', headers: {} },
      AbortSignal.timeout(10_000),
    ).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TrackerRejected)
    expect((error as Error).message).toContain('larger than 33554432 bytes')
  })

  test('keeps the cause of a failed connection', async () => {
    const cause = new Error('connect ECONNREFUSED')
    const error = await get(() => Promise.reject(new TypeError('fetch failed', { cause })))
    expect(error).toBeInstanceOf(TrackerUnavailable)
    expect((error as Error).message).toBe('Cannot read issue "1": no connection (fetch failed: connect ECONNREFUSED)')
    expect(((error as Error).cause as Error).cause).toBe(cause)
  })

  test('never lets a transport follow a redirect', async () => {
    let redirect: string | undefined
    await get(async (request) => {
      redirect = request.redirect
      return new Response()
    })
    expect(redirect).toBe('manual')
  })

  test('throws the signal’s own reason when it aborts in the middle', async () => {
    const abort = new AbortController()
    const reason = new Error('shutting down')
    const error = await get(() => {
      abort.abort(reason)
      return new Promise(() => {})
    }, abort.signal)
    expect(error).toBe(reason)
  })
})
