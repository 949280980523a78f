import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'

const redactor = makeRedactor()
const json = (value: unknown) => redactor.json('pods/fruit.json', value).value

describe('json()', () => {
  test.each([
    ['a string by the rules', { message: 'dial postgres://a:made-up@db: refused' }, { message: 'dial postgres://a:***HIDDEN***@db: refused' }],
    ['a whole value by its key', { dbPassword: 'made "up"\nwords', user: 'a' }, { dbPassword: '***HIDDEN***', user: 'a' }],
    ['a list of values', { token: ['made-up', 'made-up-too'] }, { token: ['***HIDDEN***', '***HIDDEN***'] }],
    ['an environment variable', { env: [{ name: 'API_TOKEN', value: 'x' }] }, { env: [{ name: 'API_TOKEN', value: '***HIDDEN***' }] }],
    [
      'a header of a probe',
      { httpHeaders: [{ name: 'Authorization', value: 'Basic x' }] },
      { httpHeaders: [{ name: 'Authorization', value: '***HIDDEN***' }] },
    ],
    ['an argument', { args: ['--password', 'x', '--token=made-up', '-v'] }, { args: ['--password', '***HIDDEN***', '--token=***HIDDEN***', '-v'] }],
    ['the value of an object', { password: { value: 'x', from: 'vault' } }, { password: { value: '***HIDDEN***', from: 'vault' } }],
    [
      'JSON in an annotation',
      { a: JSON.stringify({ spec: { env: [{ name: 'DB_PASSWORD', value: 'x' }] } }) },
      { a: JSON.stringify({ spec: { env: [{ name: 'DB_PASSWORD', value: '***HIDDEN***' }] } }) },
    ],
  ])('hides %s', (_, value, expected) => {
    expect(json(value)).toEqual(expected)
  })

  test.each([
    ['projections of tokens', { projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] } }],
    [
      'references to secrets',
      { secretName: 'db', secret: { secretName: 'db', items: [{ key: 'password', path: 'p' }] }, imagePullSecrets: [{ name: 'regcred' }] },
    ],
    ['references in environment variables', { env: [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }] }],
    [
      'switches and numbers',
      { automountServiceAccountToken: true, tokenExpirationSeconds: 3600, token: null, password: 7, secret: '', x: { token: 'true' } },
    ],
    ['findings', { findings: [{ id: 'http/500', title: 'GET http://bananas:8080 answered 500 Internal Server Error', check: 'http' }] }],
  ])('keeps %s', (_, value) => {
    expect(json(value)).toEqual(value)
  })

  test('does not change what it is given, and counts', () => {
    const value = { password: 'made-up', log: 'token=made-up-0000' }
    const copy = structuredClone(value)
    expect(redactor.json('a.json', value).counts).toEqual({ 'password-pair': 2 })
    expect(value).toEqual(copy)
  })

  test('keeps the shape of any value, and changes nothing twice', () => {
    const shape = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shape)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, child]) => [key, shape(child)]))
          : typeof value
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = json(value)
        expect(shape(once)).toEqual(shape(value))
        expect(json(once)).toEqual(once)
      }),
    )
  })
})
