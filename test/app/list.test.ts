import { describe, expect, it } from 'vitest'
import { makeCursor } from '../../src/api/cursor.ts'
import { problemOf, publicUrl, type Setup, setUp } from './setup.ts'

interface List {
  readonly diagnoses: { readonly id: string }[]
  readonly next?: string
}

async function list(ask: Setup['ask'], query: string): Promise<List & { link: string | null }> {
  const response = await ask(`/v1/diagnoses${query}`)
  if (response.status !== 200) throw new Error(await response.text())
  return { ...((await response.json()) as List), link: response.headers.get('link') }
}

describe('GET /v1/diagnoses', () => {
  it('pages through all, newest first, each once, while new ones come', async () => {
    const { ask, create } = await setUp()
    const ids: string[] = []
    for (let at = 0; at < 7; at++) ids.unshift(await create({ pod: `shop/cart-${at}` }))
    const seen: string[] = []
    let query: string | undefined = '?limit=3&requester=alice'
    while (query !== undefined) {
      const page: List & { link: string | null } = await list(ask, query)
      seen.push(...page.diagnoses.map(({ id }) => id))
      expect(page.link).toBe(page.next === undefined ? null : `<${page.next}>; rel="next"`)
      expect(page.next ?? publicUrl).toContain(publicUrl)
      query = page.next?.slice(`${publicUrl}/v1/diagnoses`.length)
      await create({ pod: 'shop/late-0' })
    }
    expect(seen).toEqual(ids)
  })

  it('gives 20 by default, and no next where nothing follows', async () => {
    const { ask, create } = await setUp()
    for (let at = 0; at < 20; at++) await create()
    const page = await list(ask, '')
    expect([page.diagnoses.length, page.next]).toEqual([20, undefined])
    await create()
    expect((await list(ask, '')).next).toContain('cursor=')
  })

  it.each([
    ['state=done', 1],
    ['outcome=complete', 1],
    ['cluster=main', 2],
    ['cluster=edge', 0],
    ['namespace=shop-eu', 1],
    ['pod=cart-1', 1],
    ['requester=alice', 2],
    ['requester=bob', 0],
    ['report=redmine:7', 1],
    ['state=accepted&namespace=shop', 0],
  ])('filters by %s', async (query, count) => {
    const { ask, create, deps } = await setUp()
    const done = await create({ pod: 'shop/cart-1', report: 'redmine:7' })
    await create({ pod: 'shop-eu/cart-2' })
    await deps.records.update(done, { state: 'done', outcome: 'complete' })
    expect((await list(ask, `?${query}`)).diagnoses).toHaveLength(count)
  })

  it.each([
    ['limit=0', 'limit', /1 to 100/],
    ['limit=101', 'limit', /1 to 100/],
    ['limit=ten', 'limit', /1 to 100/],
    ['state=finished', 'state', /expected one of/],
    ['outcome=', 'outcome', /expected one of/],
    ['namespace=', 'namespace', /must not be empty/],
    ['pods=x', 'pods', /unknown field; the fields are state, outcome/],
    ['pod=a&pod=b', 'pod', /expected string/],
  ])('refuses ?%s', async (query, field, message) => {
    const { ask } = await setUp()
    const response = await ask(`/v1/diagnoses?${query}`)
    expect(response.status).toBe(400)
    expect((await problemOf(response)).errors).toEqual([expect.objectContaining({ field, message: expect.stringMatching(message) })])
  })

  it.each([
    ['made up', 'bm9uc2Vuc2U'],
    ['an id alone', 'ad-00000000000000000000'],
    ['with something behind', `${'ad-00000000000000000000'}.0123456789abcdef.x`],
    ['an SQL joke', "' or 1=1 --"],
  ])('refuses a cursor that is not ours: %s', async (_, cursor) => {
    const { ask } = await setUp()
    const problem = await problemOf(await ask(`/v1/diagnoses?${new URLSearchParams({ cursor })}`))
    expect([problem.status, problem.type]).toEqual([400, `${publicUrl}/problems/invalid-cursor`])
    expect(problem.errors).toEqual([expect.objectContaining({ field: 'cursor', value: cursor })])
  })

  it('refuses a cursor of a list with other filters', async () => {
    const { ask } = await setUp()
    const cursor = await makeCursor({ namespace: 'shop' }, 'ad-00000000000000000000')
    expect((await ask(`/v1/diagnoses?namespace=shop&cursor=${cursor}`)).status).toBe(200)
    const problem = await problemOf(await ask(`/v1/diagnoses?namespace=shop-eu&cursor=${cursor}`))
    expect(problem.detail).toContain('other filters')
  })
})
