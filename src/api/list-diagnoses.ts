import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import type { Principal } from '../diagnosis/admit/authenticate.ts'
import { visibleTo } from '../diagnosis/admit/policy.ts'
import { type Diagnosis, outcomes, states } from '../diagnosis/diagnosis.ts'
import { hono, routes } from '../routes.ts'
import { makeCursor, readCursor } from './cursor.ts'
import type { App } from './env.ts'
import { Problem, problemResponses } from './problem.ts'
import { readQuery } from './query.ts'
import { diagnosisSchema, viewOf } from './view.ts'

const text = z.string().min(1, 'must not be empty; leave it out').max(300, 'at most 300 characters').optional()

export const listQuery = z.strictObject({
  state: z.enum(states).optional(),
  outcome: z.enum(outcomes).optional(),
  cluster: text,
  namespace: text,
  pod: text.openapi({ description: 'The name of the pod, without its namespace.' }),
  requester: text,
  report: text.openapi({ description: 'The bug report, as tracker:key.' }),
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
          schema: z.object({
            diagnoses: z.array(diagnosisSchema),
            next: z.string().optional().openapi({ description: 'URL of the next page; absent on the last.' }),
          }),
        },
      },
    },
    ...problemResponses('invalid-query', 'invalid-cursor', 'unauthorized', 'forbidden', 'unavailable'),
  },
})

export interface Page {
  readonly diagnoses: readonly Diagnosis[]
  /** The query of the next page; absent on the last. */
  readonly next?: string
}

export async function listPage(query: z.output<typeof listQuery>, principal: Principal, deps: Pick<Deps, 'config' | 'records'>): Promise<Page> {
  const { limit, cursor, ...filter } = query
  const visible = visibleTo(deps.config.policy, principal.name)
  if (visible.length === 0) throw new Problem('forbidden', `No rule of the policy allows "${principal.name}" anything`)
  const after = cursor === undefined ? undefined : await readCursor(cursor, filter)
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as typeof filter
  // One more than is shown tells whether there is a next page.
  const found = await deps.records.list({ ...given, visible } as Parameters<Deps['records']['list']>[0], {
    limit: limit + 1,
    ...(after === undefined ? {} : { after }),
  })
  const diagnoses = found.slice(0, limit)
  const last = diagnoses.at(-1)
  if (found.length <= limit || !last) return { diagnoses }
  const next = new URLSearchParams({ ...given, limit: String(limit), cursor: await makeCursor(filter, last.id) } as Record<string, string>)
  return { diagnoses, next: next.toString() }
}

export function listDiagnoses(app: App, deps: Deps): void {
  app.openAPIRegistry.registerPath(route)
  app.get(hono(routes.diagnoses), async (c) => {
    const { publicUrl } = deps.config
    const page = await listPage(readQuery(listQuery, c.req.url), c.get('principal'), deps)
    const next = page.next === undefined ? undefined : `${publicUrl}${routes.diagnoses}?${page.next}`
    if (next !== undefined) c.header('link', `<${next}>; rel="next"`)
    return c.json({ diagnoses: page.diagnoses.map((diagnosis) => viewOf(diagnosis, publicUrl)), ...(next === undefined ? {} : { next }) })
  })
}
