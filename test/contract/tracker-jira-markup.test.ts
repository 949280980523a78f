import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundNote } from '../../src/ports/tracker/bound-note.ts'
import { jiraLabels, jiraSummary } from '../../src/ports/tracker/jira-body.ts'
import { jiraPre, jiraText, renderJiraMarkup } from '../../src/ports/tracker/jira-markup.ts'
import { plainLine, plainLines } from '../../src/ports/tracker/plain-text.ts'
import { readable } from './jira-fake-state.ts'
import { exampleNote, hostileNote, hostileTexts } from './tracker-notes.ts'

const pieces = [
  '{',
  '}',
  '{noformat}',
  '{no\\format}',
  '{\nnoformat}',
  '{code}',
  '\\',
  '\n',
  '[',
  ']',
  '~',
  '|',
  '!',
  '*',
  '-',
  '_',
  'h1.',
  'bq.',
  ' ',
  ':',
  ')',
  ';',
]
const more = ['OPS-1', 'A', '1', 'http://x', '(', '/', '&', '#', '\ud83d', '\u{1f600}', '\u{e001}', '\u{f0000}']
const nasty = fc
  .array(fc.oneof(fc.constantFrom(...hostileTexts, ...pieces, ...more), fc.string({ unit: 'binary' })), { maxLength: 20 })
  .map((parts) => parts.join(''))

/** Finds the end of a `{noformat}` block as Atlassian's parser does: any `{`, with backslashes and line breaks read over, unless escaped. */
function endOfBlock(body: string): number {
  for (let at = 0; at < body.length; at++) {
    if (body[at] === '\\') at += 1
    else if (body[at] === '{' && nameAt(body, at) === 'noformat') return at
  }
  return -1
}

function nameAt(body: string, at: number): string | undefined {
  let name = ''
  for (let next = at + 1; next < body.length; next++) {
    const character = body[next] as string
    if ('\n\r\\'.includes(character)) {
      next += 1
      name += body[next] ?? ''
    } else if (character === '}') return name
    else if (character === '{') return undefined
    else name += character
  }
  return undefined
}

describe('jiraText', () => {
  test('leaves nothing that begins markup, a macro, a link, an image, an emoticon or an issue key', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const out = jiraText(plainLine(text))
        // With references taken for what stands between words.
        expect(out.replace(/&#\d+;/g, ' ')).not.toMatch(
          /[&<>*^~%@#![\]{}|()?+\\\n\r]|(?<!\p{N}):\S|:[^\s\p{N}]|(^|[^\p{L}\p{N}])[-_]|[-_]([^\p{L}\p{N}]|$)|^(h[1-6]|bq)\.|\p{Lu}[\p{Lu}\p{N}_]*-\p{N}|[\u{10000}-\u{10ffff}]|\p{Cc}|\p{Cf}|\p{Cs}|\p{Co}/u,
        )
      }),
    )
  })

  test('is the text again for a reader of HTML', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(readable(jiraText(plainLine(text)))).toBe(plainLine(text))
      }),
    )
  })

  test.each([
    ['{code}', '&#123;code&#125;'],
    ['[~admin]', '&#91;&#126;admin&#93;'],
    ['!http://evil.example/x.png!', '&#33;http&#58;//evil.example/x.png&#33;'],
    ['h1. heading', 'h1&#46; heading'],
    ['bq. quote', 'bq&#46; quote'],
    ['-struck-', '&#45;struck&#45;'],
    ['---- rule', '&#45;&#45;&#45;&#45; rule'],
    ['OPS-1 and MY_OPS2-17', 'OPS&#45;1 and MY_OPS2&#45;17'],
    ['a smile ;) :D (y)', 'a smile ;&#41; &#58;D &#40;y&#41;'],
    ['\\\\server\\share', '&#92;&#92;server&#92;share'],
    ['\u{1f600}', '&#128512;'],
  ])('makes %j harmless', (text, written) => {
    expect(jiraText(text)).toBe(written)
  })

  test('leaves ordinary words as they are', () => {
    const words = 'Look at the log of fruit/apples-57bcf49487-ddmpn: it’s 3,5 s late at 2026-11-23T11:59:56Z, "memory_limit" of v1.2.3'
    expect(jiraText(words)).toBe(words)
  })
})

