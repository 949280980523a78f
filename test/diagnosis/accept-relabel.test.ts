import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { complainAboutRelabel, maxMatched, type RelabelRule, relabel } from '../../src/diagnosis/accept/relabel.ts'
import { alertSource } from './alert-source.ts'

const rulesOf = (...rules: readonly object[]): readonly RelabelRule[] => alertSource({ relabel: rules }).relabel
const complaint = (rule: object) => complainAboutRelabel(rulesOf(rule)[0] as RelabelRule)
/** A reference as Go writes it, which looks like a part of a template. */
const braced = (name: string, rest = '') => `$\{${name}}${rest}`
const labels = { alertname: 'Down', instance: '10.0.0.7:8080', path: 'shop/cart', empty: '' }

describe('relabel', () => {
  test.each([
    ['copies by default', { sourceLabels: ['alertname'], targetLabel: 'copy' }, { copy: 'Down' }],
    ['joins values with the separator', { sourceLabels: ['alertname', 'path'], targetLabel: 'both' }, { both: 'Down;shop/cart' }],
    ['takes a missing label for an empty one', { sourceLabels: ['none', 'path'], separator: '@', targetLabel: 'both' }, { both: '@shop/cart' }],
    ['picks a group', { sourceLabels: ['path'], regex: '([^/]+)/(.+)', targetLabel: 'pod', replacement: '$2' }, { pod: 'cart' }],
    ['reads a group in braces', { sourceLabels: ['path'], regex: '([^/]+)/.+', targetLabel: 'pod', replacement: braced('1', '0') }, { pod: 'shop0' }],
    ['knows named groups', { sourceLabels: ['path'], regex: '(?<ns>[^/]+)/.+', targetLabel: 'ns', replacement: braced('ns') }, { ns: 'shop' }],
    ['writes a dollar', { sourceLabels: ['path'], targetLabel: 'price', replacement: '$$1' }, { price: '$1' }],
    [
      'leaves out a group that took no part',
      { sourceLabels: ['path'], regex: '(a)?(.*)', targetLabel: 'x', replacement: '$1-$2' },
      { x: '-shop/cart' },
    ],
    ['sets a constant without source labels', { targetLabel: 'cluster', replacement: 'east' }, { cluster: 'east' }],
    ['replaces what is there', { sourceLabels: ['path'], regex: '(.*)/.*', targetLabel: 'path' }, { path: 'shop' }],
    ['changes nothing where it does not match', { sourceLabels: ['path'], regex: 'cart', targetLabel: 'path', replacement: 'x' }, {}],
    ['matches the whole, whatever alternatives there are', { sourceLabels: ['path'], regex: 'shop|cart', targetLabel: 'path', replacement: 'x' }, {}],
  ])('%s', (_, rule, change) => {
    expect(complaint(rule)).toBeUndefined()
    expect(relabel(labels, rulesOf(rule))).toEqual({ kind: 'kept', labels: { ...labels, ...change } })
  })

  test('takes a label away by an empty replacement', () => {
    const rules = rulesOf({ sourceLabels: ['instance'], regex: '.*:8080', targetLabel: 'instance', replacement: '' })
    expect(relabel({ instance: 'a:8080', b: 'c' }, rules)).toEqual({ kind: 'kept', labels: { b: 'c' } })
  })

  test('goes from rule to rule', () => {
    const rules = rulesOf(
      { sourceLabels: ['path'], regex: '(.*)/.*', targetLabel: 'a' },
      { sourceLabels: ['a'], regex: 's(.*)', targetLabel: 'b' },
      { action: 'keep', sourceLabels: ['b'], regex: 'hop' },
    )
    expect(relabel(labels, rules)).toMatchObject({ kind: 'kept', labels: { a: 'shop', b: 'hop' } })
  })

  test.each([
    ['keep', 'Down', 'kept'],
    ['keep', 'Up', 'dropped'],
    ['keep', 'Dow', 'dropped'],
    ['drop', 'Down', 'dropped'],
    ['drop', 'Up', 'kept'],
  ])('%s with %s: %s', (action, regex, kind) => {
    expect(relabel(labels, rulesOf({ action, sourceLabels: ['alertname'], regex })).kind).toBe(kind)
  })

  test('tells which rule drops', () => {
    const rules = rulesOf({ targetLabel: 'a', replacement: 'b' }, { action: 'drop', sourceLabels: ['a'], regex: 'b' })
    expect(relabel({}, rules)).toEqual({ kind: 'dropped', rule: 1 })
  })

  test('matches values of several lines, and of any characters', () => {
    const rules = rulesOf({ sourceLabels: ['a'], targetLabel: 'b' })
    expect(relabel({ a: 'x\ny\u{1f34e}' }, rules)).toMatchObject({ labels: { b: 'x\ny\u{1f34e}' } })
  })

  test('matches nothing that is too long', () => {
    const rules = rulesOf({ sourceLabels: ['a'], targetLabel: 'b' })
    expect(relabel({ a: 'x'.repeat(maxMatched) }, rules)).toMatchObject({ labels: { b: 'x'.repeat(maxMatched) } })
    expect(relabel({ a: 'x'.repeat(maxMatched + 1) }, rules)).not.toHaveProperty('labels.b')
  })

  test('is not deceived by the names of labels', () => {
    const hostile = JSON.parse('{"__proto__": "a", "constructor": "b"}')
    const rules = rulesOf({ sourceLabels: ['__proto__', 'constructor', 'toString'], targetLabel: '__proto__' })
    const { labels: now } = relabel(hostile, rules) as { labels: Record<string, string> }
    expect(Object.entries(now)).toEqual([
      ['__proto__', 'a;b;'],
      ['constructor', 'b'],
    ])
    expect(Object.getPrototypeOf(now)).toBe(Object.prototype)
  })

  test('without rules changes nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (any) => {
        expect(relabel(any, [])).toEqual({ kind: 'kept', labels: { ...any } })
      }),
    )
  })
})

