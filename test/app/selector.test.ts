import { describe, expect, it } from 'vitest'
import { complainAboutSelector } from '../../src/diagnosis/accept/target.ts'

describe('complainAboutSelector', () => {
  it.each([
    'app=cart',
    'app==cart',
    'app = cart',
    'tier!=web',
    'app=',
    'app',
    '!canary',
    'app.kubernetes.io/name=cart,tier',
    'app in (cart,shop),tier notin (web)',
    'app in ( cart , shop )',
    'app in ()',
    'App_1.x=V-1.2_3',
  ])('takes %j', (selector) => {
    expect(complainAboutSelector(selector)).toBeUndefined()
  })

  it.each([
    '',
    ',',
    'app=cart,',
    '=cart',
    'app=a b',
    'app=(a)',
    'app in a',
    'app in (a',
    'app in (a,b',
    'a/b/c=d',
    '/a=b',
    '-a=b',
    'a=b;c=d',
    'app>3\n',
    `${'x'.repeat(64)}=a`,
    `a=${'x'.repeat(64)}`,
  ])('refuses %j, quoting the part', (selector) => {
    expect(complainAboutSelector(selector)).toMatch(/^".*" is no label requirement; expected such as/s)
  })

  it('refuses quickly what is made to take long', () => {
    const before = performance.now()
    for (const selector of [
      `a in (${',   '.repeat(200)}!`,
      `a=${' '.repeat(990)}!`,
      `a in (${' '.repeat(900)}`,
      `${'a-'.repeat(400)}/`,
      `${'('.repeat(900)},`,
    ]) {
      expect(complainAboutSelector(selector)).toBeDefined()
    }
    expect(performance.now() - before).toBeLessThan(500)
  })
})
