import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { boundNote } from '../../src/ports/tracker/bound-note.ts'
import { redmine } from '../../src/ports/tracker/redmine.ts'
import { preText, renderTextile } from '../../src/ports/tracker/textile.ts'
import type { Note } from '../../src/ports/tracker/tracker.ts'
import { exampleNote, hostileNote, hostileTexts } from '../contract/tracker-notes.ts'
import { needs } from '../needs.ts'
import { isLab, needsLab } from './environment.ts'
import { redmineLab } from './redmine-lab.ts'

/** What a browser makes of our notes on Redmine's own page. */
describe('redmine page', () => {
  needsLab()
  const executablePath = needs('chromium')
  let lab: ReturnType<typeof redmineLab>
  let browser: Browser
  beforeAll(async () => {
    if (!isLab || executablePath === '') return
    lab = redmineLab()
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] })
  })
  afterAll(async () => {
    await browser?.close()
    await lab?.clean()
  })

  /** Writes the notes to a new issue and opens its page: what each became there, and what the browser did beyond showing them. */
  async function show(notes: readonly Note[]) {
    const key = await lab.newIssue()
    const tracker = redmine({ url: lab.url, apiKey: lab.adminKey, fetch, clock: { now: Date.now } })
    for (const note of notes) await tracker.writeNote(key, note, { signal: AbortSignal.timeout(30_000) })
    const page = await browser.newPage()
    const trouble: string[] = []
    page.on('dialog', (dialog) => {
      trouble.push(`dialog ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('pageerror', (error) => trouble.push(`error ${error.message}`))
    page.on('request', (request) => {
      if (!request.url().startsWith(lab.url)) trouble.push(`request ${request.url()}`)
    })
    await page.goto(`${lab.url}/issues/${key}`, { waitUntil: 'load' })
    const seen = await page.locator('.journal.has-notes .wiki').evaluateAll(lookAt)
    await page.close()
    expect(seen).toHaveLength(notes.length)
    return { seen, trouble, raw: (await lab.notesOf(key)).map((note) => note.notes) }
  }

  /** The note stands there word for word, in the order and the elements that are its own. */
  function expectNote(seen: Seen, note: Note) {
    const bounded = boundNote(note, renderTextile)
    expect(seen.tags.filter((tag) => !ownTags.includes(tag))).toEqual([])
    expect(seen.attributes.filter((attribute) => !harmless.test(attribute))).toEqual([])
    expect(seen.links).toEqual(bounded.links.map(({ url }) => url.replace(/[|!()]/g, percent)))
    const [first] = bounded.findings
    const saidByFirst = first?.title === bounded.headline
    const titles = bounded.findings.map(({ severity, title }) => spaces(`${severity.toUpperCase()} ${title}`))
    expect(seen.headings.map(spaces)).toEqual([saidByFirst ? titles[0] : spaces(bounded.headline)])
    expect(seen.cells.map((row) => row.map((cell) => spaces(cell.replaceAll('\u200b', ''))))).toEqual(bounded.facts.map((row) => row.map(spaces)))
    expect(seen.blocks.map(lines)).toEqual(bounded.findings.flatMap(({ evidence }) => (evidence === undefined ? [] : [lines(preText(evidence))])))
    const said = bounded.findings.flatMap(({ cause, next }, at) => [
      ...(saidByFirst && at === 0 ? [] : [titles[at]]),
      ...(cause || next ? [spaces(`${cause ? `Cause: ${cause}` : ''}${next ? `Next step: ${next}` : ''}`)] : []),
    ])
    expect(seen.paragraphs.map(spaces)).toEqual([...said, bounded.links.map(({ label }) => label).join(' · ')])
  }

  test('shows a note as it is meant', async () => {
    const { seen, trouble } = await show([exampleNote()])
    expect(trouble).toEqual([])
    expectNote(seen[0] as Seen, exampleNote())
  })

  test('shows all hostile texts in one note as they are, within the bound', async () => {
    const note = hostileNote()
    const { seen, trouble, raw } = await show([note])
    expect(trouble).toEqual([])
    expectNote(seen[0] as Seen, note)
    expect(new TextEncoder().encode(raw[0]).length).toBeLessThan(61_000)
    expect(seen[0]?.links).toHaveLength(2)
  })

  // Redmine reads a note as a whole, so that a text alone may do what it does not do among others.
  test('shows each hostile text alone as it is', async () => {
    const notes = hostileTexts.map((text, at) =>
      exampleNote({
        marker: `ad-${String(at).padStart(20, '0')}`,
        headline: text,
        findings: [{ id: text, check: text, severity: 'error', title: text, evidence: text, cause: text, next: text, source: 'container' }],
        facts: [[text, text]],
      }),
    )
    const { seen, trouble } = await show(notes)
    expect(trouble).toEqual([])
    for (const [at, note] of notes.entries()) expectNote(seen[at] as Seen, note)
  })
})

interface Seen {
  readonly tags: readonly string[]
  readonly attributes: readonly string[]
  readonly links: readonly (string | null)[]
  readonly headings: readonly string[]
  readonly paragraphs: readonly string[]
  readonly blocks: readonly string[]
  readonly cells: readonly (readonly string[])[]
}

/** Runs in the page, so that it uses nothing of this file. */
function lookAt(roots: Element[]): Seen[] {
  return roots.map((root) => {
    const all = [...root.querySelectorAll('*')]
    const texts = (selector: string) => [...root.querySelectorAll(selector)].map((element) => element.textContent ?? '')
    return {
      tags: [...new Set(all.map((element) => element.tagName.toLowerCase()))],
      attributes: all.flatMap((element) => [...element.attributes].map(({ name, value }) => `${element.tagName.toLowerCase()} ${name}=${value}`)),
      links: [...root.querySelectorAll('a[href]:not(.wiki-anchor)')].map((link) => link.getAttribute('href')),
      // The last character is the sign with which Redmine marks a heading.
      headings: texts('h3').map((text) => text.replace(/¶$/, '')),
      paragraphs: texts('p'),
      blocks: texts('pre'),
      cells: [...root.querySelectorAll('tr')].map((row) => [...row.children].map((cell) => cell.textContent ?? '')),
    }
  })
}

const ownTags = ['a', 'br', 'h3', 'p', 'pre', 'span', 'strong', 'table', 'tbody', 'td', 'tr']
/** Our colours and links, and the anchor that Redmine gives a heading. */
const harmless =
  /^(span style=color:#[0-9a-f]{6};|a class=(external|wiki-anchor)|a (name|href)=(#?[\p{L}\p{N}\p{M}_-]*|https:\/\/autodiagnose\.example\/[!-~]*))$/u

const percent = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
const spaces = (text: string) => text.replace(/\s+/g, ' ').trim()
const lines = (text: string) =>
  text
    .replace(/\n{3,}/g, '\n\n')
    .replace(/[ \n]+$/gm, '')
    .trim()
