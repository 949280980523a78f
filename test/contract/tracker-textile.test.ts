import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundNote, noteLimits } from '../../src/ports/tracker/bound-note.ts'
import { byteLength, cutLine, cutLines, plainLine, plainLines } from '../../src/ports/tracker/plain-text.ts'
import { preText, renderTextile, textileText } from '../../src/ports/tracker/textile.ts'
import { exampleNote, hostileNote, hostileTexts } from './tracker-notes.ts'

/** Text made of the pieces that mean something to a formatter. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...hostileTexts,
        '<',
        '</',
        'pre',
        '>',
        '{',
        '{{',
        '}}',
        '@',
        '#',
        'r1',
        '"',
        ':',
        '|',
        '\n',
        ' ',
        '-',
        '!',
        '<!--',
        '-->',
        '&',
        ';',
        'www.',
        '\ud83d',
      ),
      fc.string({ unit: 'binary' }),
    ),
    { maxLength: 20 },
  )
  .map((pieces) => pieces.join(''))

describe('textileText', () => {
  test('leaves nothing that begins markup, a link, a mention or a macro', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const out = textileText(plainLine(text))
        expect(out.replace(/&#\d+;/g, '')).not.toMatch(
          /[&<>"*^~%@#![\]{}|(=?+\\`\n\r]|:\S|(^|[^\p{L}\p{N}])[-_]|www\.|(?<![\p{L}\p{N}])r\d|\p{Cc}|\p{Cf}|\p{Cs}/iu,
        )
      }),
    )
  })

  test('takes a letter beyond the basic plane for no part of a word', () => {
    expect(textileText('\u{20000}-struck-')).toBe('&#131072;&#45;struck-')
  })

  test('is the text again for a reader of HTML', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const plain = plainLine(text)
        expect(textileText(plain).replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))).toBe(plain)
      }),
    )
  })

  test('leaves ordinary words as they are', () => {
    expect(textileText('Look at the log of fruit/apples-57bcf49487-ddmpn: it’s 3,5 s late')).toBe(
      'Look at the log of fruit/apples-57bcf49487-ddmpn: it’s 3,5 s late',
    )
  })
})

describe('preText', () => {
  test('neither ends the block nor reaches out of it', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(preText(plainLines(text))).not.toMatch(/<[a-z/!?]|(^|\W)@[\w.-]|\{\{|[\u{10000}-\u{10ffff}]|:redsh#|x%x%/iu)
      }),
    )
  })
})

describe('boundNote', () => {
  test('keeps every rendered note within 60,000 bytes and says what is missing', () => {
    const note = hostileNote({ findings: 60 })
    const bounded = boundNote(note, renderTextile)
    expect(byteLength(renderTextile(bounded))).toBeLessThanOrEqual(noteLimits.noteBytes)
    expect(bounded.findings.length).toBeLessThanOrEqual(30)
    expect(bounded.facts.find(([label]) => label === 'Findings left out')?.[1]).toBe(
      `${60 - bounded.findings.length} of 60; all of them are in the diagnosis`,
    )
  })

  test('drops evidence from the end before it drops a finding', () => {
    const [finding] = exampleNote().findings
    const heavy = exampleNote({
      findings: Array.from({ length: 30 }, () => ({ ...finding, evidence: `${'ש'.repeat(60)}\n`.repeat(40) }) as typeof finding & object),
    })
    const bounded = boundNote(heavy, renderTextile)
    expect(bounded.findings).toHaveLength(30)
    const bare = bounded.findings.filter(({ evidence }) => evidence === undefined).length
    expect(bare).toBeGreaterThan(0)
    expect(bounded.findings[0]?.evidence).toContain('[… cut: ')
    expect(bounded.facts.find(([label]) => label === 'Evidence left out')?.[1]).toMatch(new RegExp(`^of ${bare} finding`))
  })

  test('is at rest: bounding twice is bounding once', () => {
    const once = boundNote(hostileNote(), renderTextile)
    expect(boundNote({ ...once, facts: once.facts.filter(([label]) => !label.endsWith('left out')) }, renderTextile).findings).toEqual(once.findings)
  })

  test('keeps only web links', () => {
    const bounded = boundNote(hostileNote(), renderTextile)
    expect(bounded.links.map(({ url }) => new URL(url).protocol)).toEqual(['https:', 'https:'])
  })
})

describe('plain text', () => {
  test.each([
    ['a\u202eb', 'a\\u{202e}b'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['tab\tand\r\nnewline', 'tab and newline'],
    ['\ud800', '\\u{d800}'],
    ['שלום', 'שלום'],
    [`e${'\u0301'.repeat(9)}`, `e${'\u0301'.repeat(4)}`],
  ])('shows %j as %j', (text, shown) => {
    expect(plainLine(text)).toBe(shown)
  })

  test('keeps lines and turns lone carriage returns into newlines', () => {
    expect(plainLines('a\r\nb\rc\td  \n')).toBe('a\nb\nc    d\n')
  })

  test('cuts between characters, never within one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.integer({ min: 2, max: 50 }), (text, max) => {
        const cut = cutLine(text, max)
        expect([...cut].length).toBeLessThanOrEqual(max)
        expect(cut.isWellFormed()).toBe(true)
      }),
    )
  })

  test('says how many bytes are left out', () => {
    const text = 'line of 16 bytes\n'.repeat(200)
    const cut = cutLines(text, 2048)
    expect(byteLength(cut)).toBeLessThanOrEqual(2048)
    const left = Number(/cut: (\d+) of 3400 bytes left out\]$/.exec(cut)?.[1])
    expect(byteLength(cut.slice(0, cut.lastIndexOf('\n[…')))).toBe(3400 - left)
  })
})
