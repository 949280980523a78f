import { type Context, Hono } from 'hono'
import { adfComplaint } from './jira-fake-adf.ts'
import { jiraComplaints } from './jira-fake-openapi.ts'
import { type FakeComment, type FakeIssue, FakeJiraState, person, service, statuses, types } from './jira-fake-state.ts'
import type { TrackerFault } from './tracker.ts'

export interface JiraFakeOptions {
  readonly cloud: boolean
  /** What the account may not: its requests of that kind are answered as Jira answers them. */
  readonly may?: Partial<Record<'edit' | 'delete' | 'link' | 'transition', boolean>>
  readonly projects?: readonly string[]
}

export const token = 'made-up-token-of-the-tests'
export const email = 'autodiagnose@example.com'

const maxText = 32_767
const date = '2026-11-23T12:00:00.000+0000'

/**
 * A Jira in memory: as much of Cloud's REST 3 or Data Center's REST 2 as the tracker uses. Each request and its answer are compared with Atlassian's
 * description; what differs is in `complaints`. Unlike the real one it has one account for the service and one for a person, one workflow, two forms of
 * JQL, no rich text on Data Center, and normalises documents by nothing but ids.
 */
export function jiraFake({ cloud, may = {}, projects = ['OPS'] }: JiraFakeOptions) {
  const state = new FakeJiraState()
  const complaints: string[] = []
  const site = cloud ? 'https://example.atlassian.net' : 'https://jira.example.com/jira'
  const version = cloud ? '3' : '2'
  let writes = 0
  let fault: TrackerFault | undefined

  const fail = (c: Context, status: 400 | 401 | 403 | 404 | 409, message: string, errors: Record<string, string> = {}) =>
    c.json({ errorMessages: message === '' ? [] : [message], errors }, status)
  const noIssue = (c: Context) => fail(c, 404, 'Issue does not exist or you do not have permission to see it.')
  const user = (id: string) => (cloud ? { accountId: id, displayName: id, active: true } : { key: id, name: id, displayName: id, active: true })
  const status = (name: keyof typeof statuses) => ({ id: '1', name, statusCategory: { id: 2, key: statuses[name], name } })
  const issueOf = ({ id, key, summary, description, labels, status: name, creator }: FakeIssue) => ({
    id,
    key,
    self: `${site}/rest/api/${version}/issue/${id}`,
    fields: { summary, description, labels, status: status(name), creator: user(creator) },
  })
  const commentOf = (comment: FakeComment, expand: string) => {
    const { properties, author, updateAuthor, ...rest } = comment
    const shown = { ...rest, author: user(author), updateAuthor: user(updateAuthor), created: date, updated: date }
    return expand.split(',').includes('properties') ? { ...shown, properties } : shown
  }
  /** Cloud answers with a document that is not byte for byte the one that it was sent. */
  const normalised = (body: unknown) =>
    JSON.parse(JSON.stringify(body), (_, value) => (value?.type === 'table' ? { ...value, attrs: { ...value.attrs, localId: 'made-up' } } : value))
  const bodyComplaint = (body: unknown): string | undefined => {
    if (cloud) return adfComplaint(body) ?? (JSON.stringify(body).length > maxText ? 'CONTENT_LIMIT_EXCEEDED' : undefined)
    if (typeof body !== 'string') return 'Can not deserialize instance of java.lang.String'
    return body.length > maxText ? `The entered text is too long. It exceeds the allowed limit of ${maxText} characters.` : undefined
  }
  const changed = <T>(value: T): T => {
    writes += 1
    return value
  }

  const api = new Hono()
  api.use(async (c, next) => {
    const expected = cloud ? `Basic ${btoa(`${email}:${token}`)}` : `Bearer ${token}`
    return c.req.header('authorization') === expected
      ? next()
      : fail(c, 401, 'You are not authenticated. Authentication required to perform this operation.')
  })
  api.get('/myself', (c) => c.json(user(service)))
  api.post('/issue/bulkfetch', async (c) => {
    if (!cloud) return noIssue(c)
    const { issueIdsOrKeys } = await c.req.json<{ issueIdsOrKeys: string[] }>()
    if (issueIdsOrKeys.length > 100) return fail(c, 400, 'You can request up to 100 issues.')
    return c.json({ issues: state.issues.filter(({ key }) => issueIdsOrKeys.includes(key)).map(issueOf), issueErrors: [] })
  })
  api.post(cloud ? '/search/jql' : '/search', async (c) => {
    const { jql, maxResults = 50 } = await c.req.json<{ jql: string; maxResults?: number }>()
    const query = /^project = "([A-Z]+)"(?: AND labels = "([^" ]+)" AND creator = currentUser\(\))? ORDER BY created DESC$/.exec(jql)
    if (!query) return fail(c, 400, `Error in the JQL Query: ${jql}`)
    const [, project = '', label] = query
    if (!projects.includes(project)) return fail(c, 400, `The value '${project}' does not exist for the field 'project'.`)
    state.queries += 1
    const matching = state.issues
      .filter((issue) => issue.project === project && issue.indexedAt <= state.queries)
      .filter((issue) => label === undefined || (issue.labels.includes(label) && issue.creator === service))
      .toReversed()
    const issues = matching.slice(0, maxResults).map(issueOf)
    return c.json(cloud ? { issues, isLast: issues.length === matching.length } : { issues, startAt: 0, maxResults, total: matching.length })
  })
  api.get('/issue/createmeta/:project/issuetypes', (c) => {
    if (!projects.includes(c.req.param('project'))) return fail(c, cloud ? 404 : 400, 'No project could be found.')
    const page = { startAt: 0, maxResults: 50, total: types.length }
    return c.json(cloud ? { ...page, issueTypes: types } : { ...page, isLast: true, values: types })
  })
  api.post('/issue', async (c) => {
    const { fields } = await c.req.json<{ fields: Record<string, unknown> }>()
    const project = (fields.project as { key?: string } | undefined)?.key ?? ''
    const typeId = (fields.issuetype as { id?: string } | undefined)?.id ?? ''
    const summary = String(fields.summary ?? '')
    const labels = (fields.labels ?? []) as string[]
    const errors = {
      ...(projects.includes(project) ? {} : { project: 'valid project is required' }),
      ...(types.some(({ id, subtask }) => id === typeId && !subtask) ? {} : { issuetype: 'Specify a valid issue type' }),
      ...(summary === '' ? { summary: 'You must specify a summary of the issue.' } : {}),
      ...(summary.length > 255 ? { summary: 'Summary must be less than 255 characters.' } : {}),
      ...(summary.includes('\n') ? { summary: 'The summary is invalid because it contains newline characters.' } : {}),
      ...(labels.some((label) => /\s/.test(label)) ? { labels: 'The label contains spaces which is invalid.' } : {}),
      ...(bodyComplaint(fields.description) ? { description: bodyComplaint(fields.description) as string } : {}),
    }
    if (Object.keys(errors).length > 0) return fail(c, 400, '', errors)
    const { id, key } = changed(state.add({ project, typeId, summary, labels, description: fields.description, creator: service }))
    return c.json({ id, key, self: `${site}/rest/api/${version}/issue/${id}` }, 201)
  })
  api.get('/issue/:key', (c) => {
    const issue = state.find(c.req.param('key'))
    return issue ? c.json(issueOf(issue)) : noIssue(c)
  })
  api.get('/issue/:key/comment', (c) => {
    const issue = state.find(c.req.param('key'))
    if (!issue) return noIssue(c)
    const startAt = Number(c.req.query('startAt') ?? 0)
    const maxResults = Math.min(Number(c.req.query('maxResults') ?? 50), 100)
    const comments = issue.comments.slice(startAt, startAt + maxResults).map((comment) => commentOf(comment, c.req.query('expand') ?? ''))
    return c.json({ startAt, maxResults, total: issue.comments.length, comments })
  })
  api.post('/issue/:key/comment', async (c) => {
    const { body, properties = [] } = await c.req.json<FakeComment>()
    const issue = state.find(c.req.param('key'))
    if (!issue) return noIssue(c)
    const wrong = bodyComplaint(body)
    if (wrong) return fail(c, 400, '', { comment: wrong })
    const comment = { id: state.nextId(), author: service, updateAuthor: service, body: normalised(body), properties }
    changed(issue.comments.push(comment))
    return c.json(commentOf(comment, ''), 201)
  })
  const ownComment = (c: Context) => state.find(c.req.param('key') ?? '')?.comments.find(({ id }) => id === c.req.param('id'))
  api.put('/issue/:key/comment/:id', async (c) => {
    const { body, properties = [] } = await c.req.json<FakeComment>()
    const comment = ownComment(c)
    if (!comment) return fail(c, cloud ? 404 : 400, 'Can not find a comment for the id.')
    const wrong = bodyComplaint(body)
    if (wrong) return fail(c, 400, '', { comment: wrong })
    if (may.edit === false) return fail(c, 400, 'You do not have the permission to edit this comment.')
    const kept = comment.properties.filter(({ key }) => !properties.some((each) => each.key === key))
    changed(Object.assign(comment, { body: normalised(body), updateAuthor: service, properties: [...kept, ...properties] }))
    return c.json(commentOf(comment, ''))
  })
  api.delete('/issue/:key/comment/:id', (c) => {
    const comments = state.find(c.req.param('key'))?.comments ?? []
    const comment = ownComment(c)
    if (!comment) return fail(c, 404, 'Can not find a comment for the id.')
    if (may.delete === false) return fail(c, 400, 'You do not have permission to delete this comment.')
    changed(comments.splice(comments.indexOf(comment), 1))
    return c.body(null, 204)
  })
  api.get('/issue/:key/remotelink', (c) => {
    const link = state.find(c.req.param('key'))?.links.get(c.req.query('globalId') ?? '')
    return link ? c.json(link) : fail(c, 404, 'The remote issue link does not exist.')
  })
  api.post('/issue/:key/remotelink', async (c) => {
    const { globalId, object } = await c.req.json<{ globalId: string; object: { url: string; title: string } }>()
    const issue = state.find(c.req.param('key'))
    if (!issue) return noIssue(c)
    if (may.link === false) return fail(c, 403, 'You do not have permission to link issues.')
    const known = issue.links.get(globalId)
    const id = known?.id ?? Number(state.nextId())
    changed(issue.links.set(globalId, { id, globalId, object }))
    return c.json({ id, self: `${site}/rest/api/${version}/issue/${issue.id}/remotelink/${id}` }, known || !cloud ? 200 : 201)
  })
  api.get('/issue/:key/transitions', (c) => {
    const issue = state.find(c.req.param('key'))
    if (!issue) return noIssue(c)
    const expanded = c.req.query('expand') === 'transitions.fields'
    return c.json({ transitions: may.transition === false ? [] : waysOf(issue.status, expanded) })
  })
  api.post('/issue/:key/transitions', async (c) => {
    const { transition, fields = {} } = await c.req.json<{ transition: { id: string }; fields?: { resolution?: { id: string } } }>()
    const issue = state.find(c.req.param('key'))
    const way = waysOf(issue?.status ?? 'Done', true).find(({ id }) => id === transition.id)
    if (!issue) return noIssue(c)
    if (!way)
      return fail(c, 400, 'It seems that you have tried to perform a workflow operation which is not valid for the current state of this issue.')
    if ('resolution' in way.fields && !fields.resolution) return fail(c, 400, '', { resolution: 'Resolution is required.' })
    changed(Object.assign(issue, { status: way.to.name, resolution: fields.resolution?.id }))
    return c.body(null, 204)
  })

  function waysOf(from: keyof typeof statuses, withFields: boolean) {
    const schema = { type: 'resolution', system: 'resolution' }
    const allowedValues = [
      { id: '2', name: "Won't Do" },
      { id: '1', name: 'Done' },
    ]
    const resolution = { required: true, key: 'resolution', name: 'Resolution', operations: ['set'], schema, allowedValues }
    const way = (id: string, to: keyof typeof statuses, fields: object) => ({
      id,
      name: to,
      to: { ...status(to), name: to },
      ...(withFields ? { fields } : {}),
    })
    const all = [way('31', 'Done', { resolution }), way('21', 'In Progress', {}), way('11', 'To Do', {})]
    return all.filter(({ to }) => to.name !== from) as (ReturnType<typeof way> & { readonly fields: object })[]
  }

  const app = new Hono().route(`${new URL(site).pathname.replace(/\/$/, '')}/rest/api/${version}`, api)

  const transport = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const writing = request.method !== 'GET' && !/\/(search|search\/jql|bulkfetch)$/.test(url.pathname)
    const now = writing ? fault : undefined
    if (writing) fault = undefined
    if (now === 'unavailable') return new Response('down', { status: 503, headers: { 'retry-after': '7' } })
    if (now === 'rate-limited') return new Response('slowly', { status: 429, headers: { 'retry-after': new Date(Date.now() + 7000).toUTCString() } })
    if (now === 'cut-before') throw new TypeError('fetch failed')
    if (now === 'silent') return new Promise(() => {})
    const copy = request.clone()
    const response = await app.fetch(request)
    complaints.push(...(await jiraComplaints(site, cloud, copy, response)))
    if (now === 'cut-after') throw new TypeError('terminated')
    return response
  }

  return {
    site,
    state,
    complaints,
    fetch: transport,
    writes: () => writes,
    failNext: (next: TrackerFault) => {
      fault = next
    },
    person,
  }
}
