import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { checkHeaders } from '../../scripts/checks.ts'
import { readCorpus } from './corpus.ts'
import { readPage, renderPage } from './page.ts'

const page = readFileSync('docs/faults.md', 'utf8')
const rows = readPage(page)

it('docs/faults.md is as it is generated', () => {
  expect(renderPage(rows)).toBe(page)
})

it('docs/faults.md has no row of a case that is gone', () => {
  const names = readCorpus('test/lab/faults').map(({ name }) => name)
  expect(rows.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual([])
})

/** Those that only show, as the histogram of a heap, find no fault. */
const telling = checkHeaders().filter(({ tells }) => tells.length > 0)

it.each(telling)('check $name has proved itself on a real fault', ({ name }) => {
  expect(rows.map(({ check }) => check)).toContain(name)
})
