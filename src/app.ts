import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { requirePrincipal } from './api/access.ts'
import { maxBodyBytes } from './api/body.ts'
import { cancelDiagnosis } from './api/cancel-diagnosis.ts'
import { createDiagnosis } from './api/create-diagnosis.ts'
import type { App, AppContext, Env } from './api/env.ts'
import { health } from './api/health.ts'
import { injection } from './api/injection.ts'
import { listDiagnoses } from './api/list-diagnoses.ts'
import { listIntake } from './api/list-intake.ts'
import { openapi } from './api/openapi.ts'
import { preflightDiagnosis } from './api/preflight.ts'
import { answerProblem, Problem } from './api/problem.ts'
import { readDiagnosis } from './api/read-diagnosis.ts'
import { receiveWebhook } from './api/receive-webhook.ts'
import type { Deps } from './deps.ts'
import { authenticators } from './diagnosis/admit/authenticate.ts'
import { pages, problemPage } from './pages/pages.tsx'
import { RecordsUnavailable } from './ports/records/records.ts'
import { StoreUnavailable } from './ports/store/store.ts'
import { api } from './routes.ts'

/** The whole HTTP side: the API, its description, the pages. Host-neutral: a host hands it requests. */
export function createApp(deps: Deps): App {
  const { publicUrl } = deps.config
  const app: App = new OpenAPIHono<Env>()
  const answer = async (problem: Problem, c: AppContext) => (await problemPage(problem, publicUrl, c)) ?? answerProblem(problem, publicUrl, c)

  app.onError((error, c) => {
    if (error instanceof Problem) return answer(error, c)
    if (error instanceof RecordsUnavailable || error instanceof StoreUnavailable) {
      deps.log('warn', 'A request could not be answered', {
        requestId: c.get('requestId'),
        method: c.req.method,
        path: c.req.path,
        error: error.message,
      })
      const what = error instanceof RecordsUnavailable ? 'database' : 'object store'
      return answer(new Problem('unavailable', `The ${what} cannot be used now; try again`, { headers: { 'retry-after': '10' } }), c)
    }
    deps.log('error', 'A request failed', { requestId: c.get('requestId'), method: c.req.method, path: c.req.path, error: describe(error) })
    return answer(new Problem('internal', 'The service failed; its log has the cause under this request id'), c)
  })
  app.notFound((c) => answer(new Problem('not-found', `There is nothing at "${c.req.path.slice(0, 100)}"`), c))

  app.use(requestId())
  app.use(async (c, next) => {
    const at = deps.clock.now()
    await next()
    if (quiet.test(c.req.path)) return
    // Who asked for what, without the query, which may hold names.
    const { method, path } = c.req
    deps.log('info', 'Request', {
      requestId: c.get('requestId'),
      method,
      path,
      status: c.res.status,
      ms: deps.clock.now() - at,
      principal: c.get('principal')?.name,
    })
  })
  app.use(secureHeaders(headers))
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const allow = methods.join(', ')
        return answer(new Problem('method-not-allowed', `${c.req.method} is not for "${c.req.path}"; ${allow} is`, { headers: { allow } }), c)
      },
    }),
  )
  // Before what is for callers with a token: a larger body, and credentials of its own.
  receiveWebhook(app, deps)
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: () => Promise.reject(new Problem('body-too-large', `The body has more than ${maxBodyBytes} bytes`)),
    }),
  )

  const known = authenticators(deps)
  app.use(api, async (c, next) => {
    c.set('principal', await requirePrincipal(c.req.raw, known, publicUrl))
    c.header('cache-control', 'no-store')
    await next()
  })

  createDiagnosis(app, deps)
  listDiagnoses(app, deps)
  readDiagnosis(app, deps)
  cancelDiagnosis(app, deps)
  preflightDiagnosis(app, deps)
  listIntake(app, deps)
  injection(app, deps)
  health(app, deps)
  openapi(app, publicUrl)
  pages(app, deps, known)
  return app
}

/** What probes and browsers ask for all the time. */
const quiet = /^\/(healthz|readyz|assets\/.*)$/

const self = ["'self'"]

/** Pages load nothing but our own style and script, and are framed by nobody. */
const headers: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: self,
    scriptSrc: self,
    connectSrc: self,
    imgSrc: self,
    formAction: self,
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  // Not for subdomains: those of the public host are not ours to decide about.
  strictTransportSecurity: 'max-age=15552000',
  // With no-referrer browsers would say "Origin: null" when our own forms are sent.
  referrerPolicy: 'same-origin',
}

/** With all causes: this is for the log of the service. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by: ${describe(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
