import { describe, expect, it } from 'vitest'
import { diagnosed, keepAlert, type Listed } from './intake-world.ts'
import { problemOf, publicUrl, type Setup, setUp, type tokens } from './setup.ts'

interface Page {
  readonly alerts: readonly Listed[]
  readonly next?: string
}

async function list({ ask }: Setup, query = '', as: keyof typeof tokens = 'olga'): Promise<Page & { link: string | null }> {
  const response = await ask(`/v1/intake${query}`, { as })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return { ...((await response.json()) as Page), link: response.headers.get('link') }
}

const ids = ({ alerts }: Page) => alerts.map(({ id }) => id)

describe('GET /v1/intake', () => {
  it('shows what was delivered, what became of it, and where its diagnosis is', async () => {
    const setup = await setUp()
    const id = await keepAlert(
      setup,
      { labels: { severity: 'critical' }, annotations: { summary: 'Cart is down' }, links: [{ label: 'Rule', url: 'https://p.example/' }] },
      { ...diagnosed, message: 'Its annotation report was left out' },
    )
    const { alerts } = await list(setup)
    expect(alerts).toEqual([
      {
        id,
        source: 'alertmanager',
        fingerprint: expect.any(String),
        startsAt: '2026-11-27T09:00:00.000Z',
        receivedAt: expect.any(String),
        name: 'CrashLooping',
        labels: { severity: 'critical' },
        annotations: { summary: 'Cart is down' },
        links: [{ label: 'Rule', url: 'https://p.example/' }],
        state: 'settled',
        ...diagnosed,
        message: 'Its annotation report was left out',
        diagnosisUrl: `${publicUrl}/v1/diagnoses/${diagnosed.diagnosis}`,
      },
    ])
  })

  it('pages through all, newest first, each once, while new ones come', async () => {
    const setup = await setUp()
    const kept: string[] = []
    for (let at = 0; at < 7; at++) kept.unshift(await keepAlert(setup, {}, diagnosed))
    const seen: string[] = []
    let query: string | undefined = '?limit=3&outcome=diagnosed'
    while (query !== undefined) {
      const page: Page & { link: string | null } = await list(setup, query, 'alice')
      seen.push(...ids(page))
      expect(page.link).toBe(page.next === undefined ? null : `<${page.next}>; rel="next"`)
      query = page.next?.slice(`${publicUrl}/v1/intake`.length)
      await keepAlert(setup, {}, diagnosed)
    }
    expect(seen).toEqual(kept)
  })

  it('gives 20 by default, and no next where nothing follows', async () => {
    const setup = await setUp()
    for (let at = 0; at < 20; at++) await keepAlert(setup, {})
    const page = await list(setup)
    expect([page.alerts.length, page.next]).toEqual([20, undefined])
    await keepAlert(setup, {})
    expect((await list(setup)).next).toContain('cursor=')
  })

  it.each([
    ['source=alertmanager', 2],
    ['source=grafana', 1],
    ['outcome=diagnosed', 1],
    ['outcome=suppressed', 1],
    ['suppression=pod-cooldown', 1],
    ['suppression=storm', 0],
    ['name=NotReady', 1],
    ['cluster=main', 2],
    ['cluster=edge', 0],
    ['namespace=shop', 1],
    ['trouble=tr-00000000000000000001', 1],
    ['outcome=suppressed&namespace=shop', 0],
    ['outcome=diagnosed&source=grafana', 0],
  ])('filters by %s', async (query, count) => {
    const setup = await setUp()
    await keepAlert(setup, {}, diagnosed)
    await keepAlert(setup, { name: 'NotReady' }, { outcome: 'suppressed', suppression: 'pod-cooldown', cluster: 'main', namespace: 'bank' })
    await keepAlert(setup, { source: 'grafana', name: 'Latency' })
    expect((await list(setup, `?${query}`)).alerts).toHaveLength(count)
  })

  it('lets each see the alerts of its own namespaces, and those without one to who may see all', async () => {
    const setup = await setUp()
    const shop = await keepAlert(setup, {}, diagnosed)
    const bank = await keepAlert(setup, {}, { ...diagnosed, namespace: 'bank' })
    const elsewhere = await keepAlert(setup, {}, { ...diagnosed, namespace: 'shopping' })
    const waiting = await keepAlert(setup, {})
    const lost = await keepAlert(setup, {}, { outcome: 'no-target', message: 'No label says what to look at' })
    expect(ids(await list(setup, '', 'alice'))).toEqual([shop])
    expect(ids(await list(setup, '', 'bob'))).toEqual([bank])
    expect(ids(await list(setup, '', 'olga'))).toEqual([lost, waiting, elsewhere, bank, shop])
    expect(ids(await list(setup, '?namespace=bank', 'alice'))).toEqual([])
    expect(ids(await list(setup, '?trouble=tr-00000000000000000001', 'bob'))).toEqual([bank])
  })

  it('is not for who may see nothing, nor for who has no token', async () => {
    const setup = await setUp()
    await keepAlert(setup, {}, diagnosed)
    expect(await problemOf(await setup.ask('/v1/intake', { as: 'nobody' }))).toMatchObject({ status: 403 })
    expect(await problemOf(await setup.request('/v1/intake'))).toMatchObject({ status: 401 })
  })

  it.each([
    'outcome=fine',
    'suppression=mood',
    'limit=0',
    'limit=101',
    'limit=1e1',
    'unknown=1',
    'source=',
    'source=a&source=b',
    `name=${'x'.repeat(301)}`,
  ])('refuses %s', async (query) => {
    const setup = await setUp()
    expect(await problemOf(await setup.ask(`/v1/intake?${query}`))).toMatchObject({ status: 400, title: 'The query has unknown or wrong parameters' })
  })

  it('takes a cursor only with the filters that it was made for', async () => {
    const setup = await setUp()
    for (let at = 0; at < 3; at++) await keepAlert(setup, {}, diagnosed)
    const next = new URL((await list(setup, '?limit=1&source=alertmanager')).next ?? '')
    next.searchParams.set('source', 'grafana')
    expect(await problemOf(await setup.ask(`/v1/intake${next.search}`, { as: 'olga' }))).toMatchObject({ status: 400 })
    for (const cursor of ['x', '%00', 'a'.repeat(300)]) {
      expect(await problemOf(await setup.ask(`/v1/intake?cursor=${cursor}`, { as: 'olga' }))).toMatchObject({ status: 400 })
    }
  })

  it('takes values for values, whatever they mean to a database', async () => {
    const setup = await setUp()
    await keepAlert(setup, {}, diagnosed)
    for (const value of ["' or 1=1 --", '%', '*', '_', '\u0000']) {
      expect((await list(setup, `?${new URLSearchParams({ namespace: value })}`)).alerts).toEqual([])
    }
  })
})
