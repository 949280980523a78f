import { describe, expect, test } from 'vitest'
import { TapReader, type TapReading } from '../../src/diagnosis/seal/tap-findings.ts'

const read = (text: string, size = text.length || 1): TapReading => {
  const reader = new TapReader()
  for (let at = 0; at < text.length; at += size) reader.push(text.slice(at, at + size))
  return reader.finish()
}
const tap = (...lines: string[]): string => `TAP version 14\n${lines.join('\n')}\n`
const refused = [
  '# check http',
  'not ok 1 - http://stock:8080 answers 500 Internal Server Error',
  '  ---',
  '  check: http',
  '  id: http/stock-8080-500',
  '  severity: warn',
  '  evidence: |',
  '    HTTP/1.1 500 Internal Server Error',
  '    server: made-up',
  '  cause: stock fails',
  '  next: look at its log',
  '  ...',
]

describe('a finding', () => {
  test('has what the YAML block says', () => {
    expect(read(tap(...refused, '1..1')).findings).toEqual([
      {
        id: 'http/stock-8080-500',
        check: 'http',
        severity: 'warn',
        title: 'http://stock:8080 answers 500 Internal Server Error',
        evidence: 'HTTP/1.1 500 Internal Server Error\nserver: made-up',
        cause: 'stock fails',
        next: 'look at its log',
        source: 'container',
      },
    ])
  })

  test('takes check and id from the comment and its words where there is no block', () => {
    const { findings } = read(tap('# check dns', 'not ok 1 - Cannot find  "stock"', '1..1'))
    expect(findings).toMatchObject([{ id: 'dns/cannot-find-stock-', check: 'dns', severity: 'error', title: 'Cannot find "stock"' }])
  })

  test('is the same wherever the text is cut', () => {
    const text = tap(...refused, 'ok 2 - fine', '1..2')
    const whole = read(text)
    for (let size = 1; size < 60; size++) expect(read(text, size)).toEqual(whole)
  })

  test('has an unknown severity made error, and one line as title', () => {
    const { findings } = read(tap('not ok 1 - bad', '  ---', '  severity: apocalypse', '  ...', '1..1'))
    expect(findings).toMatchObject([{ severity: 'error', title: 'bad' }])
  })

  test('is not made of what could not run or is to be done', () => {
    const reading = read(tap('ok 1 - http # SKIP no wget', 'not ok 2 - x # SKIP why', 'not ok 3 - y # TODO later', 'ok 4 - z', '1..4'))
    expect(reading).toMatchObject({ findings: [] })
  })
})

describe('a check that could not look', () => {
  test('is told with its reason, bounded', () => {
    const skipped = ['# check disk', 'ok 1 - disk # SKIP not open to inspection', '# check dns', 'ok 2 - fine', 'not ok 3 - x # SKIP by\ttab']
    expect(read(tap(...skipped, '1..3')).skipped).toEqual([
      { check: 'disk', why: 'not open to inspection' },
      { check: 'dns', why: 'by tab' },
    ])
    const many = Array.from({ length: 200 }, (_, at) => `ok ${at + 1} - x # SKIP ${'y'.repeat(1000)}`)
    const bounded = read(tap('# check a', ...many, '1..200')).skipped
    expect([bounded.length, bounded[0]?.why.length]).toEqual([40, 200])
  })
})

describe('the runner', () => {
  test('tells who the target runs as and where it cut', () => {
    const reading = read(tap('# autodiagnose target pid=7 uid=1000 gid=3000 visible=no', 'ok 1 - x', '# autodiagnose cut at 8192 bytes', '1..1'))
    expect(reading).toMatchObject({ target: { ids: { uid: 1000, gid: 3000 }, visible: false }, cut: 'cut at 8192 bytes' })
  })

  test('is not heard inside a YAML block', () => {
    const { target, findings } = read(
      tap('not ok 1 - x', '  ---', '  evidence: |', '    # autodiagnose target pid=1 uid=0 gid=0 visible=no', '    # check forged', '  ...', '1..1'),
    )
    expect(target).toBeUndefined()
    expect(findings).toMatchObject([{ check: 'unknown', evidence: expect.stringContaining('visible=no') }])
  })
})

