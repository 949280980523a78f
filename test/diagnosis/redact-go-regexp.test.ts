import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { goRegExp, matchesOf } from '../../src/diagnosis/redact/go-regexp.ts'

interface Result {
  readonly pattern: string
  readonly refused?: boolean
  readonly names?: readonly string[]
  readonly found?: readonly (readonly (readonly number[])[])[]
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../fixtures/redact/${name}`, import.meta.url), 'utf8'))
const { inputs } = read('go-regexp-cases.json') as { readonly inputs: readonly string[] }
const results = read('go-regexp.json') as readonly Result[]

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
