import { type Context, Hono } from 'hono'
import description from '../fixtures/gitlab/openapi.json'
import { type FakeIssue, type FakeNote, type FakeProject, type FakeUser, fakeState, stored } from './gitlab-fake-state.ts'
import { type OpenApiValidator, openApiValidator } from './openapi-validator.ts'
import type { TrackerFault } from './tracker.ts'

type Fault = TrackerFault | Response | 'swallowed'
type Env = { Variables: { user: FakeUser; project: FakeProject; issue: FakeIssue } }

const base = 'https://gitlab.example'
/** By prefix: they compile what they have met once. */
const validators = new Map<string, OpenApiValidator>()

/**
 * A GitLab, as far as our tracker uses it. Requests and its own answers are held to GitLab's description: see `complaints`.
 * Not as the real one: it knows two roles, keeps no history, and limits the rate on demand only.
 */
export function fakeGitLab(root = base) {
  const state = fakeState()
  const prefix = new URL(root).pathname.replace(/\/$/, '')
  const validator = validators.get(prefix) ?? openApiValidator(description, prefix)
  validators.set(prefix, validator)
  const complaints: string[] = []
  let fault: Fault | undefined
  let next: Response | undefined
  let writes = 0
  let seconds = Date.parse('2026-11-23T12:00:00Z') / 1000
  const requests: string[] = []
  const now = () => new Date(seconds++ * 1000).toISOString()

  const author = ({ id, username }: FakeUser) => ({
    id,
    username,
    name: username,
    state: 'active',
    locked: false,
    avatar_url: null,
    web_url: `${root}/${username}`,
  })
  const noteBody = (project: FakeProject, issue: FakeIssue, note: FakeNote) => ({
    id: note.id,
    type: null,
    body: note.body,
    author: author(note.author),
    created_at: now(),
    updated_at: now(),
    system: note.system,
    noteable_id: issue.id,
    noteable_type: 'Issue',
    noteable_iid: issue.iid,
    project_id: project.id,
    resolvable: false,
    confidential: false,
    internal: false,
  })
  const issueBody = (project: FakeProject, issue: FakeIssue) => ({
    id: issue.id,
    iid: issue.iid,
    project_id: project.id,
    title: issue.title,
    description: issue.description === '' ? null : issue.description,
    state: issue.open ? 'opened' : 'closed',
    created_at: now(),
    updated_at: now(),
    closed_at: issue.open ? null : now(),
    labels: issue.labels,
    author: author(issue.author),
    assignees: [],
    type: issue.type.toUpperCase(),
    issue_type: issue.type,
    user_notes_count: issue.notes.length,
    confidential: false,
    discussion_locked: null,
    web_url: `${root}/${project.path}/-/issues/${issue.iid}`,
    moved_to_id: issue.movedTo,
    references: { short: `#${issue.iid}`, relative: `#${issue.iid}`, full: `${project.path}#${issue.iid}` },
  })

  /** https://docs.gitlab.com/api/rest/#pagination; what `show` leaves out makes a page shorter, not the list. */
  function paged<T>(c: Context<Env>, all: readonly T[], show: (one: T) => unknown) {
    const perPage = Number(c.req.query('per_page') ?? 20)
    const page = Number(c.req.query('page') ?? 1)
    const pages = Math.max(Math.ceil(all.length / perPage), 1)
    const link = (to: number, rel: string) => `<${c.req.url.replace(/([?&]page=)\d+/, `$1${to}`)}>; rel="${rel}"`
    const links = [
      ...(page > 1 ? [link(page - 1, 'prev')] : []),
      ...(page < pages ? [link(page + 1, 'next')] : []),
      link(1, 'first'),
      link(pages, 'last'),
    ]
    const shown = all.slice((page - 1) * perPage, page * perPage).flatMap((one) => show(one) ?? [])
    return c.json(shown, 200, {
      'x-page': String(page),
      'x-per-page': String(perPage),
      'x-next-page': page < pages ? String(page + 1) : '',
      'x-prev-page': page > 1 ? String(page - 1) : '',
      'x-total': String(all.length),
      'x-total-pages': String(pages),
      link: links.join(', '),
    })
  }
  const refused = (c: Context, status: 400 | 401 | 403 | 404, message: unknown) => c.json({ message }, status)

  const app = new Hono<Env>().basePath(`${prefix}/api/v4`)
  app.onError((error, c) => {
    complaints.push(`the fake failed: ${error.stack}`)
    return c.json({ message: '500 Internal Server Error' }, 500)
  })
  app.use(async (c, further) => {
    const user = state.users.find(({ token }) => token === c.req.header('private-token'))
    if (!user) return refused(c, 401, '401 Unauthorized')
    c.set('user', user)
    return further()
  })
  app.get('/user', (c) => c.json({ ...author(c.get('user')), bot: true }))

  app.use('/projects/:id/*', async (c, further) => {
    const project = state.projectOf(c.req.param('id'))
    if (!project) return refused(c, 404, '404 Project Not Found')
    if (project.archived && c.req.method !== 'GET') return refused(c, 403, '403 Forbidden')
    c.set('project', project)
    return further()
  })
  app.get('/projects/:id/issues', (c) => {
    const { author_id, author_username, state: wanted = 'all', sort = 'desc', labels } = c.req.query()
    const issues = c
      .get('project')
      .issues.filter(
        (issue) =>
          (author_id === undefined || String(issue.author.id) === author_id) &&
          (author_username === undefined || issue.author.username === author_username) &&
          (labels === undefined || labels.split(',').every((label) => issue.labels.includes(label))) &&
          (wanted === 'all' || issue.open === (wanted === 'opened')),
      )
    return paged(c, sort === 'asc' ? issues : issues.toReversed(), (issue) => issueBody(c.get('project'), issue))
  })
  app.post('/projects/:id/issues', async (c) => {
    const fields = await c.req.json()
    if ([...fields.title].length > 255) return refused(c, 400, { title: ['is too long (maximum is 255 characters)'] })
    return c.json(issueBody(c.get('project'), state.issue(c.get('project'), c.get('user'), fields)), 201)
  })

  app.use('/projects/:id/issues/:iid/*', async (c, further) => {
    const issue = c.get('project').issues.find(({ iid }) => String(iid) === c.req.param('iid'))
    if (!issue) return refused(c, 404, c.req.path.includes('/notes') ? '404 Issue Not Found' : '404 Not found')
    c.set('issue', issue)
    return further()
  })
  app.get('/projects/:id/issues/:iid', (c) => c.json(issueBody(c.get('project'), c.get('issue'))))
  app.put('/projects/:id/issues/:iid', async (c) => {
    const { state_event } = await c.req.json()
    const [issue, user] = [c.get('issue'), c.get('user')]
    if (user.role === 'guest' && issue.author !== user) return refused(c, 403, '403 Forbidden')
    // Who may edit but not reopen is not told so: https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/services/issues/reopen_service.rb.
    if (state_event === 'close' || user.role === 'member') issue.open = state_event === 'reopen'
    return c.json(issueBody(c.get('project'), issue))
  })
  app.get('/projects/:id/issues/:iid/notes', (c) => {
    const { sort = 'desc', activity_filter: filter = 'all_notes' } = c.req.query()
    const notes = c.get('issue').notes.filter(({ system }) => filter === 'all_notes' || system === (filter === 'only_activity'))
    return paged(c, sort === 'asc' ? notes : notes.toReversed(), (note) =>
      note.unreadable ? undefined : noteBody(c.get('project'), c.get('issue'), note),
    )
  })
  app.post('/projects/:id/issues/:iid/notes', async (c) => {
    const { body } = await c.req.json()
    if (stored(body) === '') return c.json({ commands_changes: {}, summary: ['Commands applied'] }, 202)
    return c.json(noteBody(c.get('project'), c.get('issue'), state.note(c.get('issue'), c.get('user'), body)), 201)
  })
  app.on(['PUT', 'DELETE'], '/projects/:id/issues/:iid/notes/:note', async (c) => {
    const issue = c.get('issue')
    const note = issue.notes.find(({ id }) => String(id) === c.req.param('note'))
    if (!note) return refused(c, 404, '404 Not found')
    if (note.author !== c.get('user')) return refused(c, 403, '403 Forbidden')
    if (c.req.method === 'PUT') {
      note.body = stored((await c.req.json()).body)
      return c.json(noteBody(c.get('project'), issue, note))
    }
    issue.notes = issue.notes.filter((each) => each !== note)
    return c.body(null, 204)
  })

  async function answer(request: Request): Promise<Response> {
    const writing = request.method !== 'GET'
    requests.push(`${request.method} ${request.url.slice(root.length)}`)
    complaints.push(...(await validator.request(request)))
    if (next) {
      const told = next
      next = undefined
      return told
    }
    const failing = writing ? fault : undefined
    if (writing) fault = undefined
    if (failing instanceof Response) return failing
    if (failing === 'silent') return new Promise(() => {})
    if (failing === 'cut-before') throw new TypeError('fetch failed')
    if (failing === 'unavailable') return new Response('<html>deploying</html>', { status: 503, headers: { 'retry-after': '7' } })
    if (failing === 'rate-limited')
      return new Response('Retry later\n', { status: 429, headers: { 'retry-after': new Date(Date.now() + 7000).toUTCString() } })
    if (failing === 'swallowed') return Response.json({ commands_changes: {}, summary: [] }, { status: 202 })
    const response = await app.fetch(request.clone())
    complaints.push(...(await validator.answer(request, response)))
    if (writing && response.ok) writes += 1
    if (failing === 'cut-after') throw new TypeError('fetch failed')
    return response
  }

  return {
    ...state,
    url: root,
    fetch: answer,
    requests,
    /** What was wrong with requests and answers. */
    complaints,
    writes: () => writes,
    /** What becomes of the next request that would write. */
    fail: (how: Fault) => {
      fault = how
    },
    /** The answer to the next request, whatever it is. */
    answerNext: (response: Response) => {
      next = response
    },
  }
}
