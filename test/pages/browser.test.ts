import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import { type Setup, setUp, tokens } from '../app/setup.ts'
import { needs } from '../needs.ts'
import { launch, listen, openTab } from './serve.ts'

const executable = needs('chromium')

const finding: Finding = {
  id: 'http/500',
  check: 'http',
  severity: 'error',
  title: 'http://stock:8080/ answers 500 Internal Server Error',
  evidence: 'HTTP/1.1 500 Internal Server Error\ncontent-type: text/plain',
  cause: 'The backend fails',
  next: 'Look at the log of stock',
  source: 'container',
}

let browser: Browser | undefined
beforeAll(async () => {
  if (executable !== '') browser = await launch(executable)
})
afterAll(() => browser?.close())

function chromium(): Browser {
  if (!browser) throw new Error('Chromium did not start')
  return browser
}

async function serve(): Promise<Setup & { url: string }> {
  // Reached by http, as by a port-forward of kubectl: browsers take the cookie as it is.
  const setup = await setUp({ publicUrl: 'http://diagnose.example.org' })
  return { ...setup, url: await listen(setup.deps) }
}

async function finish({ deps }: Setup, id: string): Promise<void> {
  const bundle = { key: `diagnoses/${id}/bundle.tar.gz`, bytes: 5, filename: 'support-bundle.tar.gz' }
  await deps.store.create(bundle.key, new TextEncoder().encode('bytes'))
  await deps.records.update(id, { state: 'done', outcome: 'complete', findings: [finding], bundle, finishedAt: new Date().toISOString() })
}

