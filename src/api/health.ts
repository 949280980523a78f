import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import { routes } from '../routes.ts'
import type { App } from './env.ts'

const checkTimeoutMs = 2000
/** Anyone may ask; what it asks of others is asked at most this often. */
const rememberMs = 1000

const part = z.enum(['ok', 'unavailable'])
const readySchema = z
  .object({
    ready: z.boolean(),
    records: part,
    store: part,
    clusters: z.record(z.string(), part).openapi({ description: 'Told, but no part of being ready.' }),
  })
  .openapi('Readiness')

const healthRoute = createRoute({
  method: 'get',
  path: routes.healthz,
  summary: 'Whether the process is alive',
  responses: { 200: { description: 'It is', content: { 'text/plain': { schema: z.literal('ok') } } } },
})

const readyRoute = createRoute({
  method: 'get',
  path: routes.readyz,
  summary: 'Whether requests can be taken',
  responses: {
    200: { description: 'They can', content: { 'application/json': { schema: readySchema } } },
    503: { description: 'The database or the object store cannot be used', content: { 'application/json': { schema: readySchema } } },
  },
})

type Readiness = z.infer<typeof readySchema>

/** Plain data, by configuration: on Workers an app lives for one request, and this for many. */
const remembered = new WeakMap<Deps['config'], { readonly at: number; readonly answer: Readiness }>()

export function health(app: App, deps: Deps): void {
  let asking: Promise<Readiness> | undefined
  app.openapi(healthRoute, (c) => c.text('ok'))
  app.openapi(readyRoute, async (c) => {
    const at = deps.clock.now()
    const known = remembered.get(deps.config)
    if (known && at - known.at < rememberMs) return c.json(known.answer, 200)
    asking ??= readiness(deps).finally(() => {
      asking = undefined
    })
    const answer = await asking
    // Who waits for it to become ready shall see it at once.
    if (answer.ready) remembered.set(deps.config, { at, answer })
    return c.json(answer, answer.ready ? 200 : 503)
  })
}

async function readiness(deps: Deps): Promise<Readiness> {
  const check = (what: string, ask: (signal: AbortSignal) => Promise<unknown>) => bounded(what, ask, deps)
  const [records, store, clusters] = await Promise.all([
    check('records', () => deps.records.check()),
    check('store', (signal) => deps.store.check(signal)),
    Promise.all(
      [...deps.clusters].map(async ([name, cluster]) => [name, await check(`cluster ${name}`, (signal) => cluster.version(signal))] as const),
    ),
  ])
  return { ready: records === 'ok' && store === 'ok', records, store, clusters: Object.fromEntries(clusters) }
}

/** The cause goes to the log of the service only. */
async function bounded(
  what: string,
  ask: (signal: AbortSignal) => Promise<unknown>,
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
): Promise<'ok' | 'unavailable'> {
  const stop = new AbortController()
  const late = clock.sleep(checkTimeoutMs, stop.signal).then(() => {
    throw new Error(`No answer within ${checkTimeoutMs} ms`)
  })
  try {
    await Promise.race([ask(stop.signal), late])
    return 'ok'
  } catch (error) {
    log('warn', `Not available: ${what}`, { error: String(error) })
    return 'unavailable'
  } finally {
    stop.abort()
    late.catch(() => undefined)
  }
}
