import { Octokit } from '@octokit/core'
import { TrackerUnavailable } from './tracker.ts'
import { retryAfterMs, type TrackerHttp, trackerFetch } from './tracker-http.ts'

/** What Octokit made of an answer: of a refusal its message, of anything else the data. */
export interface GitHubAnswer {
  readonly status: number
  readonly data?: unknown
  readonly message?: string
}

/** Asks by a request function of Octokit's, typed by GitHub's OpenAPI description; `what` begins every message. */
export type GitHubSend = (
  what: string,
  token: string,
  signal: AbortSignal,
  ask: (request: Octokit['request']) => Promise<{ readonly status: number; readonly data: unknown }>,
) => Promise<GitHubAnswer>

/**
 * Octokit makes the requests and reads the answers; sent they are by {@link trackerFetch}, with its bounds and errors. Also throws
 * `TrackerUnavailable` while GitHub limits our rate, for as long as it asks (1 s to 1 h). What was moved or renamed is an answer of 301; other
 * redirects are rejected.
 */
export function githubHttp(options: TrackerHttp & { readonly url: string }): GitHubSend {
  const silent = () => {}
  const octokit = new Octokit({
    baseUrl: options.url,
    userAgent: 'autodiagnose',
    log: { debug: silent, info: silent, warn: silent, error: silent },
  })
  return async (what, token, signal, ask) => {
    let failure: { readonly error: unknown } | undefined
    const fetch = async (url: string, { method, headers, body }: { method: string; headers: Record<string, string>; body?: string }) => {
      try {
        return await sent(options, what, url, { method, headers, ...(body === undefined ? {} : { body }) }, signal)
      } catch (error) {
        failure = { error }
        throw new Error(what)
      }
    }
    const headers = { authorization: `Bearer ${token}`, 'x-github-api-version': '2022-11-28' }
    try {
      const { status, data } = await ask(octokit.request.defaults({ headers, request: { fetch } }))
      return { status, data }
    } catch (error) {
      // Octokit wraps what fetch throws.
      if (failure) throw failure.error
      if (!(error instanceof Error && 'status' in error && typeof error.status === 'number')) throw error
      if (error.status === 403 && secondaryLimit.test(error.message)) throw limited(what, error.status, minute)
      return { status: error.status, message: error.message }
    }
  }
}

const secondaryLimit = /secondary rate limit|abuse detection/i
const minute = 60_000

async function sent(http: TrackerHttp, what: string, url: string, init: Parameters<typeof trackerFetch>[3], signal: AbortSignal): Promise<Response> {
  let type = ''
  let status = 0
  const looking: TrackerHttp = {
    ...http,
    async fetch(request) {
      const response = await http.fetch(request)
      const limit = rateLimit(what, response, http.clock.now())
      if (limit) {
        await response.body?.cancel()
        throw limit
      }
      status = response.status
      type = response.headers.get('content-type') ?? ''
      return response
    },
  }
  try {
    const { text } = await trackerFetch(looking, what, url, init, signal)
    return new Response(status === 204 ? null : text, { status, headers: { 'content-type': type } })
  } catch (error) {
    if (status === 301) return new Response(null, { status })
    throw error
  }
}

/**
 * What GitHub asks of who meets a limit: to wait as `retry-after` says, else for the reset of the primary limit, else for a minute
 * (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit).
 */
function rateLimit(what: string, { status, headers }: Response, now: number): TrackerUnavailable | undefined {
  if (status !== 403 && status !== 429) return undefined
  if (headers.has('retry-after')) return limited(what, status, retryAfterMs(headers, now))
  const reset = Number(headers.get('x-ratelimit-reset'))
  if (headers.get('x-ratelimit-remaining') === '0' && reset > 0)
    return limited(what, status, Math.min(Math.max(reset * 1000 - now, 1000), 60 * minute))
  return status === 429 ? limited(what, status, minute) : undefined
}

function limited(what: string, status: number, waitMs: number): TrackerUnavailable {
  return new TrackerUnavailable(`${what}: GitHub limits our rate (${status})`, waitMs)
}
