import { expect, test } from 'vitest'
import page from '../../docs/redaction.md?raw'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { rules } from '../../src/diagnosis/redact/rules.ts'

test('docs/redaction.md has a row for every rule, in their order, as the rules tell it', () => {
  const cell = (text: string) => text.replaceAll('|', '\\|')
  const rows = rules.map(({ name, hides, source, example }) => {
    const from = source.startsWith('https://') ? `[source](${source})` : `[source](../${source})`
    return `| ${name} | ${cell(hides)} | \`${cell(makeRedactor().text('a.log', example).text)}\` | ${from} |`
  })
  expect(page.split('\n').filter((line) => /^\| [a-z]/.test(line) && line.includes('[source]'))).toEqual(rows)
})
