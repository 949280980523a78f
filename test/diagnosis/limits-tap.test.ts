import fc from 'fast-check'
import { Parser, type Result } from 'tap-parser'
import { describe, expect, test } from 'vitest'
import { TapReader } from '../../src/diagnosis/seal/tap-findings.ts'
import { TapLines } from '../../src/diagnosis/seal/tap-lines.ts'

/** What the parser says of the whole text: its failed points, each with the check that ran, and the runner's words. */
function parsed(lines: Iterable<string>) {
  const parser = new Parser()
  const told: unknown[] = []
  let check = ''
  parser.on('comment', (comment: string) => {
    if (/^# check [a-z]+\s*$/.test(comment)) check = comment
    if (/^# autodiagnose (cut|target)/.test(comment)) told.push(comment)
  })
  parser.on('assert', ({ ok, name, skip, todo, diag }: Result) => told.push({ ok, name, skip, todo, diag, check }))
  for (const line of lines) parser.write(line)
  parser.end()
  const points = told.filter((one) => typeof one === 'object')
  return { points, target: told.findLast((one) => String(one).includes('target')), cut: told.findLast((one) => String(one).includes('cut')) }
}

function* wanted(lines: readonly string[]): Generator<string> {
  const filter = new TapLines()
  for (const line of lines) yield* filter.take(line)
  yield* filter.flush()
}

const line = fc.constantFrom(
  ...['not ok 1 - bad', 'not ok 2 - worse', 'ok 3', 'not ok', 'ok 4 - no # SKIP why', 'not ok 5 - later # TODO', '1..5', 'TAP version 14'],
  ...['  ---', '  ...', '  severity: warn', '  evidence: |', '    # check no', '    words', '  id: a', '   odd', ' odd', '\todd'],
  ...['# check dns', '# check http', '# comment', '# autodiagnose cut at 7 bytes', '# autodiagnose target pid=1 uid=2 gid=3 visible=no'],
  ...['no TAP', '', '}', 'pragma +strict', '    ---', '    ...'],
)

/** Outside of a block of YAML, its lines of TAP would begin a subtest, which is not read any more. */
const block = ['not ok 6 - quotes TAP', '  ---', '  evidence: |', '    not ok 1 - quoted', '    1..1', '  ...']

describe('TapLines', () => {
  test('leaves to the parser whatever changes what it says', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: line }, fc.constant(block)), { maxLength: 60 }), (lines) => {
        const text = lines.flat().map((one) => `${one}\n`)
        expect(parsed(wanted(text))).toEqual(parsed(text))
      }),
      // The examples: what only one run in many thousands meets.
      {
        numRuns: 3000,
        examples: [
          [['not ok 1 - bad', 'pragma +strict', '  ---', '    ...', '  ...']],
          [['1..3', 'not ok 1 - bad', '1..2', '  ---', '  id: a', '  ...']],
        ],
      },
    )
  })
})

describe('TapReader', () => {
  test.each(['\r', '\u2028', '\u2029'])('finds what is behind a line with %j in it', (end) => {
    const reader = new TapReader()
    reader.push(`# 10 %${end}20 %\nno TAP${end}at all\nnot ok 1 - bad\n  ---\n  evidence: a${end}b\n  ...\n1..1\n`)
    expect(reader.finish().findings).toMatchObject([{ title: 'bad', evidence: 'a b' }])
  })

  test('keeps of a block of YAML of 1 MiB who it is, and hears the points behind it', () => {
    const reader = new TapReader()
    reader.push('not ok 1 - long\n  ---\n  evidence: |\n')
    for (let n = 0; n < 10_000; n++) reader.push(`    ${'x'.repeat(100)}\n`)
    reader.push('  check: dns\n  severity: warn\n  ...\nnot ok 2 - next\n1..2\n')
    expect(reader.finish().findings).toMatchObject([
      { title: 'next', severity: 'error' },
      { title: 'long', severity: 'warn', check: 'dns' },
    ])
  })
})
