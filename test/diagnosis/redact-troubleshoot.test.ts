import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'

function redactorOf(redactors: string) {
  const indented = redactors.trim().replace(/^/gm, '    ')
  const document: unknown = parse(`apiVersion: troubleshoot.sh/v1beta2\nkind: Redactor\nmetadata:\n  name: fruit\nspec:\n  redactors:\n${indented}\n`)
  return makeRedactor({ files: [{ name: 'fruit.yaml', document }] })
}
const regex = (pattern: string, selector?: string) =>
  redactorOf(
    `- name: r\n  removals:\n    regex:\n    - redactor: ${JSON.stringify(pattern)}${selector === undefined ? '' : `\n      selector: ${JSON.stringify(selector)}`}`,
  )

describe('a redactor file: values', () => {
  test('are hidden wherever they stand, as they are written', () => {
    const redactor = redactorOf('- name: v\n  removals:\n    values: [durian, "a.b*"]')
    expect(redactor.text('x.log', 'durian, Durian, a.b*, aXbb, durian\n')).toEqual({
      text: '***HIDDEN***, Durian, ***HIDDEN***, aXbb, ***HIDDEN***\n',
      counts: { 'v.literal.0': 2, 'v.literal.1': 1 },
    })
  })
})

describe('a redactor file: regex', () => {
  test.each([
    ['masks the group mask', '(colour=)(?P<mask>\\w+)', 'x colour=red y', 'x colour=***HIDDEN*** y'],
    ['drops the group drop', '(colour=)(?P<drop>\\w+)', 'x colour=red y', 'x colour= y'],
    [
      'takes every match, and a name twice',
      '(?P<mask>\\d+)(-)(?P<mask>\\d+)',
      '1-2 and 3-4',
      '***HIDDEN***-***HIDDEN*** and ***HIDDEN***-***HIDDEN***',
    ],
    ['keeps groups of other names', '(?P<host>\\w+)(:)(?P<mask>\\d+)', 'db:5432', 'db:***HIDDEN***'],
    ['removes what is in no group of a match, as Troubleshoot does', 'colour=(?P<mask>\\w+)', 'x colour=red y', 'x ***HIDDEN*** y'],
    ['removes a match without groups', 'colour=\\w+ ', 'x colour=red y', 'x y'],
    ['ignores case by (?i)', '(?i)(colour=)(?P<mask>\\w+)', 'COLOUR=red', 'COLOUR=***HIDDEN***'],
    ['hides a mask inside a group', '(colour=(?P<mask>\\w+);)', 'colour=red;', 'colour=***HIDDEN***;'],
    ['hides an empty mask', '(colour=)(?P<mask>\\w*)(;)', 'colour=;', 'colour=***HIDDEN***;'],
    ['leaves a group that took no part', '(a)(?P<mask>b)?', 'ac', 'ac'],
    ['sees one line at a time', '(?s)(first)(?P<mask>.*)', 'first 1\nsecond\n', 'first***HIDDEN***\nsecond\n'],
  ])('%s', (_, pattern, text, expected) => {
    expect(regex(pattern).text('x.log', text).text).toBe(expected)
  })

  test('a selector applies the pattern to the next line', () => {
    const redactor = regex('(value: )(?P<mask>.*)', 'name: FRUIT$')
    expect(redactor.text('x.log', 'value: a\nname: FRUIT\nvalue: b\nvalue: c\n')).toEqual({
      text: 'value: a\nname: FRUIT\nvalue: ***HIDDEN***\nvalue: c\n',
      counts: { 'r.multiLine.0': 1 },
    })
  })

  test('the line after a selected one selects nothing itself', () => {
    expect(regex('(?P<mask>\\d)', 'name').text('x.log', 'name 1\nname 2\nname 3\nname 4').text).toBe(
      'name 1\nname ***HIDDEN***\nname 3\nname ***HIDDEN***',
    )
  })

  test('applies to JSON as it is printed', () => {
    const redactor = regex('("colour": *")(?P<mask>[^"]*)(")')
    expect(redactor.json('a.json', { a: { colour: 'red', size: 1 } }).value).toEqual({ a: { colour: '***HIDDEN***', size: 1 } })
  })

  test('hides the whole scalar where it would leave no JSON', () => {
    const redactor = regex('(colour": ")(?P<drop>[^,]*)(,)')
    expect(redactor.json('a.json', { a: [{ colour: 'red', size: 1 }, 'x'] }).value).toEqual({ a: [{ colour: '***HIDDEN***', size: 1 }, 'x'] })
  })

  test('comes after the built-in rules', () => {
    expect(regex('(?P<mask>user=\\w+)').text('x.log', 'user=a password=made-up').text).toBe('***HIDDEN*** password=***HIDDEN***')
  })
})

