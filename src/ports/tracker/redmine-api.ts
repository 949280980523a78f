import { z } from 'zod'
import { TrackerRejected } from './tracker.ts'
import { complaint, readJson, type TrackerAnswer, type TrackerHttp, trackerFetch } from './tracker-http.ts'

/** A journal entry of an issue, as far as notes go. */
export interface Journal {
  readonly id: number
  readonly userId: number | undefined
  readonly notes: string
}

export interface RedmineApi {
  /** Id of the user whom the key belongs to. */
  userId(signal: AbortSignal): Promise<number>
  /** All journal entries of the issue with notes, oldest first: Redmine does not page them. */
  journals(key: string, signal: AbortSignal): Promise<readonly Journal[]>
  addNote(key: string, notes: string, signal: AbortSignal): Promise<void>
  /** Sets the text of a note, or deletes the note with an empty text; false where this server or this user's rights do not allow that. */
  editNote(key: string, id: number, notes: string, signal: AbortSignal): Promise<boolean>
  /** The issue; undefined if there is none for this user. */
  issue(key: string, signal: AbortSignal): Promise<RedmineIssue | undefined>
  /** Up to 100 issues of the project itself that this user has opened and whose description has the word, newest first. */
  ownIssues(project: string, word: string, offset: number, signal: AbortSignal): Promise<readonly RedmineIssue[]>
  addIssue(fields: NewRedmineIssue, signal: AbortSignal): Promise<RedmineIssue>
  /** Undefined, or why Redmine refuses it. It may also take it and ignore it: read the issue again. */
  setStatus(key: string, status: number, signal: AbortSignal): Promise<string | undefined>
  statuses(signal: AbortSignal): Promise<readonly RedmineStatus[]>
  /** What Redmine calls trackers: the types of issues, those of the project. */
  types(project: string, signal: AbortSignal): Promise<readonly { readonly id: number; readonly name: string }[]>
}

export type RedmineStatus = z.infer<typeof status>
export type RedmineIssue = z.infer<typeof issue>

export interface NewRedmineIssue {
  readonly project: string
  readonly type: number | undefined
  readonly subject: string
  readonly description: string
}

const status = z.object({ id: z.number(), is_closed: z.boolean().optional() })
const issue = z.object({
  id: z.number(),
  /** Before 5.0 without `is_closed`. */
  status,
  description: z.string().nullish(),
  /** What the workflow lets this user set now; before 5.0 it is not told. */
  allowed_statuses: z.array(status).optional(),
})
const oneIssue = z.object({ issue })
const manyIssues = z.object({ issues: z.array(issue) })
const manyStatuses = z.object({ issue_statuses: z.array(status) })
const typedProject = z.object({ project: z.object({ trackers: z.array(z.object({ id: z.number(), name: z.string() })) }) })
const currentUser = z.object({ user: z.object({ id: z.number() }) })
const notedIssue = z.object({
  issue: z.object({
    journals: z.array(z.object({ id: z.number(), user: z.object({ id: z.number() }).optional(), notes: z.string().nullish() })).default([]),
  }),
})

