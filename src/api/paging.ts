import { z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import type { Principal } from '../diagnosis/admit/authenticate.ts'
import { visibleTo } from '../diagnosis/admit/policy.ts'
import { makeCursor, readCursor } from './cursor.ts'
import type { AppContext } from './env.ts'
import { Problem } from './problem.ts'

/** A filter of a list, by any text. */
export const filterText = z.string().min(1, 'must not be empty; leave it out').max(300, 'at most 300 characters').optional()

/** How much of a list, and from where. */
export const pagingQuery = {
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a whole number of 1 to 100')
    .default('20')
    .transform(Number)
    .openapi({ type: 'integer', minimum: 1, maximum: 100, default: 20 }),
  cursor: z.string().max(300).optional().openapi({ description: '`next` of the page before leads there; it works with the same filters only.' }),
}

/** For the schema of an answer. */
export const nextSchema = z.string().optional().openapi({ description: 'URL of the next page; absent on the last.' })

export interface Page<T> {
  readonly items: readonly T[]
  /** The query of the next page; absent on the last. */
  readonly next?: string
}

/** What is given of a filter, and what the caller may see. */
type Given = Readonly<Record<string, string>> & { readonly visible: ReturnType<typeof visibleTo> }

/** One page of what the caller may see. Throws a {@link Problem}: 403 for a caller who may see nothing, 400 for a cursor of another list. */
export async function pageOf<T extends { readonly id: string }>(
  filter: Readonly<Record<string, string | undefined>>,
  { limit, cursor, idPattern }: { readonly limit: number; readonly cursor: string | undefined; readonly idPattern: RegExp },
  principal: Principal,
  { config }: Pick<Deps, 'config'>,
  list: (given: Given, page: { readonly limit: number; readonly after?: string }) => Promise<readonly T[]>,
): Promise<Page<T>> {
  const visible = visibleTo(config.policy, principal.name)
  if (visible.length === 0) throw new Problem('forbidden', `No rule of the policy allows "${principal.name}" anything`)
  const after = cursor === undefined ? undefined : await readCursor(cursor, filter, idPattern)
  const given = Object.fromEntries(Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  // One more than is shown tells whether there is a next page.
  const found = await list({ ...given, visible } as Given, { limit: limit + 1, ...(after === undefined ? {} : { after }) })
  const items = found.slice(0, limit)
  const last = items.at(-1)
  if (found.length <= limit || !last) return { items }
  const next = new URLSearchParams({ ...given, limit: String(limit), cursor: await makeCursor(filter, last.id) })
  return { items, next: next.toString() }
}

/** The URL of the next page as a part of the answer; the Link header has it, too. */
export function nextOf(c: AppContext, url: string, { next }: Page<unknown>): { readonly next?: string } {
  if (next === undefined) return {}
  c.header('link', `<${url}?${next}>; rel="next"`)
  return { next: `${url}?${next}` }
}
