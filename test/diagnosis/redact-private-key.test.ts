import { describe, expect, test } from 'vitest'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'

const redactor = makeRedactor()
const redact = (text: string) => redactor.text('a.log', text).text
const body = [
  'MadeUp0SecretMadeUp0SecretMadeUp0SecretMadeUp0SecretMadeUp0Secre',
  'MadeUp0SecretMadeUp0SecretMadeUp0SecretMadeUp0SecretMadeUp0Secre',
  'MadeUp0Secret0==',
]
const pem = (label: string) => [`-----BEGIN ${label}-----`, ...body, `-----END ${label}-----`]
const key = pem('PRIVATE KEY')

describe('a private key', () => {
  test.each(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'PGP PRIVATE KEY BLOCK'])(
    '%s',
    (label) => {
      expect(redact(`a\n${pem(label).join('\n')}\nb\n`)).toBe('a\n***HIDDEN***\nb\n')
    },
  )

  test.each(['CERTIFICATE', 'PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE REQUEST', 'PGP PUBLIC KEY BLOCK'])('%s stays', (label) => {
    const text = `a\n${pem(label).join('\n')}\nb\n`
    expect(redact(text)).toBe(text)
  })

  test.each([
    ['indented', key.map((line) => `    ${line}`).join('\n'), '    ***HIDDEN***\n'],
    [
      'behind the prefix of a logger',
      key.map((line) => `2026-11-23T21:00:00Z stderr F ${line}`).join('\n'),
      '2026-11-23T21:00:00Z stderr F ***HIDDEN***\n',
    ],
    ['with CRLF', key.join('\r\n'), '***HIDDEN***\r\n'],
    ['in YAML', `tls:\n  key: |\n${key.map((line) => `    ${line}`).join('\n')}\n  port: 1`, 'tls:\n  key: |\n    ***HIDDEN***\n  port: 1'],
    ['in a JSON string', JSON.stringify({ k: key.join('\n'), z: 1 }), '{"k":"***HIDDEN***","z":1}'],
    [
      'in JSON in a JSON string',
      JSON.stringify({ log: JSON.stringify({ k: `${key.join('\n')}\n`, z: 1 }) }),
      String.raw`{"log":"{\"k\":\"***HIDDEN***\\n\",\"z\":1}"}`,
    ],
    ['in source code', key.map((line) => `  "${line}\\n" +`).join('\n'), '  "***HIDDEN***\\n" +\n\\n" +'],
    [
      'wrapped narrowly, behind the prefix of a logger',
      [key[0], 'MIIEvQIBADANBgkq', 'hkiG9w0BAQEFAASC', 'BKcwggSj', key[4]].map((line) => `2026-11-23T21:00:00Z stderr F ${line}`).join('\n'),
      '2026-11-23T21:00:00Z stderr F ***HIDDEN***\n',
    ],
    [
      'only mentioned, before lines of one word',
      `no ${key[0]} here\nMissing\nMinimal\nMaximum\n`,
      'no ***HIDDEN*** here\nMissing\nMinimal\nMaximum\n',
    ],
    ['with headers', [key[0], 'Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,0123', '', ...key.slice(1)].join('\n'), '***HIDDEN***\n'],
    ['on one line', key.join(' '), '***HIDDEN***'],
    ['two in a row', [...key, ...key].join('\n'), '***HIDDEN***\n***HIDDEN***\n'],
    ['with lines of others between', [key[0], body[0], 'GET / 200', body[1], body[2], key[4], 'next'].join('\n'), '***HIDDEN***\nGET / 200\nnext'],
    [
      'cut off, with other lines after it',
      [...key.slice(0, 3), 'a b', 'c d', 'e f', 'g h', body[0]].join('\n'),
      `***HIDDEN***\na b\nc d\ne f\ng h\n${body[0]}`,
    ],
    ['only mentioned', 'no -----BEGIN PRIVATE KEY----- in file\none\ntwo two\n', 'no ***HIDDEN*** in file\none\ntwo two\n'],
    [
      'followed by a certificate before its end',
      [key[0], body[0], ...pem('CERTIFICATE')].join('\n'),
      ['***HIDDEN***', ...pem('CERTIFICATE')].join('\n'),
    ],
    ['whose beginning was cut off', ['a line', ...key.slice(2), 'b'].join('\n'), 'a line\n***HIDDEN***\nb'],
    ['in base64', `tls.key: ${btoa(key.join('\n'))}`, 'tls.key: ***HIDDEN***'],
  ])('%s', (_, text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  test.each([8, 12, 16, 20])('wrapped at %i columns', (width) => {
    const lines = `MIIE${body.join('')}`.match(new RegExp(`.{1,${width}}`, 'g')) ?? []
    expect(redact(['a', key[0], ...lines, key[4], 'b'].join('\n'))).toBe('a\n***HIDDEN***\nb')
  })

  test('in base64: a certificate stays', () => {
    const text = `tls.crt: ${btoa(pem('CERTIFICATE').join('\n'))}`
    expect(redact(text)).toBe(text)
  })

  test('without an end is given up after 65536 characters, with a mark', () => {
    const many = Array.from({ length: 1100 }, () => body[0])
    const { text } = redactor.text('a.log', [key[0], ...many].join('\n'))
    expect(text).toMatch(/^\*\*\*HIDDEN\*\*\*\n\*\*\*HIDDEN: a private key without an end within 65536 characters was dropped\*\*\*\n/)
    expect(text.length).toBeLessThan((1100 - 65_536 / 65 + 10) * 65)
  })

  test('is counted once', () => {
    expect(redactor.text('a.log', key.join('\n')).counts).toEqual({ 'private-key': 1 })
  })
})
