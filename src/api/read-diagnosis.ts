import { createRoute, z } from '@hono/zod-openapi'
import { urlExpiry } from '../config-facts.ts'
import type { Deps } from '../deps.ts'
import type { Diagnosis } from '../diagnosis/diagnosis.ts'
import { hono, routes } from '../routes.ts'
import { findVisible } from './access.ts'
import type { App, AppContext } from './env.ts'
import { liveLog, logHeaders, storedLog } from './live-log.ts'
import { Problem, problemResponses } from './problem.ts'
import { followSchema, readQuery } from './query.ts'
import { diagnosisSchema, viewOf } from './view.ts'
import { isDone } from './wait-until.ts'

const params = z.object({ id: z.string().openapi({ example: 'ad-01jd2zk8w0q7x2m4n6p8' }) })
const common = { method: 'get' as const, security: [{ token: [] }], request: { params } }
const noQuery = z.strictObject({})
const logQuery = z.strictObject({
  follow: followSchema,
  twin: followSchema.openapi({ description: 'The log of the healthy replica, in the place of the target’s.' }),
})

const getRoute = createRoute({
  ...common,
  path: routes.diagnosis,
  summary: 'One diagnosis',
  responses: {
    200: { description: 'Its state, findings and links', content: { 'application/json': { schema: diagnosisSchema } } },
    ...problemResponses('unauthorized', 'not-found', 'unavailable'),
  },
})

const logRoute = createRoute({
  ...common,
  path: routes.log,
  summary: 'Its log',
  description:
    'What the container printed, redacted, as it was stored. With `?follow` live until the end, with outcome, findings and links as the last lines.',
  request: { params, query: logQuery },
  responses: {
    200: { description: 'TAP', content: { 'text/plain': { schema: z.string() } } },
    ...problemResponses('invalid-query', 'unauthorized', 'not-found', 'unavailable'),
  },
})

const bundleRoute = createRoute({
  ...common,
  path: routes.bundle,
  summary: 'Its bundle',
  description: 'A tar.gz in the layout of Troubleshoot.',
  responses: {
    200: { description: 'The bundle', content: { 'application/gzip': { schema: z.string().openapi({ format: 'binary' }) } } },
    302: { description: 'Where the store has it, for a short time' },
    ...problemResponses('unauthorized', 'not-found', 'no-bundle', 'bundle-not-ready', 'unavailable'),
  },
})

export function readDiagnosis(app: App, deps: Deps): void {
  for (const route of [getRoute, logRoute, bundleRoute]) app.openAPIRegistry.registerPath(route)

  app.get(hono(routes.diagnosis), async (c) => {
    readQuery(noQuery, c.req.url)
    return c.json(viewOf(await findVisible(c.req.param('id') ?? '', c.get('principal'), deps), deps.config.publicUrl))
  })

  app.get(hono(routes.log), async (c) => {
    const { follow, twin } = readQuery(logQuery, c.req.url)
    const { id, adopted } = await findVisible(c.req.param('id') ?? '', c.get('principal'), deps)
    const whose = { id, twin, ...(adopted ? { adopted } : {}) }
    const { method, signal } = c.req.raw
    if (method === 'HEAD') return c.body(null, 200, logHeaders)
    return c.body(follow ? liveLog(whose, deps, '', signal) : await storedLog(whose, deps, signal), 200, logHeaders)
  })

  app.get(hono(routes.bundle), async (c) => {
    readQuery(noQuery, c.req.url)
    return answerBundle(await findVisible(c.req.param('id') ?? '', c.get('principal'), deps), c, deps)
  })
}

async function answerBundle(diagnosis: Diagnosis, c: AppContext, deps: Pick<Deps, 'config' | 'store'>): Promise<Response> {
  const { id, bundle, state } = diagnosis
  if (!bundle && isDone(diagnosis))
    throw new Problem('no-bundle', `Diagnosis "${id}" ended without a bundle: ${diagnosis.explanation ?? diagnosis.outcome}`)
  if (!bundle)
    throw new Problem('bundle-not-ready', `Diagnosis "${id}" is ${state}; its bundle is made when it ends`, { headers: { 'retry-after': '5' } })
  const { signal } = c.req.raw
  const gone = new Problem('no-bundle', `The bundle of diagnosis "${id}" is not in the store any more`)
  const head = await deps.store.head(bundle.key, { signal })
  if (!head) throw gone
  const url = await deps.store.downloadUrl(bundle.key, {
    filename: bundle.filename,
    expiresSeconds: urlExpiry(deps.config.store),
  })
  if (url !== undefined) return c.body(null, 302, { location: url })
  const headers = {
    'content-type': 'application/gzip',
    'content-disposition': `attachment; filename="${bundle.filename}"`,
  }
  if (c.req.method === 'HEAD') return c.body(null, 200, { ...headers, 'content-length': String(head.bytes) })
  const object = await deps.store.get(bundle.key, { signal })
  if (!object) throw gone
  return c.body(object.body, 200, { ...headers, 'content-length': String(object.bytes) })
}
