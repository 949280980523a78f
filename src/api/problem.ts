import { z } from '@hono/zod-openapi'
import type { FieldError } from '../diagnosis/accept/field-error.ts'
import { pathOf, routes } from '../routes.ts'
import type { AppContext } from './env.ts'
import { type ProblemSlug, problems } from './problems.ts'

/** What every error answers: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457 */
const problemSchema = z
  .object({
    type: z.string().openapi({ description: 'Stable; its page explains the problem.' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().openapi({ description: 'What happened this time, and what to do.' }),
    errors: z
      .array(z.object({ field: z.string(), value: z.string().optional(), message: z.string() }))
      .optional()
      .openapi({ description: 'What is wrong with which field.' }),
    requestId: z.string().optional().openapi({ description: 'Names this request in the log of the service.' }),
  })
  .openapi('Problem')

/** For the `responses` of a route. */
export const problemContent = { 'application/problem+json': { schema: problemSchema } }

export function problemResponses(...slugs: readonly ProblemSlug[]): Record<number, { description: string; content: typeof problemContent }> {
  const byStatus = Map.groupBy(slugs, (slug) => problems[slug].status)
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [status, { description: list.map((slug) => problems[slug].title).join('; '), content: problemContent }]),
  )
}

/** Thrown by handlers and middleware of the API, answered by the app's error handler. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly slug: ProblemSlug
  readonly errors: readonly FieldError[]
  readonly headers: Readonly<Record<string, string>>

  constructor(slug: ProblemSlug, detail: string, more: { errors?: readonly FieldError[]; headers?: Readonly<Record<string, string>> } = {}) {
    super(detail)
    this.slug = slug
    this.errors = more.errors ?? []
    this.headers = more.headers ?? {}
  }
}

/** `c.body` and not a bare Response, which would lose the headers that middleware has set. */
export function answerProblem(problem: Problem, publicUrl: string, c: AppContext): Response {
  const requestId: string | undefined = c.get('requestId')
  const { title, status } = problems[problem.slug]
  const body = {
    type: `${publicUrl}${pathOf(routes.problem, problem.slug)}`,
    title,
    status,
    detail: problem.message,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  }
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...problem.headers }
  return c.body(`${JSON.stringify(body, null, 2)}\n`, status, headers)
}
