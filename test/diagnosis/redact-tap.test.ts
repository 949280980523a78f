import { expect, test } from 'vitest'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { TapReader } from '../../src/diagnosis/seal/tap-findings.ts'

const token = 'ghp_MadeUp0SecretMadeUp0SecretMadeUp0'
const document = {
  apiVersion: 'troubleshoot.sh/v1beta2',
  kind: 'Redactor',
  spec: { redactors: [{ name: 'fruit', removals: { values: ['durian'] } }] },
}
const redactor = makeRedactor({ files: [{ name: 'fruit.yaml', document }] })

test.each([
  [`${token} was refused`, '***HIDDEN*** was refused'],
  [token, '***HIDDEN***'],
  [`${token}: it said "no" # really`, '***HIDDEN***: it said "no" # really'],
  [`"${token} was refused"`, '***HIDDEN*** was refused'],
  [`the server refused ${token}`, 'the server refused ***HIDDEN***'],
  ['durian was refused', '***HIDDEN*** was refused'],
])('a finding whose evidence is %s stays whole', (evidence, expected) => {
  const block = [
    '  ---',
    '  check: http',
    '  id: http/token',
    '  severity: warn',
    `  evidence: ${evidence}`,
    `  cause: ${token}`,
    '  next: renew it',
    '  ...',
  ]
  const tap = `${['TAP version 14', 'not ok 1 - refused', ...block, '1..1'].join('\n')}\n`
  const whole = redactor.text('log', tap).text
  for (let at = 0; at <= tap.length; at++) {
    const stream = redactor.open('log')
    expect(stream.push(tap.slice(0, at)) + stream.push(tap.slice(at)) + stream.flush()).toBe(whole)
  }
  expect(redactor.text('log', whole).text).toBe(whole)
  const reader = new TapReader()
  reader.push(whole)
  expect(reader.finish().findings).toMatchObject([
    { id: 'http/token', severity: 'warn', evidence: expected, cause: '***HIDDEN***', next: 'renew it' },
  ])
})
