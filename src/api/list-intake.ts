import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import { alertIdPattern } from '../diagnosis/accept/id.ts'
import type { Principal } from '../diagnosis/admit/authenticate.ts'
import { visibleTo } from '../diagnosis/admit/policy.ts'
import { type AlertRecord, alertOutcomes, suppressions } from '../ports/records/intake.ts'
import { hono, routes } from '../routes.ts'
import { makeCursor, readCursor } from './cursor.ts'
import type { App } from './env.ts'
import { alertSchema, alertView } from './intake-view.ts'
import { Problem, problemResponses } from './problem.ts'
import { readQuery } from './query.ts'

const text = z.string().min(1, 'must not be empty; leave it out').max(300, 'at most 300 characters').optional()

export const intakeQuery = z.strictObject({
  source: text.openapi({ description: 'The name of the webhook source.' }),
  outcome: z.enum(alertOutcomes).optional(),
  suppression: z.enum(suppressions).optional().openapi({ description: 'Why there is no diagnosis of its own.' }),
  name: text.openapi({ description: 'The name of the alert; /diagnose for commands.' }),
  cluster: text,
  namespace: text,
  trouble: text.openapi({ description: 'The id of a trouble: one alert of one workload.' }),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a whole number of 1 to 100')
    .default('20')
    .transform(Number)
    .openapi({ type: 'integer', minimum: 1, maximum: 100, default: 20 }),
  cursor: z.string().max(300).optional().openapi({ description: '`next` of the page before leads there; it works with the same filters only.' }),
})

const route = createRoute({
  method: 'get',
  path: routes.intake,
  summary: 'List what webhooks delivered',
  description:
    'Alerts and commands, newest first: which diagnosis each of them started, or why it started none. Those that you may see, and that match all filters; what led to no namespace is for those who may see all.',
  security: [{ token: [] }],
  request: { query: intakeQuery },
  responses: {
    200: {
      description: 'One page; the Link header has the next one too',
      content: {
        'application/json': {
          schema: z.object({
            alerts: z.array(alertSchema),
            next: z.string().optional().openapi({ description: 'URL of the next page; absent on the last.' }),
          }),
        },
      },
    },
    ...problemResponses('invalid-query', 'invalid-cursor', 'unauthorized', 'forbidden', 'unavailable'),
  },
})

export interface IntakePage {
  readonly alerts: readonly AlertRecord[]
  /** The query of the next page; absent on the last. */
  readonly next?: string
}

export async function intakePage(
  query: z.output<typeof intakeQuery>,
  principal: Principal,
  deps: Pick<Deps, 'config' | 'records'>,
): Promise<IntakePage> {
  const { limit, cursor, ...filter } = query
  const visible = visibleTo(deps.config.policy, principal.name)
  if (visible.length === 0) throw new Problem('forbidden', `No rule of the policy allows "${principal.name}" anything`)
  const after = cursor === undefined ? undefined : await readCursor(cursor, filter, alertIdPattern)
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as typeof filter
  // One more than is shown tells whether there is a next page.
  const found = await deps.records.listAlerts({ ...given, visible } as Parameters<Deps['records']['listAlerts']>[0], {
    limit: limit + 1,
    ...(after === undefined ? {} : { after }),
  })
  const alerts = found.slice(0, limit)
  const last = alerts.at(-1)
  if (found.length <= limit || !last) return { alerts }
  const next = new URLSearchParams({ ...given, limit: String(limit), cursor: await makeCursor(filter, last.id) } as Record<string, string>)
  return { alerts, next: next.toString() }
}

export function listIntake(app: App, deps: Deps): void {
  app.openAPIRegistry.registerPath(route)
  app.get(hono(routes.intake), async (c) => {
    const { publicUrl } = deps.config
    const page = await intakePage(readQuery(intakeQuery, c.req.url), c.get('principal'), deps)
    const next = page.next === undefined ? undefined : `${publicUrl}${routes.intake}?${page.next}`
    if (next !== undefined) c.header('link', `<${next}>; rel="next"`)
    return c.json({ alerts: page.alerts.map((alert) => alertView(alert, publicUrl)), ...(next === undefined ? {} : { next }) })
  })
}
