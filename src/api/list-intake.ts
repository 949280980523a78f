import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import { alertIdPattern } from '../diagnosis/accept/id.ts'
import type { Principal } from '../diagnosis/admit/authenticate.ts'
import { type AlertFilter, type AlertRecord, alertOutcomes, suppressions } from '../ports/records/intake.ts'
import { hono, routes } from '../routes.ts'
import type { App } from './env.ts'
import { alertSchema, alertView } from './intake-view.ts'
import { filterText, nextOf, nextSchema, type Page, pageOf, pagingQuery } from './paging.ts'
import { problemResponses } from './problem.ts'
import { readQuery } from './query.ts'

export const intakeQuery = z.strictObject({
  source: filterText.openapi({ description: 'The name of the webhook source.' }),
  outcome: z.enum(alertOutcomes).optional(),
  suppression: z.enum(suppressions).optional().openapi({ description: 'Why there is no diagnosis of its own.' }),
  name: filterText.openapi({ description: 'The name of the alert; /diagnose for commands.' }),
  cluster: filterText,
  namespace: filterText,
  trouble: filterText.openapi({ description: 'The id of a trouble: one alert of one workload.' }),
  ...pagingQuery,
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
          schema: z.object({ alerts: z.array(alertSchema), next: nextSchema }),
        },
      },
    },
    ...problemResponses('invalid-query', 'invalid-cursor', 'unauthorized', 'forbidden', 'unavailable'),
  },
})

export function intakePage(
  query: z.output<typeof intakeQuery>,
  principal: Principal,
  deps: Pick<Deps, 'config' | 'records'>,
): Promise<Page<AlertRecord>> {
  const { limit, cursor, ...filter } = query
  return pageOf(filter, { limit, cursor, idPattern: alertIdPattern }, principal, deps, (given, page) =>
    deps.records.listAlerts(given as AlertFilter, page),
  )
}

export function listIntake(app: App, deps: Deps): void {
  app.openAPIRegistry.registerPath(route)
  app.get(hono(routes.intake), async (c) => {
    const { publicUrl } = deps.config
    const page = await intakePage(readQuery(intakeQuery, c.req.url), c.get('principal'), deps)
    return c.json({ alerts: page.items.map((alert) => alertView(alert, publicUrl)), ...nextOf(c, `${publicUrl}${routes.intake}`, page) })
  })
}