/** Redmine's REST API (https://www.redmine.org/projects/redmine/wiki/Rest_api), as far as notes and reports need it. */
export function redmineApi(options: TrackerHttp & { readonly url: string; readonly apiKey: string }): RedmineApi {
  const base = options.url.replace(/\/+$/, '')
  const call = (what: string, method: string, path: string, signal: AbortSignal, body?: unknown) => {
    const headers = { 'x-redmine-api-key': options.apiKey, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) }
    return trackerFetch(options, what, `${base}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }, signal)
  }
  return {
    async userId(signal) {
      const what = `Cannot tell whose key it is at Redmine ${base}`
      const answer = await call(what, 'GET', '/users/current.json', signal)
      return read(accept(answer, what), currentUser, what).user.id
    },
    async journals(key, signal) {
      const what = `Cannot read Redmine issue "${key}"`
      const answer = await call(what, 'GET', `/issues/${key}.json?include=journals`, signal)
      const { journals } = read(accept(answer, what), notedIssue, what).issue
      return journals
        .flatMap(({ id, user, notes }) => (notes ? [{ id, userId: user?.id, notes: notes.replaceAll('\r\n', '\n') }] : []))
        .sort((a, b) => a.id - b.id)
    },
    async addNote(key, notes, signal) {
      const what = `Cannot add a note to Redmine issue "${key}"`
      accept(await call(what, 'PUT', `/issues/${key}.json`, signal, { issue: { notes } }), what)
    },
    async editNote(key, id, notes, signal) {
      const what = `Cannot edit note ${id} of Redmine issue "${key}"`
      const answer = await call(what, 'PUT', `/journals/${id}.json`, signal, { journal: { notes } })
      // Before 5.0 the route knows no API key (401, 403, 404 or 422); since then 403 means that the right is missing, 404 that it is gone.
      if ([401, 403, 404, 405, 406, 422].includes(answer.status)) return false
      accept(answer, what)
      return true
    },
    async issue(key, signal) {
      const what = `Cannot read Redmine issue "${key}"`
      const answer = await call(what, 'GET', `/issues/${key}.json?include=allowed_statuses`, signal)
      return answer.status === 404 ? undefined : read(accept(answer, what), oneIssue, what).issue
    },
    async ownIssues(project, word, offset, signal) {
      const what = `Cannot read the issues of Redmine project "${project}"`
      const filter = { project_id: project, subproject_id: '!*', author_id: 'me', status_id: '*', description: `~${word}` }
      const query = new URLSearchParams({ ...filter, sort: 'id:desc', limit: '100', offset: String(offset) })
      return read(accept(await call(what, 'GET', `/issues.json?${query}`, signal), what, projectAdvice), manyIssues, what).issues
    },
    async addIssue({ project, type, subject, description }, signal) {
      const what = `Cannot open an issue in Redmine project "${project}"`
      const body = { issue: { project_id: project, ...(type === undefined ? {} : { tracker_id: type }), subject, description } }
      return read(accept(await call(what, 'POST', '/issues.json', signal, body), what, projectAdvice), oneIssue, what).issue
    },
    async setStatus(key, status, signal) {
      const what = `Cannot change the status of Redmine issue "${key}"`
      const answer = await call(what, 'PUT', `/issues/${key}.json`, signal, { issue: { status_id: status } })
      if ([403, 422].includes(answer.status)) return `it answered ${answer.status}${complaint(answer.text)}`
      accept(answer, what)
      return undefined
    },
    async statuses(signal) {
      const what = `Cannot read the issue statuses of Redmine ${base}`
      return read(accept(await call(what, 'GET', '/issue_statuses.json', signal), what), manyStatuses, what).issue_statuses
    },
    async types(project, signal) {
      const what = `Cannot read the trackers of Redmine project "${project}"`
      const answer = await call(what, 'GET', `/projects/${project}.json?include=trackers`, signal)
      return read(accept(answer, what, projectAdvice), typedProject, what).project.trackers
    },
  }
}

function accept(answer: TrackerAnswer, what: string, special: Readonly<Record<number, string>> = {}): TrackerAnswer {
  if (answer.status >= 200 && answer.status <= 299) return answer
  throw new TrackerRejected(`${what}: ${special[answer.status] ?? advice[answer.status] ?? `it answered ${answer.status}`}${complaint(answer.text)}`)
}

const advice: Readonly<Record<number, string>> = {
  401: 'the API key is not accepted (401); check the tracker’s apiKey, and that "Enable REST web service" is on in Redmine’s settings',
  403: 'the API key’s user may not (403); give its role "View issues" and "Add notes" in the issue’s project, reopen the project if it is closed, and check that the REST web service is enabled',
  404: 'there is no such issue for the API key’s user (404); check the number, and that the user may see it',
  413: 'the note is too long for this server (413)',
  422: 'Redmine does not accept the change (422); make the issue valid in Redmine, then ask again',
}

const projectAdvice: Readonly<Record<number, string>> = {
  403: 'the API key’s user may not (403); give its role "View issues" and "Add issues" in the project, and reopen the project if it is closed',
  404: 'there is no such project for the API key’s user (404); check its identifier, and that the user is a member',
  422: 'Redmine does not accept the issue (422); if the project is blank, give the user’s role "Add issues" there, and reopen the project if it is closed; else give each required field a default value',
}

const read = <T>({ text }: TrackerAnswer, schema: z.ZodType<T>, what: string): T => readJson(text, schema, what, 'Redmine')
