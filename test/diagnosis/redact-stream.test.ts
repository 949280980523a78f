import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { rules } from '../../src/diagnosis/redact/rules.ts'

const name = 'logs/fruit/apples/app.log'
const document = {
  apiVersion: 'troubleshoot.sh/v1beta2',
  kind: 'Redactor',
  metadata: { name: 'test' },
  spec: {
    redactors: [
      {
        name: 'fruit',
        removals: { values: ['durian'], regex: [{ redactor: '(?i)(ripe=)(?P<mask>\\d+)' }, { selector: '^peel', redactor: '(?P<drop>.*)(\\r?)' }] },
      },
    ],
  },
}
const redactors = { 'the built-in rules': makeRedactor(), 'a redactor file too': makeRedactor({ files: [{ name: 'fruit.yaml', document }] }) }

const key = `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,00000000000000000000000000000000

MadeUp0SecretMadeUp0SecretMadeUp0SecretMadeUp0SecretMadeUp0Secre
MadeUp0SecretMadeUp0SecretMadeUp0SecretMadeUp0SecretMadeUp0Secre
MadeUp0=
-----END RSA PRIVATE KEY-----`

const nasty = [
  'plain 😀 line with é and 日本語',
  'password=made-up 😀\r',
  '',
  'peel',
  'all of this goes\r',
  'peel',
  'peel',
  'a durian, Ripe=42',
  key,
  'stderr F -----BEGIN PRIVATE KEY----- is missing',
  '- name: DB_PASSWORD',
  '  value: made-up 😀',
  '- --token',
  '- made-up-0000',
  'token: |',
  '  made',
  '  up',
  'end: 1',
  key.replaceAll('\n', '\r\n'),
  '{"k":"-----BEGIN PRIVATE KEY-----\\nMadeUp0SecretMadeUp0SecretMadeUp0\\n-----END PRIVATE KEY-----\\n"}',
  'http://apples:made-up@bananas:8080 \ud83d',
  '\ude00 lone halves \udc00',
  'Authorization: Bearer made-up-0000-made-up',
  '-----BEGIN CERTIFICATE-----',
  'MIIBpublicMIIBpublicMIIBpublicMIIBpublicMIIBpublic',
  '-----END CERTIFICATE-----',
  '  evidence: ghp_MadeUp0SecretMadeUp0SecretMadeUp0 was "refused"\r',
  'password=made-up at the very end',
].join('\n')

function through(redactor: (typeof redactors)[keyof typeof redactors], pieces: readonly string[]) {
  const stream = redactor.open(name)
  const text = pieces.map((piece) => stream.push(piece)).join('') + stream.flush()
  return { text, counts: stream.counts }
}

const pieces = (text: string, cuts: readonly number[]) => {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}

const line = fc.oneof(
  fc.constantFrom(
    ...nasty.split('\n'),
    ...rules.map((rule) => rule.example),
    'begin',
    '-----BEGIN PGP PRIVATE KEY BLOCK-----',
    '-----END PGP PRIVATE KEY BLOCK-----',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', "'", 'password', '=', ':', ' ', '\r', 'token', '{', '://', '@', '😀', '\ud83d', 'a', '-'),
    maxLength: 12,
  }),
  fc.constantFrom(key, key.replaceAll('\n', '\r\n'), key.replace(/^/gm, '2026-11-23T21:00:00Z stderr F ')),
)
const texts = fc.tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('', '\n', '\r\n')).map(([lines, end]) => lines.join('\n') + end)

describe.each(Object.entries(redactors))('a stream, with %s', (_, redactor) => {
  const whole = through(redactor, [nasty])

  test('hides what it should', () => {
    expect(whole.text).not.toMatch(/made|MadeUp/)
    expect(whole.text).toContain('MIIBpublic')
    expect(whole.text).toContain('plain 😀 line')
  })

  test('gives the same at every split point of a nasty text', () => {
    for (let at = 0; at <= nasty.length; at++) expect(through(redactor, [nasty.slice(0, at), nasty.slice(at)])).toEqual(whole)
    expect(through(redactor, nasty.split(''))).toEqual(whole)
  })

  test('gives the same however a text is cut', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 20 }), (text, cuts) => {
        expect(through(redactor, pieces(text, cuts))).toEqual(through(redactor, [text]))
      }),
      { numRuns: 500 },
    )
  })

  test('continues in a fresh stream wherever it is neutral', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 20 }), (text, cuts) => {
        let stream = redactor.open(name)
        let out = ''
        for (const piece of pieces(text, cuts)) {
          out += stream.push(piece)
          if (stream.neutral) stream = redactor.open(name)
        }
        expect(out + stream.flush()).toBe(through(redactor, [text]).text)
      }),
      { numRuns: 500 },
    )
  })

  test('changes nothing when it reads its own output', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...nasty.split('\n').filter((some) => !/peel|durian/i.test(some)), ...rules.map((rule) => rule.example)), {
          maxLength: 12,
        }),
        (lines) => {
          const once = through(redactor, [lines.join('\n')]).text
          expect(through(redactor, [once]).text).toBe(once)
        },
      ),
    )
  })

  test('is neutral at the start and between ordinary lines, not within a line', () => {
    const stream = redactor.open(name)
    expect(stream.neutral).toBe(true)
    stream.push('half a')
    expect(stream.neutral).toBe(false)
    stream.push(' line\n')
    expect(stream.neutral).toBe(true)
    stream.push('-----BEGIN PRIVATE KEY-----\n')
    expect(stream.neutral).toBe(false)
    stream.push('MadeUp0SecretMadeUp0SecretMadeUp0\n-----END PRIVATE KEY-----\n')
    expect(stream.neutral).toBe(true)
    stream.push('- name: DB_PASSWORD\n')
    expect(stream.neutral).toBe(false)
    stream.push('  value: x\n')
    expect(stream.neutral).toBe(true)
  })

  test('tells the same as text()', () => {
    expect(redactor.text(name, nasty)).toEqual(whole)
  })
})

describe('a line of more than 65536 characters', () => {
  const mark = '***HIDDEN: a line of more than 65536 characters was dropped***'
  const redactor = redactors['the built-in rules']

  test.each([
    ['the longest that may be', 65_536, false],
    ['one more', 65_537, true],
    ['many more', 300_000, true],
  ])('%s', (_, length, dropped) => {
    const text = `before\n${'x'.repeat(length)}\nafter\n`
    const expected = dropped ? `before\n${mark}\nafter\n` : text
    for (const size of [1000, 4096, 65_535, 65_536, 65_537, 65_538, 70_000, text.length]) {
      const cut = Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size))
      expect(through(redactor, cut)).toEqual({ text: expected, counts: dropped ? { overlong: 1 } : {} })
    }
  })

  test('is dropped at the end too, and where several follow', () => {
    const long = 'y'.repeat(65_537)
    expect(through(redactor, [`${long}\n${long}\nshort\n${long}`])).toEqual({ text: `${mark}\n${mark}\nshort\n${mark}`, counts: { overlong: 3 } })
  })

  test('is not held: neutral comes back with the next line', () => {
    const stream = redactor.open(name)
    stream.push('z'.repeat(65_537))
    expect(stream.neutral).toBe(false)
    expect(stream.push('more\n')).toBe(`${mark}\n`)
    expect(stream.neutral).toBe(true)
  })

  test('may be up to 1048576 characters in a whole text, as a pod in compact JSON is', () => {
    const text = `{"a":"${'x'.repeat(200_000)}","password":"made-up"}`
    expect(redactor.text('pod.json', text).text).toBe(text.replace('made-up', '***HIDDEN***'))
  })
})
