import { z } from 'zod'
import { TrackerRejected, TrackerUnavailable } from './tracker.ts'
import { complaint, readJson, type TrackerAnswer, type TrackerHttp, trackerFetch } from './tracker-http.ts'

/** An issue by its project, a path or a numeric id, and its number in there. */
export interface GitLabIssueRef {
  readonly project: string
  readonly iid: number
}

export interface GitLabNote {
  readonly id: number
  readonly authorId: number | undefined
  readonly body: string
}

export interface GitLabIssue extends GitLabIssueRef {
  readonly description: string
  readonly open: boolean
  /** It goes on in another project, this one is what was left behind. */
  readonly moved: boolean
  readonly url: string
}

export interface NewGitLabIssue {
  readonly title: string
  readonly description: string
  readonly labels?: readonly string[]
  /** `incident`, `task` and the like. */
  readonly issue_type?: string
}

export interface GitLabApi {
  /** Id of the user whom the token belongs to: a bot for each project or group access token. */
  userId(signal: AbortSignal): Promise<number>
  /** All comments of the issue, oldest first; GitLab allows 5,000 of them. */
  notes(issue: GitLabIssueRef, signal: AbortSignal): Promise<readonly GitLabNote[]>
  addNote(issue: GitLabIssueRef, body: string, signal: AbortSignal): Promise<void>
  /** False where it is gone or is not ours to edit. */
  editNote(issue: GitLabIssueRef, id: string, body: string, signal: AbortSignal): Promise<boolean>
  /** Does nothing where it is gone or is not ours to delete. */
  removeNote(issue: GitLabIssueRef, id: string, signal: AbortSignal): Promise<void>
  /** Undefined where the token's user sees no such issue. */
  issue(issue: GitLabIssueRef, signal: AbortSignal): Promise<GitLabIssue | undefined>
  /** Issues of the project by that author, newest first; at most 1,000. */
  issuesBy(project: string, authorId: number, signal: AbortSignal): AsyncIterable<GitLabIssue>
  addIssue(project: string, issue: NewGitLabIssue, signal: AbortSignal): Promise<GitLabIssue>
  /** The issue as it is then. */
  changeState(issue: GitLabIssueRef, event: 'close' | 'reopen', signal: AbortSignal): Promise<GitLabIssue>
}

/** No end is waited for longer: twice what GitLab allows of notes; of issues, see `issuesBy`. */
const maxPages = { notes: 100, issues: 10 }

const userAnswer = z.object({ id: z.number() })
const notesAnswer = z.array(z.object({ id: z.number(), body: z.string().nullish(), author: z.object({ id: z.number() }).nullish() }))
const issueAnswer = z.object({
  iid: z.number(),
  description: z.string().nullish(),
  state: z.string(),
  moved_to_id: z.number().nullish(),
  web_url: z.string(),
})

export const keyOf = ({ project, iid }: GitLabIssueRef) => `${project}#${iid}`

/**
 * GitLab's REST API, version 4 (https://docs.gitlab.com/api/issues/ and https://docs.gitlab.com/api/notes/), as far as notes and issues need it.
 * Its client @gitbeaker/rest runs on Workers, but adds 60 KiB gzip to them (43.8.0, by esbuild) and retries on its own terms.
 */
