import { etag } from 'hono/etag'
import { findVisible, requirePrincipal } from '../api/access.ts'
import { requestCancel } from '../api/cancel-diagnosis.ts'
import type { App, AppContext } from '../api/env.ts'
import { listPage, listQuery } from '../api/list-diagnoses.ts'
import { intakePage, intakeQuery } from '../api/list-intake.ts'
import { openapiDocument } from '../api/openapi.ts'
import { Problem } from '../api/problem.ts'
import { problems } from '../api/problems.ts'
import { readQuery } from '../api/query.ts'
import type { Deps } from '../deps.ts'
import type { Authenticator } from '../diagnosis/admit/authenticate.ts'
import { clustersOf } from '../diagnosis/admit/policy.ts'
import { hono, pathOf, routes } from '../routes.ts'
import { DiagnosisPage } from './diagnosis-page.tsx'
import { type ApiDocument, DocsPage } from './docs-page.tsx'
import { answerPage, basePath, frameOf, wantsMinimal, wantsPage } from './frame.ts'
import { IntakePage } from './intake-page.tsx'
import { ListPage } from './list-page.tsx'
import { login } from './login.tsx'
import { ErrorPage, ProblemPage, ProblemsPage } from './problem-page.tsx'
import { icon, script } from './script.ts'
import { storedTail } from './stored-tail.ts'
import { style } from './style.ts'

/** The pages: what the API says, for people. They need a login; what explains the API does not. */
export function pages(app: App, deps: Deps, known: readonly Authenticator[]): void {
  const { config } = deps
  const { publicUrl } = config
  const base = basePath(publicUrl)

  for (const route of [routes.home, routes.page, routes.cancel, routes.intakePage]) {
    app.use(hono(route), async (c, next) => {
      c.set('principal', await requirePrincipal(c.req.raw, known, publicUrl))
      await next()
    })
  }

  app.get(routes.home, async (c) => {
    const { name } = c.get('principal')
    const query = readQuery(listQuery, withoutEmpty(c.req.url))
    const { limit: _, cursor, ...filters } = query
    const page = await listPage(query, c.get('principal'), deps)
    const clusters = clustersOf(config.policy, name, Object.keys(config.clusters))
    return answerPage(
      c,
      <ListPage
        frame={frameOf(c, publicUrl)}
        diagnoses={page.items}
        filters={filters}
        clusters={clusters}
        next={page.next}
        first={cursor === undefined}
      />,
    )
  })

  app.get(routes.intakePage, async (c) => {
    const { name } = c.get('principal')
    const query = readQuery(intakeQuery, withoutEmpty(c.req.url))
    const { limit: _, cursor, ...filters } = query
    const page = await intakePage(query, c.get('principal'), deps)
    return answerPage(
      c,
      <IntakePage
        frame={frameOf(c, publicUrl)}
        alerts={page.items}
        filters={filters}
        sources={Object.keys(config.sources)}
        clusters={clustersOf(config.policy, name, Object.keys(config.clusters))}
        next={page.next}
        first={cursor === undefined}
      />,
    )
  })

  app.get(hono(routes.page), async (c) => {
    const diagnosis = await findVisible(c.req.param('id') ?? '', c.get('principal'), deps)
    // The script has the log by itself, live.
    const log = wantsMinimal(c.req.raw) ? undefined : await storedTail(diagnosis, deps, c.req.raw.signal)
    return answerPage(c, <DiagnosisPage frame={frameOf(c, publicUrl)} diagnosis={diagnosis} log={log} />)
  })

  app.post(hono(routes.cancel), async (c) => {
    const diagnosis = await findVisible(c.req.param('id') ?? '', c.get('principal'), deps)
    await requestCancel(diagnosis, deps)
    return c.redirect(base + pathOf(routes.page, diagnosis.id), 303)
  })

  login(app, deps)

  let document: ApiDocument | undefined
  app.get(routes.docs, (c) => {
    document ??= openapiDocument(app, publicUrl) as unknown as ApiDocument
    return answerPage(c, <DocsPage frame={frameOf(c, publicUrl)} document={document} publicUrl={publicUrl} />)
  })

  app.get(routes.problems, (c) => answerPage(c, <ProblemsPage frame={frameOf(c, publicUrl)} kinds={problems} />))
  app.get(hono(routes.problem), (c) => {
    const slug = c.req.param('id') ?? ''
    if (!Object.hasOwn(problems, slug)) throw new Problem('not-found', `There is no problem "${slug.slice(0, 100)}"`)
    return answerPage(c, <ProblemPage frame={frameOf(c, publicUrl)} slug={slug} kind={problems[slug as keyof typeof problems]} />)
  })

  const asset = (route: string, type: string, text: string) =>
    app.get(route, etag(), (c) => c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' }))
  asset(routes.style, 'text/css; charset=utf-8', style)
  asset(routes.script, 'text/javascript; charset=utf-8', script)
  asset(routes.icon, 'image/svg+xml', icon)
}

/** A form sends its empty fields along. */
function withoutEmpty(text: string): string {
  const url = new URL(text)
  for (const [field, value] of [...url.searchParams]) if (value === '') url.searchParams.delete(field, value)
  return url.href
}

/** For browsers: who is not logged in is asked to, all else is explained on a page. Undefined for everyone else. */
export async function problemPage(problem: Problem, publicUrl: string, c: AppContext): Promise<Response | undefined> {
  if (!wantsPage(c.req.raw)) return undefined
  const base = basePath(publicUrl)
  if (problem.slug === 'unauthorized') {
    const { pathname, search } = new URL(c.req.url)
    // After a form that came too late there is no going back to it.
    const next = c.req.method === 'GET' ? `?${new URLSearchParams({ next: `${base}${pathname}${search}` })}` : ''
    c.header('cache-control', 'no-store')
    return c.redirect(`${base}${routes.login}${next}`, 303)
  }
  for (const [name, value] of Object.entries(problem.headers)) c.header(name, value)
  const kind = problems[problem.slug]
  const { message, errors } = problem
  return answerPage(
    c,
    <ErrorPage frame={frameOf(c, publicUrl)} kind={kind} detail={message} errors={errors} requestId={c.get('requestId')} />,
    kind.status,
  )
}
