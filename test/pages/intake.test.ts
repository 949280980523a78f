import { describe, expect, it } from 'vitest'
import { diagnosed, keepAlert } from '../app/intake-world.ts'
import { type Setup, setUp, tokens } from '../app/setup.ts'
import { browser, logIn } from './log-in.ts'

const sources = { alertmanager: { kind: 'alertmanager' as const, auth: { bearer: [{ env: 'ALERT_TOKEN' }] } } }

async function pageOf(setup: Setup, query = '', token: string = tokens.alice): Promise<string> {
  const { cookie } = await logIn(setup, token)
  const response = await setup.app.request(`/intake${query}`, { headers: { ...browser, cookie } })
  return response.text()
}

describe('the page of alerts', () => {
  it('shows each with its outcome, its reason and its diagnosis', async () => {
    const setup = await setUp({ sources })
    await keepAlert(setup, { name: 'CrashLooping', annotations: { summary: 'Cart is down' }, labels: { severity: 'critical' } }, diagnosed)
    const suppression = { outcome: 'suppressed', suppression: 'same-trouble', message: 'Diagnosis ad-1 looks into it' } as const
    await keepAlert(setup, { name: 'NotReady', status: 'firing' }, { ...diagnosed, ...suppression })
    const text = await pageOf(setup)
    for (const part of [
      `<a href="/diagnoses/${diagnosed.diagnosis}">CrashLooping</a>`,
      'shop/cart-0',
      'Cart is down',
      'critical',
      'The same trouble is looked at already: Diagnosis ad-1 looks into it',
      `href="/intake?trouble=${diagnosed.trouble}"`,
    ])
      expect(text).toContain(part)
  })

  it('escapes all that others wrote, and links to web pages only', async () => {
    const setup = await setUp({ sources })
    const hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)>\'&lt;'
    await keepAlert(
      setup,
      {
        name: hostile,
        labels: { severity: hostile, [hostile]: hostile },
        annotations: { summary: hostile, [hostile]: hostile },
        links: [
          { label: hostile, url: 'https://p.example/?"><script>' },
          { label: 'Runbook', url: 'javascript:alert(3)' },
          { label: 'Runbook', url: 'data:text/html,<script>alert(4)</script>' },
          { label: 'Runbook', url: ' JaVaScRiPt:alert(5)' },
        ],
      },
      { ...diagnosed, workload: hostile, pod: hostile, trouble: hostile, message: hostile, diagnosis: hostile },
    )
    for (const query of ['', `?${new URLSearchParams({ name: hostile })}`, `?${new URLSearchParams({ trouble: hostile })}`]) {
      const text = await pageOf(setup, query)
      expect(text).toContain('&lt;script&gt;alert(1)')
      expect(text).not.toMatch(/<script>|<img|onerror=alert\(2\)>|href="\s*(javascript|data):/i)
    }
  })

  it('shows only what the visitor may see', async () => {
    const setup = await setUp({ sources })
    await keepAlert(setup, { name: 'OfTheBank' }, { ...diagnosed, namespace: 'bank' })
    await keepAlert(setup, { name: 'OfNobody' }, { outcome: 'no-target', message: 'No label' })
    expect(await pageOf(setup)).not.toMatch(/OfTheBank|OfNobody/)
    expect(await pageOf(setup, '', tokens.bob)).toMatch(/OfTheBank/)
    expect(await pageOf(setup, '', tokens.olga)).toMatch(/OfNobody.*OfTheBank/s)
  })

  it('filters, takes empty fields for none, and goes on to older ones', async () => {
    const setup = await setUp({ sources })
    for (let at = 0; at < 3; at++) await keepAlert(setup, { name: `Alert${at}` }, diagnosed)
    expect(await pageOf(setup, '?name=Alert1&outcome=&source=&suppression=&namespace=&trouble=')).toMatch(/Alert1<\/a>/)
    expect(await pageOf(setup, '?name=Alert7')).toContain('Nothing matches these filters')
    const first = await pageOf(setup, '?limit=2')
    const older = /<a class="button" rel="next" href="\/intake([^"]+)"/.exec(first)?.[1]?.replaceAll('&amp;', '&')
    const second = await pageOf(setup, older)
    expect(second).toContain('Alert0</a>')
    expect(second).not.toContain('Alert1</a>')
  })

  it.each([
    ['None yet', sources],
    ['No source is configured', {}],
  ])('says why it is empty: %s', async (said, given) => {
    expect(await pageOf(await setUp({ sources: given }))).toContain(said)
  })

  it('asks who comes without a session to log in', async () => {
    const setup = await setUp({ sources })
    const response = await setup.app.request('/intake?outcome=denied', { headers: browser })
    expect([response.status, response.headers.get('location')]).toEqual([303, `/login?${new URLSearchParams({ next: '/intake?outcome=denied' })}`])
  })
})
