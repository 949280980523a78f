import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import { idPattern } from '../diagnosis/accept/id.ts'
import type { Principal } from '../diagnosis/admit/authenticate.ts'
import { type Diagnosis, outcomes, states } from '../diagnosis/diagnosis.ts'
import type { DiagnosisFilter } from '../ports/records/records.ts'
import { hono, routes } from '../routes.ts'
import type { App } from './env.ts'
import { filterText, nextOf, nextSchema, type Page, pageOf, pagingQuery } from './paging.ts'
import { problemResponses } from './problem.ts'
import { readQuery } from './query.ts'
import { diagnosisSchema, viewOf } from './view.ts'

export const listQuery = z.strictObject({
  state: z.enum(states).optional(),
  outcome: z.enum(outcomes).optional(),
  cluster: filterText,
  namespace: filterText,
  pod: filterText.openapi({ description: 'The name of the pod, without its namespace.' }),
  requester: filterText,
  report: filterText.openapi({ description: 'The bug report, as tracker:key.' }),
  ...pagingQuery,
})

const route = createRoute({
  method: 'get',
  path: routes.diagnoses,
  summary: 'List diagnoses',
  description: 'Newest first: those that you may see and that match all filters.',
  security: [{ token: [] }],
  request: { query: listQuery },
  responses: {
    200: {
      description: 'One page; the Link header has the next one too',
      content: {
        'application/json': {
          schema: z.object({ diagnoses: z.array(diagnosisSchema), next: nextSchema }),
        },
      },
    },
    ...problemResponses('invalid-query', 'invalid-cursor', 'unauthorized', 'forbidden', 'unavailable'),
  },
})

export function listPage(query: z.output<typeof listQuery>, principal: Principal, deps: Pick<Deps, 'config' | 'records'>): Promise<Page<Diagnosis>> {
  const { limit, cursor, ...filter } = query
  return pageOf(filter, { limit, cursor, idPattern }, principal, deps, (given, page) => deps.records.list(given as DiagnosisFilter, page))
}

export function listDiagnoses(app: App, deps: Deps): void {
  app.openAPIRegistry.registerPath(route)
  app.get(hono(routes.diagnoses), async (c) => {
    const { publicUrl } = deps.config
    const page = await listPage(readQuery(listQuery, c.req.url), c.get('principal'), deps)
    return c.json({ diagnoses: page.items.map((diagnosis) => viewOf(diagnosis, publicUrl)), ...nextOf(c, `${publicUrl}${routes.diagnoses}`, page) })
  })
}