export function gitlabApi(options: TrackerHttp & { readonly url: string; readonly token: string }): GitLabApi {
  const base = options.url.replace(/\/+$/, '')

  async function call(what: string, method: string, path: string, signal: AbortSignal, body?: unknown) {
    let nextPage = ''
    const fetch = async (request: Request) => {
      const response = await options.fetch(request)
      nextPage = response.headers.get('x-next-page') ?? ''
      return withRetryAfter(response, options.clock.now())
    }
    const headers = { 'private-token': options.token, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) }
    const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }
    return { ...(await trackerFetch({ ...options, fetch }, what, `${base}/api/v4${path}`, init, signal)), nextPage }
  }

  /** Pages by number: these lists have no keyset. A page may hold fewer than were asked for and not be the last. */
  async function* pages<T>(what: string, path: string, query: Record<string, string>, schema: z.ZodType<T>, max: number, signal: AbortSignal) {
    for (let page = '1', count = 0; page !== '' && count < max; count++) {
      const answer = await call(what, 'GET', `${path}?${new URLSearchParams({ ...query, per_page: '100', page })}`, signal)
      yield read(accept(answer, what), schema, what)
      page = answer.nextPage
    }
  }

  return {
    async userId(signal) {
      const what = `Cannot tell whose token it is at GitLab ${base}`
      return read(accept(await call(what, 'GET', '/user', signal), what), userAnswer, what).id
    },
    async notes(issue, signal) {
      const what = `Cannot read the notes of GitLab issue "${keyOf(issue)}"`
      // Changes of title, labels and the like are notes, too: those of the system.
      const query = { activity_filter: 'only_comments', order_by: 'created_at', sort: 'asc' }
      const notes: GitLabNote[] = []
      for await (const page of pages(what, `${issuePath(issue)}/notes`, query, notesAnswer, maxPages.notes, signal)) {
        for (const { id, body, author } of page) if (body) notes.push({ id, authorId: author?.id, body })
      }
      return notes.sort((a, b) => a.id - b.id)
    },
    async addNote(issue, body, signal) {
      const what = `Cannot add a note to GitLab issue "${keyOf(issue)}"`
      accept(await call(what, 'POST', `${issuePath(issue)}/notes`, signal, { body }), what)
    },
    async editNote(issue, id, body, signal) {
      const what = `Cannot edit note ${id} of GitLab issue "${keyOf(issue)}"`
      const answer = await call(what, 'PUT', `${issuePath(issue)}/notes/${id}`, signal, { body })
      if (answer.status === 403 || answer.status === 404) return false
      accept(answer, what)
      return true
    },
    async removeNote(issue, id, signal) {
      const what = `Cannot delete note ${id} of GitLab issue "${keyOf(issue)}"`
      const answer = await call(what, 'DELETE', `${issuePath(issue)}/notes/${id}`, signal)
      if (answer.status !== 403 && answer.status !== 404) accept(answer, what)
    },
    async issue(issue, signal) {
      const what = `Cannot read GitLab issue "${keyOf(issue)}"`
      const answer = await call(what, 'GET', issuePath(issue), signal)
      return answer.status === 404 ? undefined : toIssue(issue.project, read(accept(answer, what), issueAnswer, what))
    },
    async *issuesBy(project, authorId, signal) {
      const what = `Cannot list the issues of GitLab project "${project}"`
      const query = { author_id: String(authorId), state: 'all', scope: 'all', order_by: 'created_at', sort: 'desc' }
      for await (const page of pages(what, `${projectPath(project)}/issues`, query, z.array(issueAnswer), maxPages.issues, signal)) {
        for (const issue of page) yield toIssue(project, issue)
      }
    },
    async addIssue(project, issue, signal) {
      const what = `Cannot open an issue in GitLab project "${project}"`
      return toIssue(project, read(accept(await call(what, 'POST', `${projectPath(project)}/issues`, signal, issue), what), issueAnswer, what))
    },
    async changeState(issue, event, signal) {
      const what = `Cannot ${event} GitLab issue "${keyOf(issue)}"`
      const answer = accept(await call(what, 'PUT', issuePath(issue), signal, { state_event: event }), what)
      return toIssue(issue.project, read(answer, issueAnswer, what))
    },
  }
}

const projectPath = (project: string) => `/projects/${encodeURIComponent(project)}`
const issuePath = ({ project, iid }: GitLabIssueRef) => `${projectPath(project)}/issues/${iid}`

function toIssue(project: string, issue: z.infer<typeof issueAnswer>): GitLabIssue {
  const { iid, description, state, moved_to_id, web_url } = issue
  return { project, iid, description: description ?? '', open: state !== 'closed', moved: Boolean(moved_to_id), url: web_url }
}

/**
 * A limit of the whole GitLab says when it ends, by `Retry-After` and `RateLimit-Reset`, a time in seconds
 * (https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers). One of an endpoint, such as that of new notes, says
 * nothing and counts by the minute (https://docs.gitlab.com/rate_limits/content_creation/).
 */
function withRetryAfter(response: Response, now: number): Response {
  if (response.status !== 429 || response.headers.has('retry-after')) return response
  const reset = Number(response.headers.get('ratelimit-reset'))
  const seconds = reset > 0 ? Math.max(Math.ceil(reset - now / 1000), 1) : 60
  return new Response(response.body, { status: 429, headers: { 'retry-after': String(seconds) } })
}

function accept<T extends TrackerAnswer>(answer: T, what: string): T {
  const { status, text } = answer
  if (status >= 200 && status <= 299) return answer
  const said = complaint(saidIn(text))
  const captcha = text.includes('needs_captcha_response')
  if (status === 409 && !captcha) throw new TrackerUnavailable(`${what}: another change is being made to it (409)${said}`, 5000)
  throw new TrackerRejected(`${what}: ${captcha ? spam : (advice[status] ?? `it answered ${status}`)}${said}`)
}

const spam = 'GitLab takes it for spam and wants a person to solve a riddle; exempt the token’s user from its spam checks'

const advice: Readonly<Record<number, string>> = {
  400: 'GitLab does not accept it (400)',
  401: 'the token is not accepted (401); check the tracker’s token, and that it has neither expired nor been revoked',
  403: 'the token may not (403); give it the scope "api" and its user the role "Reporter" or more, and check that neither the project is archived nor the discussion locked',
  404: 'the token’s user finds no such thing (404); check the project, the number and the tracker’s url, and that the user is a member of the project',
  413: 'it is too long for this server (413)',
  422: 'GitLab does not accept it (422)',
}

const failure = z.object({
  message: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  error: z.string().optional(),
  error_description: z.string().optional(),
})

/** What GitLab says in the body of an error: a message, fields with what is wrong with each, or OAuth's error (https://docs.gitlab.com/api/rest/troubleshooting/). */
function saidIn(text: string): string {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return text
  }
  const { message, error, error_description } = failure.safeParse(body).data ?? {}
  if (typeof message === 'string') return message
  if (message)
    return Object.entries(message)
      .map(([field, wrong]) => (['error', 'base'].includes(field) ? `${wrong}` : `${field} ${wrong}`))
      .join('; ')
  return error_description ?? error ?? text
}

const read = <T>({ text }: TrackerAnswer, schema: z.ZodType<T>, what: string): T => readJson(text, schema, what, 'GitLab')
