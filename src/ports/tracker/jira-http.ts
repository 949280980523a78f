import { z } from 'zod'
import { TrackerRejected } from './tracker.ts'
import { complaint, readJson, type TrackerAnswer, type TrackerFetch, type TrackerHttp, trackerFetch } from './tracker-http.ts'

/** How a Jira is reached. With `email` it is Jira Cloud, else Server or Data Center. */
export interface JiraOptions extends TrackerHttp {
  /** The site, with its context path where it has one. */
  readonly url: string
  readonly email?: string
  /** Where the API is, if not at the site: tokens with scopes are taken at `https://api.atlassian.com/ex/jira/CLOUD_ID` alone. */
  readonly api?: string
  /** Cloud: API token. Server and Data Center: personal access token (8.14 or newer). */
  readonly token: string
}

export interface JiraHttp {
  readonly cloud: boolean
  /** The site without a slash at its end. */
  readonly root: string
  /** One request below `/rest/api/3` (Cloud) or `/rest/api/2`. Throws as {@link trackerFetch} does; any other status is an answer. */
  call(what: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, signal: AbortSignal, body?: unknown): Promise<TrackerAnswer>
  /** The body of a 2xx answer, as `schema` has it. Throws {@link TrackerRejected} with an advice for any other one. */
  read<T>(answer: TrackerAnswer, schema: z.ZodType<T>, what: string): T
  /** Throws {@link TrackerRejected} with an advice unless the answer is a 2xx. */
  accept(answer: TrackerAnswer, what: string): void
}

/**
 * Jira Cloud: REST API 3, basic authentication (https://developer.atlassian.com/cloud/jira/platform/basic-auth-for-rest-apis/). Server and Data Center:
 * REST API 2, bearer (https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html).
 */
export function jiraHttp(options: JiraOptions): JiraHttp {
  const cloud = options.email !== undefined
  const root = new URL(options.url.replace(/\/+$/, '')).href.replace(/\/$/, '')
  const api = options.api?.replace(/\/+$/, '') ?? root
  const authorization = cloud ? `Basic ${base64(`${options.email}:${options.token}`)}` : `Bearer ${options.token}`
  const http = { ...options, fetch: heedingReset(options.fetch) }
  const advice = adviceFor(cloud)
  const accept = (answer: TrackerAnswer, what: string) => {
    if (answer.status >= 200 && answer.status <= 299) return
    throw new TrackerRejected(`${what}: ${advice[answer.status] ?? `it answered ${answer.status}`}${complaintOf(answer)}`)
  }
  return {
    cloud,
    root,
    accept,
    call(what, method, path, signal, body) {
      const headers = { authorization, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
      return trackerFetch(http, what, `${api}/rest/api/${cloud ? 3 : 2}${path}`, init, signal)
    },
    read(answer, schema, what) {
      accept(answer, what)
      return readJson(answer.text, schema, what, 'Jira')
    },
  }
}

const errors = z.object({ errorMessages: z.array(z.string()).default([]), errors: z.record(z.string(), z.string()).default({}) })

/** What Jira says is wrong, in brackets for a message: its sentences, then `field: sentence`. Empty if it says nothing. */
export function complaintOf(answer: TrackerAnswer): string {
  try {
    const said = errors.parse(JSON.parse(answer.text))
    return complaint([...said.errorMessages, ...Object.entries(said.errors).map(([field, why]) => `${field}: ${why}`)].join('; '))
  } catch {
    return complaint(answer.text)
  }
}

function adviceFor(cloud: boolean): Readonly<Record<number, string>> {
  return {
    400: 'Jira does not accept this (400)',
    401: cloud
      ? 'e-mail and API token are not accepted (401); check both, that the token has not expired, and that one with scopes is used at its own address (api)'
      : 'the personal access token is not accepted (401); check it, and that it has not expired',
    403: 'the account may not (403); give it the permissions that docs/trackers/jira.md names, in the project’s permission scheme',
    404: 'there is no such issue or project for the account (404); check the key, and that the account may browse the project',
    409: 'something else is changing it (409)',
    413: 'it is too long, or the issue has too many comments or links (413)',
  }
}

/**
 * Where an answer names no `Retry-After`, the time in `X-RateLimit-Reset` stands in for it
 * (https://developer.atlassian.com/cloud/jira/platform/rate-limiting/).
 */
function heedingReset(fetch: TrackerFetch): TrackerFetch {
  return async (request) => {
    const response = await fetch(request)
    const reset = response.headers.get('x-ratelimit-reset')
    if (response.status !== 429 || reset === null || response.headers.has('retry-after')) return response
    const headers = new Headers(response.headers)
    headers.set('retry-after', reset)
    return new Response(response.body, { status: response.status, headers })
  }
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
