import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { diagnosed, keepAlert } from '../app/intake-world.ts'
import { setUp, tokens } from '../app/setup.ts'
import { needs } from '../needs.ts'
import { launch, listen, openTab } from './serve.ts'

const executable = needs('chromium')

let browser: Browser | undefined
beforeAll(async () => {
  if (executable !== '') browser = await launch(executable)
})
afterAll(() => browser?.close())

function chromium(): Browser {
  if (!browser) throw new Error('Chromium did not start')
  return browser
}

const hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
const links = [
  { label: 'Runbook', url: 'https://runbooks.example/KubePodCrashLooping' },
  { label: 'Rule', url: 'javascript:alert(3)' },
]

/** Alerts of every outcome, hostile and long ones among them, at a URL of its own. */
async function serve(): Promise<string> {
  const setup = await setUp({
    publicUrl: 'http://diagnose.example.org',
    sources: { alertmanager: { kind: 'alertmanager', auth: { bearer: [{ env: 'ALERT_TOKEN' }] } } },
  })
  const summary = 'Container app restarts again & again'
  const standing = 'Diagnosis ad-0123456789abcdefghjk of 2026-11-27T10:00:00.000Z looks into the same trouble; alerts start no other one for 3600 s'
  const suppressed = { outcome: 'suppressed', suppression: 'same-trouble', message: standing } as const
  await keepAlert(setup, { name: 'KubePodCrashLooping', annotations: { summary }, labels: { severity: 'critical' }, links }, diagnosed)
  await keepAlert(setup, { name: 'KubePodNotReady', labels: { severity: 'warning' } }, { ...diagnosed, pod: 'cart-1', ...suppressed })
  await keepAlert(setup, { name: 'NodeDown' }, { outcome: 'no-target', message: 'No label says what to look at: looked for exported_pod, pod' })
  await keepAlert(setup, { name: 'CoreDNSDown' }, { outcome: 'denied', namespace: 'kube-system', cluster: 'main', message: 'Nobody may' })
  const long = { pod: `${'very-long-name-'.repeat(16)}0`, message: 'x'.repeat(500) }
  await keepAlert(setup, { name: hostile, annotations: { summary: hostile + 'y'.repeat(500) } }, { ...diagnosed, ...long })
  await keepAlert(setup, { name: 'Waiting' })
  return listen(setup.deps)
}

it('alerts are found by filters, and lead to their trouble and their diagnosis', async () => {
  const url = await serve()
  const { page, complaints } = await openTab(chromium(), { viewport: { width: 1100, height: 900 } })
  await page.goto(`${url}/intake`)
  await page.getByLabel('Token').fill(tokens.olga)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Alerts' }).waitFor()
  expect(await page.locator('.rows > li').count()).toBe(6)
  await page.getByText('Filter').first().click()
  await page.getByLabel('Outcome').selectOption('suppressed')
  await page.getByRole('button', { name: 'Show' }).click()
  await page.getByText('The same trouble is looked at already').waitFor()
  expect(await page.locator('.rows > li').count()).toBe(1)
  await page.getByRole('link', { name: 'same trouble' }).click()
  await page.getByText('Container app restarts again & again').waitFor()
  expect(await page.locator('.rows > li').count()).toBe(3)
  expect(await page.getByRole('link', { name: 'KubePodCrashLooping' }).getAttribute('href')).toBe(`/diagnoses/${diagnosed.diagnosis}`)
  expect(await page.getByRole('link', { name: 'Runbook' }).getAttribute('href')).toBe('https://runbooks.example/KubePodCrashLooping')
  expect(await page.getByRole('link', { name: 'Rule' }).count()).toBe(0)
  expect(complaints).toEqual([])
})

it.each(['light', 'dark'] as const)('on a phone nothing is wider than the screen, and hostile text stays text: %s', async (colorScheme) => {
  const url = await serve()
  const { page, complaints } = await openTab(chromium(), { viewport: { width: 360, height: 740 }, colorScheme })
  await page.goto(`${url}/intake`)
  await page.getByLabel('Token').fill(tokens.olga)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByText(hostile).first().waitFor()
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
  expect(await page.locator('img, main script').count()).toBe(0)
  expect(complaints).toEqual([])
})
