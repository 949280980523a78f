import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import { fieldErrors } from '../diagnosis/accept/field-error.ts'
import { isOperator, maySee, visibleTo } from '../diagnosis/admit/policy.ts'
import { type InjectionSwitch, readSwitch, setPaused } from '../diagnosis/inject/harm-switch.ts'
import { routes } from '../routes.ts'
import { readBody } from './body.ts'
import type { App } from './env.ts'
import { Problem, problemResponses } from './problem.ts'

const switchSchema = z
  .object({
    paused: z.boolean(),
    by: z.string().optional().openapi({ description: 'Who paused or resumed it last; absent: the service itself.' }),
    at: z.string().optional(),
    harmed: z
      .array(z.string())
      .openapi({ description: 'Diagnoses whose target was harmed since the last resume: all of them for operators, else those that you may see.' }),
    harmedCount: z.number().int().openapi({ description: 'How many there are.' }),
    pausedByConfiguration: z.boolean(),
  })
  .openapi('Injection')

/** A form has texts alone. */
function fromForm(body: unknown): unknown {
  const given = (body as { readonly paused?: unknown } | null)?.paused
  return given === 'true' || given === 'false' ? { ...(body as object), paused: given === 'true' } : body
}

const changeSchema = z.strictObject({ paused: z.boolean() })
const answer = { 200: { description: 'As it is now', content: { 'application/json': { schema: switchSchema } } } }

const getRoute = createRoute({
  method: 'get',
  path: routes.injection,
  summary: 'Whether injection is paused',
  security: [{ token: [] }],
  responses: { ...answer, ...problemResponses('unauthorized', 'forbidden', 'unavailable') },
})

const postRoute = createRoute({
  method: 'post',
  path: routes.injection,
  summary: 'Pause or resume injection',
  description: 'For operators. While it is paused, diagnoses gather evidence only. Resuming forgets the targets that were harmed.',
  security: [{ token: [] }],
  request: { body: { required: true, content: { 'application/json': { schema: changeSchema } } } },
  responses: {
    ...answer,
    ...problemResponses('malformed-request', 'unauthorized', 'forbidden', 'unsupported-media-type', 'invalid-request', 'unavailable'),
  },
})

export function injection(app: App, deps: Deps): void {
  for (const route of [getRoute, postRoute]) app.openAPIRegistry.registerPath(route)
  const pausedByConfiguration = deps.config.harm.paused

  const view = async (now: InjectionSwitch, name: string) => ({
    ...now,
    harmed: isOperator(deps.config.policy, name) ? now.harmed : await visible(now.harmed, name, deps),
    harmedCount: now.harmed.length,
    pausedByConfiguration,
  })

  app.get(routes.injection, async (c) => {
    const { name } = c.get('principal')
    if (visibleTo(deps.config.policy, name).length === 0) throw new Problem('forbidden', `No rule of the policy allows "${name}" anything`)
    return c.json(await view(await readSwitch(deps), name))
  })

  app.post(routes.injection, async (c) => {
    const { name } = c.get('principal')
    if (!isOperator(deps.config.policy, name))
      throw new Problem('forbidden', `No rule makes "${name}" an operator, who may pause and resume injection`)
    const body = fromForm(await readBody(c.req.raw))
    const parsed = changeSchema.safeParse(body)
    if (!parsed.success) {
      const errors = fieldErrors(parsed.error.issues, body, Object.keys(changeSchema.shape))
      throw new Problem('invalid-request', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), { errors })
    }
    const changed = await setPaused(parsed.data.paused, name, deps)
    deps.log('warn', parsed.data.paused ? 'Injection was paused' : 'Injection was resumed', { by: name })
    return c.json(await view(changed, name))
  })
}

/** An id tells that somebody was diagnosed, and when: it is shown to those who may see the diagnosis. */
async function visible(ids: readonly string[], name: string, { config, records }: Pick<Deps, 'config' | 'records'>): Promise<readonly string[]> {
  const found = await Promise.all(ids.map((id) => records.get(id)))
  return ids.filter((_, at) => found[at] && maySee(config.policy, name, found[at]))
}
