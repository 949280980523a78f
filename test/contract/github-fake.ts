import { type Context, Hono } from 'hono'
import { verify } from 'hono/jwt'
import { description } from './github-fake-description.ts'
import { type FakeComment, type FakeIssue, type FakeRepository, githubViews } from './github-fake-state.ts'
import { openApiValidator } from './openapi-validator.ts'
import type { TrackerFault } from './tracker.ts'

export type FakeGitHub = ReturnType<typeof fakeGitHub>

/** One for all: what it compiles is kept. */
const validator = openApiValidator(description, '/api/v3')

/**
 * A GitHub Enterprise Server in memory, below `/api/v3`: users with tokens, an app with installations, repositories, issues, comments, pages with Link
 * headers. Requests and answers are held against GitHub's own OpenAPI description; what differs is put down in `complaints`.
 */
export function fakeGitHub(options: { readonly clock?: { now(): number }; readonly publicKey?: string } = {}) {
  const clock = options.clock ?? { now: Date.now }
  const web = 'https://github.example'
  const url = `${web}/api/v3`
  const view = githubViews(url, web)
  const complaints: string[] = []
  const requests: { readonly method: string; readonly path: string; readonly at: number }[] = []
  const tokens = new Map<string, { readonly login: string; readonly expires: number; readonly readOnly: boolean }>()
  const repositories: FakeRepository[] = []
  const answers: ((request: Request) => Response | undefined)[] = []
  let fault: TrackerFault | undefined
  let lastId = 1000
  let writes = 0
  let lag = 0

  const problem = (c: Context, status: 401 | 403 | 404 | 410 | 422, message: string) =>
    c.json({ message, documentation_url: 'https://docs.github.com/rest', ...(status === 422 ? {} : { status: String(status) }) }, status)
  const caller = (c: Context) => {
    const token = tokens.get(/^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1] ?? '')
    return token && token.expires > clock.now() ? token : undefined
  }
  const paged = <T>(c: Context, all: readonly T[]) => {
    const size = Math.min(Number(c.req.query('per_page') ?? 30), 100)
    const page = Number(c.req.query('page') ?? 1)
    const link = new URL(c.req.url)
    link.searchParams.set('page', String(page + 1))
    if (all.length > page * size) c.header('link', `<${link.href}>; rel="next"`)
    return all.slice((page - 1) * size, page * size)
  }

  const app = new Hono<{ Variables: { login: string; repository: FakeRepository; issue: FakeIssue } }>().basePath('/api/v3')
  app.onError((error, c) => {
    complaints.push(`the fake failed: ${error.stack}`)
    return c.json({ message: 'Server Error' }, 500)
  })
  app.use('/app/*', async (c, next) => {
    const jwt = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
    const claims = await verify(jwt, options.publicKey ?? '', { alg: 'RS256', exp: false, iat: false, nbf: false }).catch(() => undefined)
    const now = clock.now() / 1000
    if (claims?.iss !== '4711' || Number(claims.iat) > now || Number(claims.exp) < now || Number(claims.exp) > now + 600)
      return problem(c, 401, 'A JSON web token could not be decoded')
    return next()
  })
  app.get('/app', (c) => c.json(view.app('autodiagnose')))
  app.post('/app/installations/:id/access_tokens', (c) => {
    if (c.req.param('id') !== '99') return problem(c, 404, 'Not Found')
    const token = `ghs_made-up-${++lastId}`
    tokens.set(token, { login: 'autodiagnose[bot]', expires: clock.now() + 3_600_000, readOnly: false })
    return c.json(view.token(token, clock.now() + 3_600_000), 201)
  })
  app.use('*', async (c, next) => {
    if (/^\/api\/v3\/app(\/|$)/.test(c.req.path)) return next()
    const user = caller(c)
    if (!user) return problem(c, 401, 'Bad credentials')
    if (user.readOnly && c.req.method !== 'GET') return problem(c, 403, 'Resource not accessible by personal access token')
    c.set('login', user.login)
    return next()
  })
  app.get('/user', (c) =>
    c.get('login').endsWith('[bot]') ? problem(c, 403, 'Resource not accessible by integration') : c.json(view.user(c.get('login'))),
  )
  app.use('/repos/:owner/:repo/*', async (c, next) => {
    const name = `${c.req.param('owner')}/${c.req.param('repo')}`.toLowerCase()
    const found = repositories.find((each) => each.name.toLowerCase() === name)
    if (!found) return problem(c, 404, 'Not Found')
    if (found.movedTo) return c.json({ message: 'Moved Permanently', url: found.movedTo, documentation_url: '' }, 301, { location: found.movedTo })
    c.set('repository', found)
    return next()
  })
  app.get('/repos/:owner/:repo/issues', (c) => {
    const { state = 'open', creator, labels, direction = 'desc' } = c.req.query()
    const found = c
      .get('repository')
      .issues.filter(
        (issue) =>
          (state === 'all' || issue.state === state) &&
          (creator === undefined || issue.login.toLowerCase() === creator.toLowerCase()) &&
          (labels ?? '').split(',').every((label) => label === '' || issue.labels.includes(label)),
      )
    return c.json(paged(c, direction === 'desc' ? found.reverse() : found).map((issue) => view.issue(c.get('repository'), issue)))
  })
  app.post('/repos/:owner/:repo/issues', async (c) => {
    const { title, body = '', labels = [] } = await c.req.json()
    if (title.length > 256 || body.length > 65_536) return problem(c, 422, 'Validation Failed')
    return c.json(view.issue(c.get('repository'), addIssue(c.get('repository'), c.get('login'), { title, body, labels })), 201)
  })
  app.use('/repos/:owner/:repo/issues/:number{[0-9]+}/*', async (c, next) => {
    const number = Number(c.req.param('number'))
    if (c.get('repository').deleted.has(number)) return problem(c, 410, 'This issue was deleted')
    const issue = c.get('repository').issues.find((each) => each.number === number)
    if (!issue) return problem(c, 404, 'Not Found')
    c.set('issue', issue)
    return next()
  })
  app.get('/repos/:owner/:repo/issues/:number{[0-9]+}', (c) => c.json(view.issue(c.get('repository'), c.get('issue'))))
  app.patch('/repos/:owner/:repo/issues/:number{[0-9]+}', async (c) => {
    const issue = c.get('issue')
    const { state = issue.state, state_reason = null } = await c.req.json()
    if (issue.login !== c.get('login')) return problem(c, 403, 'Must have admin rights to Repository.')
    Object.assign(issue, { state, stateReason: state === 'open' ? 'reopened' : state_reason })
    return c.json(view.issue(c.get('repository'), issue))
  })
  app.get('/repos/:owner/:repo/issues/:number{[0-9]+}/comments', (c) => {
    const { comments } = c.get('issue')
    const seen = lag > 0 ? comments.slice(0, -1) : comments
    lag = Math.max(lag - 1, 0)
    return c.json(paged(c, seen).map((comment) => view.comment(c.get('repository'), c.get('issue'), comment)))
  })
  app.post('/repos/:owner/:repo/issues/:number{[0-9]+}/comments', async (c) => {
    const { body } = await c.req.json()
    if (c.get('issue').locked) return problem(c, 403, 'Unable to create comment because issue is locked.')
    if (body.length > 65_536) return problem(c, 422, 'Validation Failed')
    return c.json(view.comment(c.get('repository'), c.get('issue'), addComment(c.get('issue'), c.get('login'), body)), 201)
  })
  app.on(['PATCH', 'DELETE'], '/repos/:owner/:repo/issues/comments/:id', async (c) => {
    const issue = c.get('repository').issues.find(({ comments }) => comments.some(({ id }) => String(id) === c.req.param('id')))
    const at = issue?.comments.findIndex(({ id }) => String(id) === c.req.param('id')) ?? -1
    const comment = issue?.comments[at]
    if (!issue || !comment) return problem(c, 404, 'Not Found')
    if (comment.login !== c.get('login')) return problem(c, 403, 'Must have admin rights to Repository.')
    if (c.req.method === 'DELETE') {
      issue.comments.splice(at, 1)
      return c.body(null, 204)
    }
    comment.body = (await c.req.json()).body
    return c.json(view.comment(c.get('repository'), issue, comment))
  })

  function addIssue(repository: FakeRepository, login: string, issue: Partial<FakeIssue> & { readonly title: string }): FakeIssue {
    const number = Math.max(0, ...repository.deleted, ...repository.issues.map((each) => each.number)) + 1
    const made: FakeIssue = {
      number,
      login,
      body: '',
      state: 'open',
      stateReason: null,
      labels: [],
      comments: [],
      locked: false,
      pull: false,
      ...issue,
    }
    repository.issues.push(made)
    return made
  }
  function addComment(issue: FakeIssue, login: string, body: string): FakeComment {
    const made = { id: ++lastId, login, body }
    issue.comments.push(made)
    return made
  }

  return {
    url,
    web,
    complaints,
    requests,
    /** What changed something so far; the making of tokens does not count. */
    writes: () => writes,
    user(login: string, { readOnly = false } = {}) {
      const token = `github_pat_made-up-${login}`
      tokens.set(token, { login, expires: Number.POSITIVE_INFINITY, readOnly })
      return { login, token }
    },
    /** All tokens of the app end now. */
    revokeAppTokens() {
      for (const token of tokens.keys()) if (token.startsWith('ghs_')) tokens.delete(token)
    },
    repository(name: string): FakeRepository {
      const made: FakeRepository = { name, issues: [], deleted: new Set() }
      repositories.push(made)
      return made
    },
    addIssue,
    addComment,
    issueOf(key: string): FakeIssue {
      const [project, number] = key.split('#')
      const issue = repositories.find(({ name }) => name === project)?.issues.find((each) => String(each.number) === number)
      if (!issue) throw new Error(`There is no issue "${key}"`)
      return issue
    },
    /** With the next request that would change something. */
    fail(next: TrackerFault) {
      fault = next
    },
    /** Instead of the next answer; undefined: the next request is answered as ever. */
    answer(...next: readonly ((request: Request) => Response | undefined)[]) {
      answers.push(...next)
    },
    /** The next lists of comments do not have the newest one yet. */
    lag(lists: number) {
      lag = lists
    },
    async fetch(request: Request): Promise<Response> {
      const { method, signal } = request
      const path = new URL(request.url).pathname.slice('/api/v3'.length)
      requests.push({ method, path, at: clock.now() })
      complaints.push(...(await validator.request(request)), ...headerComplaints(request))
      const given = answers.shift()?.(request)
      if (given) return given
      const changes = method !== 'GET' && !path.startsWith('/app/')
      const now = changes ? fault : undefined
      if (changes) fault = undefined
      if (now === 'silent') return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      if (now === 'cut-before') throw new TypeError('fetch failed')
      if (now === 'unavailable') return Response.json({ message: 'Unavailable' }, { status: 503, headers: { 'retry-after': '7' } })
      if (now === 'rate-limited') return Response.json({}, { status: 429, headers: { 'retry-after': new Date(clock.now() + 7000).toUTCString() } })
      if (changes) writes += 1
      const response = await app.fetch(request)
      complaints.push(...(await validator.answer(request, response)))
      if (now === 'cut-after') throw new TypeError('fetch failed')
      return response
    },
  }
}

/** What the description does not say of a request, but the documentation does. */
function headerComplaints({ method, url, headers }: Request): string[] {
  const wanted = {
    accept: /^application\/vnd\.github\.v3\+json$|^application\/vnd\.github\+json$/,
    'user-agent': /autodiagnose/,
    'x-github-api-version': /^2022-11-28$/,
  }
  return Object.entries(wanted).flatMap(([name, pattern]) =>
    pattern.test(headers.get(name) ?? '') ? [] : [`${method} ${url}: the header ${name} is "${headers.get(name)}"`],
  )
}