describe('jiraPre', () => {
  test.each([
    '{noformat}',
    '{NOFORMAT}',
    '{no\\format}',
    '{\\noformat}',
    '{\nnoformat}',
    '{nofor\nmat}',
    '{{noformat}}',
    '\\{noformat}',
    '{noformat:x}',
  ])('does not end the block with %j', (text) => {
    const block = `${jiraPre(text)}\n{noformat}`
    expect(endOfBlock(block)).toBe(block.length - '{noformat}'.length)
  })

  test('does not end the block with anything', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const block = `${jiraPre(plainLines(text))}\n{noformat}`
        expect(endOfBlock(block)).toBe(block.length - '{noformat}'.length)
      }),
      { numRuns: 500 },
    )
  })

  test('leaves what a program prints as it is', () => {
    const text = '{"level":"error","msg":"a [b] *c* {code} <d> &e; OPS-1"}\n\tat x\\y'
    expect(jiraPre(text)).toBe(text)
  })
})

describe('renderJiraMarkup', () => {
  const written = (note = exampleNote()) => renderJiraMarkup(boundNote(note, renderJiraMarkup))

  test('begins with the headline, then findings, facts and links', () => {
    expect(written()).toMatchInlineSnapshot(`
      "h3. {color:#bf2600}*ERROR*{color} GET http&#58;//bananas&#58;8080 answers 500 Internal Server Error

      {noformat}
      < HTTP/1.1 500 Internal Server Error
      < Content-Type: text/plain
      * 10.96.3.7 port 8080, 12 ms
      {noformat}

      *Cause:* The service is reached, its program fails
      *Next step:* Look at the log of the pods behind service bananas

      {color:#974f0c}*WARN*{color} *Container app was restarted 3 times in 10 minutes*

      ||Outcome|complete|
      ||Target|pod fruit/apples-57bcf49487-ddmpn, container app, cluster lab|
      ||Pod UID|0c3e8a51-6a3a-4a8b-9f0e-0d5a7f1e2b3c|
      ||Requested|by ops at 2026-11-23T11:59:56.000Z|
      ||Diagnosis|ad-01hzy3v8kq5m7n9p2r4t|

      [Diagnosis|https://autodiagnose.example/diagnoses/ad-01hzy3v8kq5m7n9p2r4t] · [Bundle &#40;48 KiB&#41;|https://autodiagnose.example/v1/diagnoses/ad-01hzy3v8kq5m7n9p2r4t/bundle] · [Log|https://autodiagnose.example/v1/diagnoses/ad-01hzy3v8kq5m7n9p2r4t/log]"
    `)
  })

  test('has its own blocks and macros in balance, whatever the text', () => {
    const lines = written(hostileNote()).split('\n')
    expect(lines.filter((line) => line === '{noformat}').length % 2).toBe(0)
    let inside = false
    const outside = lines.filter((line) => {
      if (line === '{noformat}') inside = !inside
      return !inside && line !== '{noformat}'
    })
    for (const line of outside) {
      const rest = line
        .replace(/^(h3\. )?\{color:#[0-9a-f]{6}\}\*(ERROR|WARN|INFO)\*\{color\} ?/, '')
        .replace(/^h3\. /, '')
        .replace(/\[([^|\]]+)\|https:\/\/autodiagnose\.example\/[A-Za-z0-9/%.,:=-]*\]/g, '$1')
      expect(rest.replace(/&#\d+;/g, ' ')).toMatch(/^(\|\|[^|{}[\]!]+\|[^|{}[\]!]+\||\*?[^|{}[\]!\\]*\*?)$/)
    }
  })

  test('percent-encodes in a link what would end it', () => {
    expect(written(hostileNote())).toContain('|https://autodiagnose.example/a%22onclick=alert%2813%29%20b%3Cc%3E%7Cd%7C%21e%21]')
  })

  test('writes a space into an empty cell, for two bars would begin a heading', () => {
    expect(renderJiraMarkup(exampleNote({ findings: [], facts: [['', '']], links: [] }))).toContain('|| | |')
  })
})

describe('jiraSummary', () => {
  test.each([
    ['a\nb\tc', 'a b c'],
    ['', 'Untitled'],
    ['\u202e', '\\u{202e}'],
  ])('makes one line of %j', (title, summary) => {
    expect(jiraSummary(title)).toBe(summary)
  })

  test('is never longer than 255 UTF-16 units', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (title) => jiraSummary(title).length <= 255))
    expect(jiraSummary('x'.repeat(255))).toHaveLength(255)
    expect(jiraSummary('\u{1f600}'.repeat(300)).length).toBeLessThanOrEqual(255)
  })
})

test('jiraLabels have no spaces and no doubles', () => {
  expect(jiraLabels(['team fruit', 'team  fruit', 'x'])).toEqual(['team-fruit', 'x'])
})
