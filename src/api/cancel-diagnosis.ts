import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import type { Diagnosis } from '../diagnosis/diagnosis.ts'
import { hono, routes } from '../routes.ts'
import { findVisible } from './access.ts'
import type { App } from './env.ts'
import { Problem, problemResponses } from './problem.ts'
import { diagnosisSchema, viewOf } from './view.ts'

const cancelNote =
  'The diagnosis is being cancelled. What was read until now is still sealed and shared; a container that was already added cannot be stopped and runs until its own deadline'

const route = createRoute({
  method: 'delete',
  path: routes.diagnosis,
  summary: 'Cancel a diagnosis',
  description: cancelNote,
  security: [{ token: [] }],
  request: { params: z.object({ id: z.string() }) },
  responses: {
    202: {
      description: 'It is being cancelled',
      content: { 'application/json': { schema: z.object({ message: z.string(), diagnosis: diagnosisSchema }) } },
    },
    ...problemResponses('unauthorized', 'not-found', 'already-done', 'unavailable'),
  },
})

/** Sets the flag that listening observes. Throws a {@link Problem} if the diagnosis is over. */
export async function requestCancel(diagnosis: Diagnosis, deps: Pick<Deps, 'records'>): Promise<void> {
  if (await deps.records.requestCancel(diagnosis.id)) return
  throw new Problem('already-done', `Diagnosis "${diagnosis.id}" is over; there is nothing to cancel`)
}

export function cancelDiagnosis(app: App, deps: Deps): void {
  app.openAPIRegistry.registerPath(route)
  app.delete(hono(routes.diagnosis), async (c) => {
    const diagnosis = await findVisible(c.req.param('id') ?? '', c.get('principal'), deps)
    await requestCancel(diagnosis, deps)
    const now = (await deps.records.get(diagnosis.id)) ?? diagnosis
    return c.json({ message: cancelNote, diagnosis: viewOf(now, deps.config.publicUrl) }, 202)
  })
}
