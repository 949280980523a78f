import { describe, expect, test } from 'vitest'
import { authorKeysOf, isOurs, principalOf } from '../../src/diagnosis/accept/webhooks/tracker-event.ts'
import { markedText } from '../../src/ports/tracker/marked-text.ts'

describe('authorKeysOf', () => {
  test.each([
    [583231, 'octocat', ['id:583231', 'octocat']],
    ['5b10a2844c20165700ede21g', undefined, ['id:5b10a2844c20165700ede21g']],
    [undefined, 'mia', ['mia']],
    [1, '', ['id:1']],
    [2, 'id:1', ['id:2']],
    [2, 'ID:1', ['id:2']],
    [undefined, undefined, []],
  ])('of %j and %j', (id, name, keys) => {
    expect(authorKeysOf(id, name)).toEqual(keys)
  })
})

describe('principalOf', () => {
  const users = { octocat: 'shop-team', 'id:583231': 'on-call', Mia: 'ops' }

  test.each([
    [['id:583231', 'octocat'], 'on-call'],
    [['id:1', 'octocat'], 'shop-team'],
    [['id:1', 'OctoCat'], 'shop-team'],
    [['mia'], 'ops'],
    [['id:1', 'someone'], undefined],
    [['ID:583231'], undefined],
    [['o\u212atocat'], undefined],
    [['constructor'], undefined],
    [['__proto__'], undefined],
    [[], undefined],
  ])('of %j', (keys, principal) => {
    expect(principalOf(users, keys)).toBe(principal)
  })

  test('does not take a letter for one that looks the same', () => {
    // The sign of the kelvin is a k, once it is in lower case.
    expect(principalOf({ kate: 'ops' }, ['\u212aate'])).toBeUndefined()
  })
})

describe('isOurs', () => {
  test('knows a note of ours', async () => {
    expect(isOurs((await markedText('ad-01hzy3v8kq5m7n9p2r4t', 'It answers 500')).whole)).toBe(true)
  })

  test('does not take a quotation of one for one', async () => {
    const { whole } = await markedText('ad-01hzy3v8kq5m7n9p2r4t', 'It answers 500')
    expect(isOurs(whole.replace(/^/gm, '> '))).toBe(false)
  })
})
