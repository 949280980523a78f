import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import { requestSchema } from '../diagnosis/accept/request.ts'
import type { Diagnosis } from '../diagnosis/diagnosis.ts'
import { hono, routes, urlsOf } from '../routes.ts'
import type { App } from './env.ts'
import { acceptDiagnosis, idempotencyKeyOf, readAdmitted } from './intake.ts'
import { liveLog, logHeaders } from './live-log.ts'
import { waitOf } from './prefer.ts'
import { problemResponses } from './problem.ts'
import { followSchema, readQuery } from './query.ts'
import { diagnosisSchema, viewOf } from './view.ts'
import { isDone, waitUntil } from './wait-until.ts'

const content = { 'application/json': { schema: diagnosisSchema } }
const location = { Location: { description: 'The diagnosis', schema: { type: 'string' as const } } }

/** For the OpenAPI document. The body is read by hand, because both forms are one request and no validator tells all that is wrong at once. */
const route = createRoute({
  method: 'post',
  path: routes.diagnoses,
  summary: 'Diagnose a pod',
  description:
    'Adds a diagnostic container to the pod and links what it finds to the bug report. With `?follow` the live log is the answer, and ends with the links.',
  security: [{ token: [] }],
  request: {
    query: z.strictObject({ follow: followSchema }),
    headers: z.object({
      prefer: z.string().optional().openapi({ description: '`wait=N` waits up to N seconds, at most 60, for the end.', example: 'wait=30' }),
      'idempotency-key': z.string().optional().openapi({ description: 'The same key and body give the same diagnosis again.' }),
    }),
    body: {
      required: true,
      content: { 'application/json': { schema: requestSchema }, 'application/x-www-form-urlencoded': { schema: requestSchema } },
    },
  },
  responses: {
    200: {
      description: 'It is over; or, with `?follow`, its live log',
      headers: location,
      content: { ...content, 'text/plain': { schema: z.string() } },
    },
    202: { description: 'Accepted', headers: location, content },
    ...problemResponses(
      'malformed-request',
      'unauthorized',
      'forbidden',
      'body-too-large',
      'unsupported-media-type',
      'invalid-request',
      'idempotency-key-reused',
      'unavailable',
    ),
  },
})

export function createDiagnosis(app: App, deps: Deps): void {
  app.openAPIRegistry.registerPath(route)
  app.post(hono(routes.diagnoses), async (c) => {
    const { follow } = readQuery(route.request.query, c.req.url)
    const key = idempotencyKeyOf(c.req.header('idempotency-key'))
    const request = await readAdmitted(c.req.raw, c.get('principal'), deps)
    const accepted = await acceptDiagnosis(request, key, deps)
    const { publicUrl } = deps.config
    const urls = urlsOf(publicUrl, accepted.id)
    if (follow) {
      const greeting = `# diagnosis ${accepted.id} of ${textOf(accepted)}\n# ${urls.page}\n`
      return c.body(liveLog(accepted, deps, greeting, c.req.raw.signal), 200, { ...logHeaders, location: urls.self })
    }
    const wait = waitOf(c.req.header('prefer'))
    const diagnosis = wait === undefined ? accepted : ((await waitUntil(isDone, accepted.id, wait * 1000, deps, c.req.raw.signal)) ?? accepted)
    if (wait !== undefined) c.header('preference-applied', `wait=${wait}`)
    c.header('location', urls.self)
    return c.json(viewOf(diagnosis, publicUrl), isDone(diagnosis) ? 200 : 202)
  })
}

function textOf({ target }: Diagnosis): string {
  if (target.kind === 'pod') return `pod ${target.namespace}/${target.name}`
  if (target.kind === 'workload') return `${target.workload} ${target.namespace}/${target.name}`
  return `pods ${target.namespace}/${target.selector}`
}