describe('in Chromium', () => {
  it('the link of a bug report leads over the login to the live page, which goes on until the end', async () => {
    const setup = await serve()
    const id = await setup.create({ pod: 'shop/cart-0', reason: 'checkout fails' })
    await setup.print(id, 1, 'TAP version 14\nok 1 - 3 processes\n')
    const { page, complaints } = await openTab(chromium())

    await page.goto(`${setup.url}/diagnoses/${id}`)
    expect(new URL(page.url()).pathname).toBe('/login')
    await page.getByLabel('Token').fill('made-up-wrong-token')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Nobody has this token').waitFor()
    await page.getByLabel('Token').fill(tokens.alice)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'shop/cart-0' }).waitFor()
    expect(new URL(page.url()).pathname).toBe(`/diagnoses/${id}`)
    await page.getByText('waiting to start').waitFor()
    await page.locator('#log .fine', { hasText: 'ok 1 - 3 processes' }).waitFor()

    await page.evaluate(() => Object.assign(globalThis, { notReloaded: true }))
    await setup.deps.records.update(id, { state: 'listening' })
    await setup.print(id, 2, 'not ok 2 - http://stock:8080/ answers 500\n1..2\n', true)
    await page.locator('#log .bad', { hasText: 'not ok 2' }).waitFor()
    await page.getByText('following log').waitFor()
    await finish(setup, id)
    await page.getByRole('heading', { name: finding.title }).waitFor()
    await page.locator('#log', { hasText: '# outcome: complete' }).waitFor()
    expect(await page.locator('#log').textContent()).toMatch(/^TAP version 14\nok 1 - 3 processes\nnot ok 2/)
    expect(await page.title()).toContain('complete: shop/cart-0')
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0)
    expect(await page.evaluate(() => Reflect.get(globalThis, 'notReloaded'))).toBe(true)

    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /Download the bundle/ }).click()])
    expect(download.suggestedFilename()).toBe('support-bundle.tar.gz')
    // The refused login is told by the browser as a failed load.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  it('a live log that breaks off goes on when the store is back, and the page asks for no log again', async () => {
    const setup = await serve()
    const id = await setup.create()
    const { store } = setup.deps
    const get = store.get.bind(store)
    let away = false
    store.get = (key, options) => (away && key.endsWith('000002') ? Promise.reject(new Error('the store is away')) : get(key, options))
    await setup.print(id, 1, 'TAP version 14\n')
    const { page } = await openTab(chromium())
    await page.goto(`${setup.url}/diagnoses/${id}`)
    await page.getByLabel('Token').fill(tokens.alice)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.locator('#log', { hasText: 'TAP version 14' }).waitFor()
    const polls: string[] = []
    page.on('response', async (answer) => {
      if (new URL(answer.url()).pathname === `/diagnoses/${id}`) polls.push(await answer.text())
    })
    away = true
    await page.locator('#log .note', { hasText: 'the log cannot be read any further now' }).waitFor()
    await setup.print(id, 2, 'not ok 1 - after the outage\n', true)
    away = false
    await page.locator('#log .bad', { hasText: 'after the outage' }).waitFor()
    await finish(setup, id)
    await page.locator('#log', { hasText: '# outcome: complete' }).waitFor()
    expect(await page.locator('#log').textContent()).toMatch(/^TAP version 14\nnot ok 1 - after the outage\n\n# outcome: complete\n/)
    await page.getByRole('heading', { name: finding.title }).waitFor()
    expect(polls.length).toBeGreaterThan(0)
    expect(polls.filter((text) => text.includes('TAP version 14'))).toEqual([])
  })

  it('all works without scripts: login, the page that refreshes itself, cancelling, the list, logout', async () => {
    const setup = await serve()
    const id = await setup.create()
    await setup.print(id, 1, 'TAP version 14\n')
    const { page } = await openTab(chromium(), { javaScriptEnabled: false })
    await page.goto(`${setup.url}/diagnoses/${id}`)
    await page.getByLabel('Token').fill(tokens.alice)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.locator('#log', { hasText: 'TAP version 14' }).waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('It is being cancelled').waitFor()
    expect((await setup.deps.records.get(id))?.cancelRequested).toBe(true)
    await setup.print(id, 2, 'not ok 1 - late\n', true)
    await finish(setup, id)
    // Nothing is clicked: the page comes again by itself.
    await page.getByRole('heading', { name: finding.title }).waitFor()
    await page.locator('#log .bad', { hasText: 'late' }).waitFor()
    expect(await page.locator('meta[http-equiv=refresh]').count()).toBe(0)

    await page.getByRole('link', { name: 'Autodiagnose' }).click()
    await page.getByText('Filter').click()
    await page.getByLabel('Outcome').selectOption('failed')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByText('Nothing matches these filters').waitFor()
    await page.getByRole('link', { name: 'Show all' }).click()
    await page.getByRole('link', { name: 'shop/cart-0' }).click()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Token').waitFor()
    await page.goto(`${setup.url}/diagnoses/${id}`)
    expect(new URL(page.url()).pathname).toBe('/login')
  })

  it('hostile text stays text, live and stored', async () => {
    const setup = await serve()
    const hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
    const id = await setup.create({ pod: 'shop/cart-0', reason: hostile })
    const { page, complaints } = await openTab(chromium())
    await page.goto(`${setup.url}/diagnoses/${id}`)
    await page.getByLabel('Token').fill(tokens.alice)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('waiting to start').waitFor()
    await setup.print(id, 1, `not ok 1 - ${hostile}\n`, true)
    await page.locator('#log .bad', { hasText: hostile }).waitFor()
    await setup.deps.records.update(id, { state: 'done', outcome: 'complete', findings: [{ ...finding, title: hostile, evidence: hostile }] })
    await page.getByRole('heading', { name: hostile }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: hostile }).waitFor()
    expect(await page.locator('img, article script').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('another site cannot make the browser change anything', async () => {
    const setup = await serve()
    const id = await setup.create()
    const { page } = await openTab(chromium())
    await page.goto(`${setup.url}/login`)
    await page.getByLabel('Token').fill(tokens.alice)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Diagnoses' }).waitFor()
    // localhost is another site than 127.0.0.1.
    const evil = setup.url.replace('127.0.0.1', 'localhost')
    await page.route(`${evil}/**`, (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${setup.url}/diagnoses/${id}/cancel"><button>Win</button></form>`,
      }),
    )
    await page.goto(`${evil}/`)
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/cancel')),
      page.getByRole('button', { name: 'Win' }).click(),
    ])
    expect([303, 403]).toContain(answer.status())
    expect((await setup.deps.records.get(id))?.cancelRequested).toBe(false)
  })

  it('pages break no policy, on a phone nothing is wider than the screen', async () => {
    const setup = await serve()
    const id = await setup.create({ pod: `shop/${'very-long-name-'.repeat(12)}0`, checks: [`http=http://stock/${'x'.repeat(300)}`] })
    await setup.print(id, 1, `${'wide '.repeat(100)}\n${'x'.repeat(1000)}\n`, true)
    await finish(setup, id)
    const { page, complaints } = await openTab(chromium(), { viewport: { width: 360, height: 740 }, colorScheme: 'dark' })
    await page.goto(`${setup.url}/login`)
    await page.getByLabel('Token').fill(tokens.alice)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('heading', { name: 'Diagnoses' }).waitFor()
    for (const path of ['/', `/diagnoses/${id}`, '/docs', '/problems', '/problems/forbidden', '/login']) {
      await page.goto(setup.url + path)
      expect([path, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([path, 360])
    }
    expect(complaints).toEqual([])
  })
})
