import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AdfDocument, type AdfNode, renderAdf } from '../../src/ports/tracker/adf.ts'
import { boundNote } from '../../src/ports/tracker/bound-note.ts'
import { jiraBody } from '../../src/ports/tracker/jira-body.ts'
import type { Note } from '../../src/ports/tracker/tracker.ts'
import { adfComplaint } from './jira-fake-adf.ts'
import { exampleNote, hostileNote, hostileTexts } from './tracker-notes.ts'

const nodesOf = (node: AdfNode | AdfDocument): AdfNode[] => (node.content ?? []).flatMap((child) => [child, ...nodesOf(child)])
const bounded = (note: Note) => boundNote(note, (each) => JSON.stringify(renderAdf(each)))
const document = (note: Note) => renderAdf(bounded(note))
const typesOf = (note: Note) => document(note).content.map(({ type }) => type)
const words = (node: AdfNode | AdfDocument | undefined) => (node ? nodesOf(node) : []).map(({ text = '' }) => text).join('')

const anyText = fc.oneof(fc.constantFrom('', ' ', '\n', ...hostileTexts), fc.string({ unit: 'binary', maxLength: 40 }))

describe('renderAdf', () => {
  test('begins with the headline, then findings, facts and links', () => {
    const note = exampleNote({ headline: 'Two things are wrong' })
    expect(typesOf(note)).toEqual(['heading', 'paragraph', 'codeBlock', 'paragraph', 'paragraph', 'table', 'paragraph'])
    expect(words(document(note).content[0])).toBe('Two things are wrong')
  })

  test('says a headline once that is the title of the first finding', () => {
    expect(typesOf(exampleNote())).toEqual(['heading', 'codeBlock', 'paragraph', 'paragraph', 'table', 'paragraph'])
    expect(words(document(exampleNote()).content[0])).toBe('ERROR GET http://bananas:8080 answers 500 Internal Server Error')
  })

  test('has no table without facts and no line without links', () => {
    expect(typesOf(exampleNote({ findings: [], facts: [], links: [] }))).toEqual(['heading'])
  })

  test.each([
    ['an example', exampleNote()],
    ['a hostile note', hostileNote()],
    ['a note of nothing', exampleNote({ headline: '', findings: [], facts: [['', '']], links: [] })],
    [
      'an empty finding',
      exampleNote({ findings: [{ id: 'x', check: 'x', severity: 'info', title: '', evidence: '\n', cause: '', source: 'container' }] }),
    ],
  ])('is a document by the published schema: %s', (_, note) => {
    expect(adfComplaint(document(note))).toBeUndefined()
  })

  test('is a document by the published schema, whatever the text', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (headline, evidence, value) => {
        const finding = { id: 'x', check: 'x', severity: 'warn', title: value, evidence, cause: headline, next: value, source: 'container' } as const
        const note = exampleNote({ headline, findings: [finding], facts: [[value, headline]] })
        expect(adfComplaint(document(note))).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  test('is refused by the schema where a text is empty, so that the schema is worth asking', () => {
    expect(adfComplaint({ type: 'doc', version: 1, content: [{ type: 'paragraph', content: [{ type: 'text', text: '' }] }] })).toEqual(
      expect.any(String),
    )
    expect(adfComplaint({ type: 'doc', version: 1, content: [{ type: 'codeBlock', content: [{ type: 'mention' }] }] })).toEqual(expect.any(String))
  })

  test('makes of hostile text nothing but text: no mention, card, media, emoji or link', () => {
    const nodes = nodesOf(document(hostileNote()))
    expect([...new Set(nodes.map(({ type }) => type))].sort()).toEqual(
      ['codeBlock', 'hardBreak', 'heading', 'paragraph', 'table', 'tableCell', 'tableHeader', 'tableRow', 'text'].sort(),
    )
    const links = nodes.flatMap(({ marks = [] }) => marks.filter(({ type }) => type === 'link').map(({ attrs }) => attrs?.href ?? ''))
    expect(links.map((href) => new URL(href).protocol)).toEqual(['https:', 'https:'])
  })

  test('shows hostile text as it was printed', () => {
    const all = words(document(hostileNote()))
    for (const text of ['<script>alert(1)</script>', '@admin @all @here', '{{toc}} {{>toc}}', '![alt](http://evil.example/x.png)'])
      expect(all).toContain(text)
  })

  test('has no character that hides or moves others', () => {
    expect(JSON.stringify(document(hostileNote())).replaceAll('\\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\\u00/u)
  })
})

describe('jiraBody', () => {
  const long = { id: 'x', check: 'x', severity: 'error', title: 'x', evidence: 'ש&{*}\n'.repeat(1000), source: 'container' } as const

  test.each([
    ['cloud', true],
    ['server', false],
  ])('%s: keeps any note below what Jira takes', async (_, cloud) => {
    const facts = Array.from({ length: 60 }, (_, at) => ['{label}'.repeat(20), `${at} ${'*|[]{}'.repeat(200)}`] as const)
    for (const note of [
      hostileNote({ findings: 60 }),
      exampleNote({ facts, findings: [] }),
      exampleNote({ facts, findings: Array(30).fill(long) }),
    ]) {
      const { body } = await jiraBody(note, cloud)
      expect((typeof body === 'string' ? body : JSON.stringify(body)).length).toBeLessThanOrEqual(32_000)
    }
  })

  test.each([
    ['cloud', true],
    ['server', false],
  ])('%s: says what a long note leaves out', async (_, cloud) => {
    const text = async (note: Note) => JSON.stringify((await jiraBody(note, cloud)).body)
    expect(await text(exampleNote({ findings: Array(30).fill(long) }))).toContain('Evidence left out')
    const facts = Array.from({ length: 50 }, () => ['label', '*|[]{}'.repeat(200)] as const)
    expect(await text(exampleNote({ facts }))).toContain('Facts left out')
    expect(await text(exampleNote())).not.toContain('left out')
  })

  test('has another digest for another text, and the same for the same', async () => {
    const digest = async (note: Note, cloud = true) => (await jiraBody(note, cloud)).digest
    expect(await digest(exampleNote())).toBe(await digest(exampleNote()))
    expect(await digest(exampleNote())).not.toBe(await digest(exampleNote({ headline: 'Another' })))
    expect(await digest(exampleNote())).not.toBe(await digest(exampleNote(), false))
  })

  test('links to the first web address of the note, in one line', async () => {
    expect((await jiraBody(hostileNote(), true)).link).toMatchObject({
      globalId: 'ad-eeeeeeeeeeeeeeeeeeee',
      url: 'https://autodiagnose.example/diagnoses/ad-eeeeeeeeeeeeeeeeeeee',
      title: expect.stringMatching(/^[^\n]{1,255}$/),
    })
    expect((await jiraBody(exampleNote({ links: [{ label: 'x', url: 'javascript:alert(1)' }] }), true)).link).toBeUndefined()
  })
})
