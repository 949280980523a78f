import { expect, test } from 'vitest'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'

const redactor = makeRedactor()

/** Starts of what the rules look for, and never its end: repeated on one line, they make careless patterns take quadratic time. */
const seeds = [
  'a',
  ' ',
  '"',
  '\\',
  ',',
  '@://',
  'x://a:',
  'x://a:b@',
  'http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@',
  'a:@tcp',
  'a:bbbb@',
  ' a:bbbb@b:5',
  'curl -u ',
  'eyJ',
  ' eyJaaaaaaaaa',
  '\\neyJ',
  'authorization: digest ',
  'authorization: ',
  'bearer ',
  'cookie: a=',
  'x-api-key: ',
  'token',
  'token:{{',
  'token=[',
  'token=["a",',
  '["a",',
  'token\u001b[0m',
  'token\u001b[0m=\u001b[1m',
  'm[0;',
  'token=["a",',
  'token={"value":"',
  'token={value: {',
  'key=a value=',
  'token="{',
  'token: the ',
  "token='",
  'pwd=/',
  'password=\\"',
  'password=,',
  '"name":"password',
  'name=a value=',
  '<password ',
  '<password>',
  'identified by ',
  '?token=',
  '&key=a',
  '%3a%2f%2fa%3a',
  '\\u0026code=a',
  '-----BEGIN PRIVATE KEY-----',
  '-----BEGIN PRIVATE KEY-----x-----END PRIVATE KEY-----',
  'LS0tLS1CRUdJTi',
  'auth":"YWFh',
  'ad_a_a',
  'sk-',
  '1234567890:AA',
  '  evidence: ***HIDDEN***  ',
]

/** Milliseconds of CPU, the least of three runs: other work on the machine does not count. */
const leastCpu = (length: number, seed: string): number => {
  const line = seed.repeat(Math.ceil(length / seed.length)).slice(0, length)
  const times = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage()
    redactor.text('a.log', `token=x ${line}\n`)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...times)
}

/** Eight times the length takes eight times the work where that is linear, and 64 times where it is quadratic. Small times are noise. */
test.each(seeds)('a line of %j takes time in proportion to its length', (seed) => {
  const [small, large] = [leastCpu(65_536, seed), leastCpu(524_288, seed)]
  expect(large / Math.max(small, 2)).toBeLessThan(8 * 3)
})