describe('complainAboutRelabel', () => {
  test.each([
    '.*',
    '(.*)',
    '(.*);(.*);(.*)',
    '(.+)-[a-z0-9]+-[a-z0-9]{5}',
    '([^:]+)(?::\\d+)?',
    '(?:-[a-z]{5}){2}',
    '(?:ab)+',
    '[(+*|]+',
    '\\(\\+\\)*',
    'a|b|c',
    '(a|b)?',
    '[(?=]',
    '\\\\1',
  ])('takes %s', (regex) => {
    expect(complaint({ sourceLabels: ['a'], regex, targetLabel: 'b', replacement: '' })).toBeUndefined()
  })

  test.each([
    ['(', /^regex: "\(" is no regular expression: /],
    ['a)|(b', /is no regular expression/],
    ['[z-a]', /is no regular expression/],
    ['(a+)+', /repeats a group that itself repeats or chooses/],
    ['(a|aa)*', /repeats a group/],
    ['((a+)?b)*', /repeats a group/],
    ['(?:(?:a{1,9}))+', /repeats a group/],
    ['(?<n>a?){30}', /repeats a group/],
    ['([(]a+)+', /repeats a group/],
    ['(\\)a+)+', /repeats a group/],
    ['.*a.*b.*c.*', /repeats at 4 places, at most 3/],
    ['(a)\\1', /refers to one of its groups/],
    ['(?<n>a)\\k<n>', /refers to one of its groups/],
    ['(?=a).*', /looks ahead/],
    ['(?<!a)b', /looks ahead or behind/],
  ])('refuses %s', (regex, words) => {
    expect(complaint({ sourceLabels: ['a'], regex, targetLabel: 'b', replacement: '' })).toMatch(words)
  })

  test.each(['keep', 'drop'])('takes %s, which replaces nothing', (action) => {
    expect(complaint({ action, sourceLabels: ['a'], regex: 'x' })).toBeUndefined()
  })

  test.each([
    [{ sourceLabels: ['a'] }, 'targetLabel: name the label that is set'],
    [{ action: 'keep', regex: 'a' }, 'sourceLabels: name the labels that "keep" looks at'],
    [{ action: 'drop', sourceLabels: ['a'], targetLabel: 'b' }, 'targetLabel: "drop" sets no label; leave it out'],
    [{ targetLabel: 'a', regex: '(a)', replacement: '$2' }, 'replacement: "$2" is no group of "(a)"'],
    [{ targetLabel: 'a', regex: '(a)', replacement: braced('ns') }, `replacement: "${braced('ns')}" is no group of "(a)"`],
    [{ targetLabel: 'a', regex: '(?<b>a)', replacement: braced('toString') }, `replacement: "${braced('toString')}" is no group of "(?<b>a)"`],
  ])('refuses %j', (rule, words) => {
    expect(complaint(rule)).toBe(words)
  })

  test('lets nothing through that then throws', () => {
    const piece = fc.constantFrom('a', '.', '*', '+', '?', '(', ')', '(?:', '(?<n>', '|', '[', ']', '^', '\\', '\\d', '{2}', '{1,}', '$')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.string(), fc.string(), (pieces, replacement, value) => {
        const rule = { sourceLabels: ['a'], regex: pieces.join(''), targetLabel: 'b', replacement }
        const [whole] = rulesOf(rule)
        if (whole && complainAboutRelabel(whole) === undefined) expect(relabel({ a: value }, [whole]).kind).toBe('kept')
      }),
    )
  })
})
