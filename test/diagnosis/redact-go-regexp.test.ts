import { describe, expect, test } from 'vitest'
import { goRegExp, matchesOf } from '../../src/diagnosis/redact/go-regexp.ts'
import found from '../fixtures/redact/go-regexp.json?raw'
import cases from '../fixtures/redact/go-regexp-cases.json?raw'

interface Result {
  readonly pattern: string
  readonly refused?: boolean
  readonly names?: readonly string[]
  readonly found?: readonly (readonly (readonly number[])[])[]
}

const { inputs } = JSON.parse(cases) as { readonly inputs: readonly string[] }
const results = JSON.parse(found) as readonly Result[]

describe('goRegExp(), beside what Go itself found', () => {
  test.each(results.filter((result) => !result.refused))('finds the same by $pattern', ({ pattern, names = [], found = [] }) => {
    const translated = goRegExp(pattern)
    expect(translated.groups).toEqual(names)
    inputs.forEach((input, index) => {
      const bytes = (end: number) => new TextEncoder().encode(input.slice(0, end)).length
      const spans = [...matchesOf(translated, input)].map((match) => (match.indices ?? []).flatMap((span) => (span ? span.map(bytes) : [-1, -1])))
      expect({ input, spans }).toEqual({ input, spans: found[index] })
    })
  })

  test.each(results.filter((result) => result.refused))('refuses $pattern, as Go does', ({ pattern }) => {
    expect(() => goRegExp(pattern)).toThrow(SyntaxError)
  })
})

describe('goRegExp() says what it cannot translate', () => {
  test.each([
    ['(?=a)', '"(?=" is look-around, which Go does not have'],
    [String.raw`(a)\1`, String.raw`"\1" is a back-reference, which Go does not have`],
    [String.raw`\C`, String.raw`"\C" is no escape that can be translated`],
    ['[[:foo:]]', '"[:foo:]" is no class'],
    ['(a', 'it has a "(" without a ")"'],
    ['a**', '"**" repeats a repetition'],
  ])('%s', (pattern, message) => {
    expect(() => goRegExp(pattern)).toThrow(message)
  })
})