describe('a redactor file: fileSelector', () => {
  const at = (selector: string, path: string) =>
    redactorOf(`- name: s\n  fileSelector: ${selector}\n  removals: {values: [durian]}`).text(path, 'durian').text === '***HIDDEN***'

  test.each([
    ['{file: a.log}', 'a.log', true],
    ['{file: a.log}', 'b/a.log', false],
    ['{file: "*.log"}', 'b/a.log', false],
    ['{file: "**/*.log"}', 'b/c/a.log', true],
    ['{files: [x.log, "b/*"]}', 'b/a.log', true],
    ['{file: "b/{a,c}.log"}', 'b/c.log', true],
    ['{file: "b/{a,c}.log"}', 'b/d.log', false],
    ['{file: "[a-c].log"}', 'b.log', true],
    ['{file: "[!a-c].log"}', 'b.log', false],
    ['{file: "?.log"}', 'b.log', true],
    ['{file: "a\\\\*.log"}', 'a*.log', true],
    ['{}', 'any', true],
  ])('%s and %s: %s', (selector, path, expected) => {
    expect(at(selector, path)).toBe(expected)
  })

  test('goes for streams and JSON too', () => {
    const redactor = redactorOf('- name: s\n  fileSelector: {file: "**/a.*"}\n  removals: {values: [durian]}')
    expect(redactor.open('b/a.log').push('durian\n')).toBe('***HIDDEN***\n')
    expect(redactor.open('b/c.log').push('durian\n')).toBe('durian\n')
    expect(redactor.json('b/a.json', ['durian']).value).toEqual(['***HIDDEN***'])
    expect(redactor.json('b/c.json', ['durian']).value).toEqual(['durian'])
  })
})

describe('a redactor file: yamlPath', () => {
  const redactor = redactorOf('- name: y\n  removals: {yamlPath: ["a.*.colour", "list.1"]}')

  test('hides what stands there in YAML, and keeps the rest with its comments', () => {
    expect(redactor.text('x.yaml', '# fruit\na:\n  one: {colour: red}\n  two:\n    colour: [1, 2]\n    size: 1 # big\nlist: [x, y]\n')).toEqual({
      text: '# fruit\na:\n  one: { colour: ***HIDDEN*** }\n  two:\n    colour: ***HIDDEN***\n    size: 1 # big\nlist: [ x, ***HIDDEN*** ]\n'.replaceAll(
        '***HIDDEN***',
        '"***HIDDEN***"',
      ),
      counts: { 'y.yaml.0': 2, 'y.yaml.1': 1 },
    })
  })

  test('hides it in JSON, as text and as a value', () => {
    const value = { a: { one: { colour: 'red' } }, list: ['x', 'y', 'z'] }
    const expected = { a: { one: { colour: '***HIDDEN***' } }, list: ['x', '***HIDDEN***', 'z'] }
    expect(JSON.parse(redactor.text('x.json', JSON.stringify(value)).text)).toEqual(expected)
    expect(redactor.json('x.json', value)).toEqual({ value: expected, counts: { 'y.yaml.0': 1, 'y.yaml.1': 1 } })
    expect(value.list[1]).toBe('y')
  })

  test.each([
    ['x.yaml', 'a: [\n'],
    ['x.yaml', 'b: 1 # nothing here\n'],
    ['x.json', '{"b":1}'],
    ['x.json', '{'],
    ['x.log', 'a: {one: {colour: red}}\n'],
  ])('leaves %s as it is: %j', (name, text) => {
    expect(redactor.text(name, text).text).toBe(text)
  })
})

describe('a redactor file that is wrong', () => {
  test.each([
    [
      '- name: r\n  removals: {regex: [{redactor: "(?=a)"}]}',
      'Cannot use redactor file "fruit.yaml": spec.redactors[0].removals.regex[0].redactor of redactor "r", "(?=a)": "(?=" is look-around',
    ],
    [
      '- name: r\n  removals: {regex: [{redactor: a, selector: "["}]}',
      'spec.redactors[0].removals.regex[0].selector of redactor "r", "[": it has a "[" without a "]"',
    ],
    ['- name: r\n  fileSelector: {file: "{a"}', 'spec.redactors[0].fileSelector.file of redactor "r", "{a": it has a "{" without a "}"'],
    ['- name: r\n  removals: {values: [""]}', 'spec.redactors[0].removals.values[0] of redactor "r", "": an empty value is found everywhere'],
    ['- name: r\n  removals: {values: ["a\\nb"]}', 'values are looked for within one line'],
    ['- name: r\n  removals: {values: [1]}', 'spec.redactors[0].removals.values[0] of redactor "r", 1: '],
    ['- name: r\n  removal: {values: [a]}', 'spec.redactors[0] of redactor "r"'],
    ['- removals: {regex: [{selector: a}]}', 'spec.redactors[0].removals.regex[0].redactor, absent: '],
  ])('%s', (redactors, message) => {
    expect(() => redactorOf(redactors)).toThrow(message)
  })

  test.each([
    [null, 'Cannot use redactor file "x.yaml": the document, null: '],
    [{ apiVersion: 'v1', kind: 'Redactor', spec: {} }, 'apiVersion, "v1": '],
    [{ apiVersion: 'troubleshoot.sh/v1beta2', kind: 'SupportBundle', spec: {} }, 'kind, "SupportBundle": '],
    [{ apiVersion: 'troubleshoot.sh/v1beta2', kind: 'Redactor' }, 'spec, absent: '],
  ])('%j', (document, message) => {
    expect(() => makeRedactor({ files: [{ name: 'x.yaml', document }] })).toThrow(message)
  })
})
