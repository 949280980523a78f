import { describe, expect, it } from 'vitest'
import { readCase, readHead } from './corpus.ts'
import type { Diagnosed } from './judge.ts'
import { isGood, judge, scoreLine, scoreOf, type Verdict } from './judge.ts'
import { mergeRows, outdated, readPage, renderPage, rowsOf } from './page.ts'
import { anyLine } from './ready.ts'

const text = (...lines: readonly string[]) => `${lines.join('\n')}\napiVersion: v1\n# expect: not of the head\n`
const stock = readCase('/x/backend-500.yaml', text('# target: app=shop shop', '# inject: yes', '# expect: (?=.*stock)(?=.*500)'))
const healthy = readCase('/x/calm.yaml', text('# target: app=shop shop', '# expect: none'))
const found = (...titles: readonly string[]): Diagnosed => ({
  outcome: 'complete',
  findings: titles.map((title) => ({ id: 'http/stock/500', check: 'http', severity: 'error' as const, title, source: 'container' as const })),
})

describe('the head of a case', () => {
  it('continues a value over lines of three spaces, and repeats a key', () => {
    const head = readHead('# summary: one\n#   and two\n# ready: log a\n# ready: log b: c\nkind: Pod\n# ready: log d')
    expect([...head]).toEqual([
      ['summary', ['one and two']],
      ['ready', ['log a', 'log b: c']],
    ])
  })

  it('is read with what the README names alone', () => {
    expect(stock).toEqual({
      name: 'backend-500',
      namespace: 'fault-backend-500',
      file: '/x/backend-500.yaml',
      summary: '',
      selector: 'app=shop',
      container: 'shop',
      ready: [],
      notInCi: false,
      inject: true,
      expect: /(?=.*stock)(?=.*500)/i,
    })
    expect(healthy.expect).toBeUndefined()
  })

  it('tells what is asked for beyond defaults', () => {
    const one = readCase(
      'x.yaml',
      text('# target: a b', '# expect: x', '# checks: go=6060 dns=a', '# toolset: jvm', '# profile: general', '# compare: true'),
    )
    expect(one.asked).toEqual({ checks: ['go=6060', 'dns=a'], toolset: 'jvm', profile: 'general', compare: true })
  })

  it('is complained about by name', () => {
    expect(() => readCase('/x/odd.yaml', text('# target: a b'))).toThrow('Cannot read case "odd": its head has no "expect"')
  })
})

describe('a condition', () => {
  it.each([
    ['^ERROR [[:alpha:]]+: [[:digit:]]{3}$', true],
    ['ERROR.*WARN', false],
    ['"lastState":\\{"terminated"', true],
  ])('is searched in each line as grep -E does: %s', (pattern, holds) => {
    expect(anyLine(pattern, 'INFO\nERROR stock: 500\nWARN {"lastState":{"terminated":1}}')).toBe(holds)
  })
})

describe('judge', () => {
  it.each<[string, Verdict, Diagnosed]>([
    ['the first finding names it', 'ok', found('stock answered 500')],
    ['only the second does', 'MISS', found('shop is slow', 'stock answered 500')],
    ['nothing was found', 'MISS', found()],
    ['the namespace alone says so', 'MISS', found('nothing answers in fault-backend-500 stock')],
    ['the diagnosis failed', 'UNSEEN', { outcome: 'failed', explanation: 'no cluster', findings: [] }],
  ])('a fault, where %s', (_, verdict, diagnosed) => {
    expect(judge(stock, diagnosed).verdict).toBe(verdict)
  })

  it.each<[string, Verdict, Diagnosed]>([
    ['nothing was found', 'ok', found()],
    ['anything was', 'FALSE ALARM', found('calm is busy')],
    ['nobody looked into it', 'UNSEEN', { outcome: 'refused', explanation: 'no room', findings: [] }],
  ])('a healthy pod, where %s', (_, verdict, diagnosed) => {
    expect(judge(healthy, diagnosed).verdict).toBe(verdict)
  })

  it('says that a trouble did not show, unless it was found all the same', () => {
    expect(judge(stock, found(), 'after 90 s not yet')).toEqual({ verdict: 'NOT UP', note: 'after 90 s not yet' })
    expect(judge(stock, found('stock: 500'), 'after 90 s not yet')).toEqual({ verdict: 'ok' })
  })
})

describe('the score', () => {
  const of = (...verdicts: readonly [typeof stock, Verdict, number][]) =>
    scoreOf(verdicts.flatMap(([one, verdict, times]) => Array.from({ length: times }, () => ({ one, verdict }))))

  it('counts faults and healthy pods apart', () => {
    const score = of([stock, 'ok', 22], [stock, 'NOT UP', 1], [healthy, 'ok', 3])
    expect(scoreLine('score', score)).toBe('score: 22 of 23 (95.7 %), false alarms: 0 of 3')
    expect(isGood(score)).toBe(true)
  })

  it.each([
    ['below 95 %', of([stock, 'ok', 18], [stock, 'MISS', 1])],
    ['with a false alarm', of([stock, 'ok', 20], [healthy, 'FALSE ALARM', 1])],
    ['with a healthy pod that nobody saw', of([stock, 'ok', 20], [healthy, 'UNSEEN', 1])],
  ])('is not good %s', (_, score) => {
    expect(isGood(score)).toBe(false)
  })
})

describe('the page of faults', () => {
  const row = {
    name: 'backend-500',
    check: 'http',
    fault: 'Stock | answers 500.',
    finding: 'GET http://stock:8080/ answered 500 in 12 ms',
    id: 'http/stock/500',
  }
  const other = { ...row, name: 'gone', finding: 'no finding', check: 'none', id: '' }

  it('is read as it was written', () => {
    expect(readPage(renderPage([row, other]))).toEqual([row, other])
  })

  it('has a row of each case that came out well', () => {
    const diagnosis = found('stock answered 500') as never
    expect(
      rowsOf([
        { one: stock, verdict: 'ok', diagnosis },
        { one: healthy, verdict: 'MISS' },
      ]),
    ).toEqual([{ name: 'backend-500', check: 'http', fault: '', finding: 'stock answered 500', id: 'http/stock/500' }])
  })

  it('names no nameserver of the machine under the lab', () => {
    const diagnosis = found('dial tcp: lookup depot.invalid on 192.0.2.53:53: no such host') as never
    expect(rowsOf([{ one: stock, verdict: 'ok', diagnosis }])[0]?.finding).toBe('dial tcp: lookup depot.invalid on its nameserver: no such host')
  })

  it('is out of date where more than numbers differ', () => {
    expect(outdated([row], [{ ...row, finding: 'GET http://stock:8080/ answered 500 in 7 ms' }])).toEqual([])
    expect(outdated([row], [{ ...row, finding: 'stock is silent' }, other])).toEqual(['backend-500', 'gone'])
  })

  it('keeps the rows of other cases that are still there', () => {
    const fresh = { ...row, finding: 'new' }
    expect(mergeRows([row, other], [fresh], ['backend-500'])).toEqual([fresh])
    expect(mergeRows([row, other], [fresh], ['backend-500', 'gone'])).toEqual([other, fresh])
  })
})