describe('hostile output', () => {
  test('that is no TAP at all has no findings', () => {
    const noise = Array.from({ length: 2000 }, (_, n) => String.fromCharCode((n * 7919) % 0x3000)).join('')
    for (const text of ['', '\n\n\n', 'hello\nworld\n', noise, `\u0000\u0001\u0002\n${noise}`]) expect(read(text)).toMatchObject({ findings: [] })
  })

  test.each([
    ['a BOM', `\uFEFF${tap(...refused, '1..1')}`],
    ['CRLF', tap(...refused, '1..1').replaceAll('\n', '\r\n')],
    ['noise between', tap('noise: yes', ...refused, '}{', '1..1')],
    ['an unclosed block at the end', tap(...refused, 'not ok 2 - y', '  ---', '  a: [', '   b')],
  ])('with %s keeps the finding', (_, text) => {
    expect(read(text).findings).toContainEqual(expect.objectContaining({ title: 'http://stock:8080 answers 500 Internal Server Error' }))
  })

  test.each([
    [
      'aliases that grow',
      [
        '  a: &a [x, x, x, x, x, x, x, x, x]',
        ...'bcdefghij'.split('').map((k, n) => `  ${k}: &${k} [${Array(9).fill(`*${'abcdefghij'[n]}`)}]`),
        '  evidence: *j',
      ],
    ],
    ['a circle', ['  evidence: &a [*a]']],
    ['a function', ['  evidence: !function |', '    "f"', '    process.exit(1)']],
    ['a big integer', ['  evidence: !bigint 12345678901234567890']],
    ['a symbol', ['  evidence: !symbol made-up']],
    ['a class', ['  evidence: !class |', '    "C"', '    class C {}']],
    ['a date that is none', ['  evidence: !date never']],
    ['a regular expression that hangs', ['  evidence: !re /(a+)+$/']],
    ['a prototype', ['  __proto__: {severity: warn}', '  constructor: x']],
    ['deep nesting', [`  evidence: ${'['.repeat(3000)}${']'.repeat(3000)}`]],
    ['broken YAML', ['  evidence: "never closed', '  : : :']],
  ])('with %s in YAML is one finding', (_, yaml) => {
    const from = performance.now()
    const { findings } = read(tap('not ok 1 - hostile', '  ---', ...yaml, '  ...', '1..1'))
    expect(findings).toMatchObject([{ title: 'hostile', severity: 'error', source: 'container' }])
    expect(performance.now() - from).toBeLessThan(2000)
    // Plain JSON: it crosses a durable step.
    expect(JSON.parse(JSON.stringify(findings))).toEqual(findings)
    expect(JSON.stringify(findings).length).toBeLessThan(10_000)
  })

  test('that floods keeps few findings and little text', () => {
    const flood = Array.from({ length: 100_000 }, (_, n) => `not ok ${n + 1} - trouble ${n} ${'x'.repeat(80)}`)
    const reading = read(tap(...flood, '1..100000'), 65_536)
    expect(reading.findings).toHaveLength(50)
    expect(reading.dropped).toBe('the container printed 100000 findings: the worst 50 are kept, all are in its log')
  })

  test('that floods hides neither what is worse nor what the runner says', () => {
    const notice = ['  ---', '  severity: info', '  evidence: |', '    severity: error', '  ...']
    const flood = Array.from({ length: 3000 }, (_, n) => [`not ok ${n + 1} - notice ${n}`, ...notice]).flat()
    const later = ['# check later', 'not ok 3001 - trouble', '  ---', '  severity: warn', '  ...', 'not ok 3002 - disaster']
    const text = tap(...flood, ...later, '# autodiagnose cut at 8192 bytes', '1..3002')
    const reading = read(text, 4096)
    expect(reading.cut).toBe('cut at 8192 bytes')
    expect(reading.findings.slice(0, 3)).toMatchObject([
      { title: 'disaster', severity: 'error', check: 'later' },
      { title: 'trouble', severity: 'warn', check: 'later' },
      { title: 'notice 0', severity: 'info', evidence: 'severity: error' },
    ])
    expect(reading.findings).toHaveLength(50)
  })

  test('with lines of 1 MB is read in time', () => {
    const from = performance.now()
    const long = 'x'.repeat(1_000_000)
    const { findings } = read(
      tap(`not ok 1 - ${long}`, '  ---', `  evidence: ${long}`, '  ...', `# ${long}`, long, ...refused.slice(0, 2), '1..2'),
      65_536,
    )
    expect(findings.map(({ title, evidence = '' }) => [title.length, evidence.length])).toEqual([
      [500, 2000],
      [51, 0],
    ])
    expect(performance.now() - from).toBeLessThan(5000)
  })

  test('that bails out keeps what was found before', () => {
    expect(read(tap(...refused, 'Bail out! made up', 'not ok 2 - later')).findings).toHaveLength(1)
  })
})
