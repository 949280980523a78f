import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import { fieldErrors } from '../diagnosis/accept/field-error.ts'
import { isOperator } from '../diagnosis/admit/policy.ts'
import { readSwitch, setPaused } from '../diagnosis/inject/harm-switch.ts'
import { routes } from '../routes.ts'
import { readBody } from './body.ts'
import type { App } from './env.ts'
import { Problem, problemResponses } from './problem.ts'

const switchSchema = z
  .object({
    paused: z.boolean(),
    by: z.string().optional().openapi({ description: 'Who paused or resumed it last; absent: the service itself.' }),
    at: z.string().optional(),
    harmed: z.array(z.string()).openapi({ description: 'Diagnoses whose target was harmed since the last resume.' }),
    pausedByConfiguration: z.boolean(),
  })
  .openapi('Injection')

const changeSchema = z.strictObject({ paused: z.boolean() })
const answer = { 200: { description: 'As it is now', content: { 'application/json': { schema: switchSchema } } } }

const getRoute = createRoute({
  method: 'get',
  path: routes.injection,
  summary: 'Whether injection is paused',
  security: [{ token: [] }],
  responses: { ...answer, ...problemResponses('unauthorized') },
})

const postRoute = createRoute({
  method: 'post',
  path: routes.injection,
  summary: 'Pause or resume injection',
  description: 'For operators. While it is paused, diagnoses gather evidence only. Resuming forgets the targets that were harmed.',
  security: [{ token: [] }],
  request: { body: { required: true, content: { 'application/json': { schema: changeSchema } } } },
  responses: { ...answer, ...problemResponses('malformed-request', 'unauthorized', 'forbidden', 'unsupported-media-type', 'invalid-request') },
})

export function injection(app: App, deps: Deps): void {
  for (const route of [getRoute, postRoute]) app.openAPIRegistry.registerPath(route)
  const pausedByConfiguration = deps.config.harm.paused

  app.get(routes.injection, async (c) => c.json({ ...(await readSwitch(deps)), pausedByConfiguration }))

  app.post(routes.injection, async (c) => {
    const { name } = c.get('principal')
    if (!isOperator(deps.config.policy, name))
      throw new Problem('forbidden', `No rule makes "${name}" an operator, who may pause and resume injection`)
    const body = await readBody(c.req.raw)
    const parsed = changeSchema.safeParse(body)
    if (!parsed.success) {
      const errors = fieldErrors(parsed.error.issues, body, Object.keys(changeSchema.shape))
      throw new Problem('invalid-request', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), { errors })
    }
    const changed = await setPaused(parsed.data.paused, name, deps)
    deps.log('warn', parsed.data.paused ? 'Injection was paused' : 'Injection was resumed', { by: name })
    return c.json({ ...changed, pausedByConfiguration })
  })
}
