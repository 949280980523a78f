import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { complainAboutCheckPattern, matchesCheck } from '../../src/diagnosis/admit/check-pattern.ts'

const allowed = (pattern: string, text: string) => {
  const [name = '', ...param] = text.split('=')
  return matchesCheck(pattern, param.length > 0 ? { name, param: param.join('=') } : { name })
}

describe('matchesCheck allows', () => {
  test.each([
    ['*', 'http=http://anything'],
    ['http', 'http=http://anything'],
    ['http=*', 'http=http://anything:1/x?y'],
    ['d*s=db*', 'dns=db.shop'],
    ['tcp=*.shop:5432', 'tcp=db.shop:5432'],
    ['http=http://*.example:8080/*', 'http=http://a.b.example:8080/x/y?z=1'],
    ['http=http://*.example:8080/*', 'http=http://a.example:8080'],
    ['http=http://stock', 'http=http://stock/'],
    ['http=http://stock/', 'http=http://STOCK:80'],
    ['http=https://stock:443/', 'http=https://stock'],
    ['http=http*://stock:*/*', 'http=https://stock:8443/x'],
    ['http=http://stock:80*/health', 'http=http://stock:8081/health'],
    ['http=http://stock/items?id=*', 'http=http://stock/items?id=7'],
    ['http=http://[fd00::1]:8080/*', 'http=http://[fd00::1]:8080/x'],
    ['http=http://*:*/*', 'http=http://stock/%2e%2e%2f'],
    ['http=http://10.0.0.*:*/*', 'http=http://10.0.0.5:9/x'],
  ])('by %s the check %s', (pattern, text) => {
    expect(allowed(pattern, text)).toBe(true)
  })
})

describe('matchesCheck denies', () => {
  test.each([
    ['http=http://*.example:8080/*', 'http=http://10.0.0.5/.example:8080/x'],
    ['http=http://*.example:8080/*', 'http=http://10.0.0.5?.example:8080/x'],
    ['http=http://*.example:8080/*', 'http=http://10.0.0.5#.example:8080/x'],
    ['http=http://*.example:8080/*', 'http=http://10.0.0.5\\.example:8080/x'],
    ['http=http://*.example:8080/*', 'http=http://a.example:8080@10.0.0.5/x'],
    ['http=http://*.example:8080/*', 'http=http://10.0.0.5@a.example:8080/x'],
    ['http=http://*.example:8080/*', 'http=http://10.0.0.5%2f.example:8080/x'],
    ['http=http://*.example:8080/*', 'http=http://a.example:80/'],
    ['http=http://*.example:8080/*', 'http=https://a.example:8080/'],
    ['http=http://stock*', 'http=http://stock.evil.example:8080/'],
    ['http=http://stock:8080/*', 'http=http://stock.evil.example:8080/'],
    ['http=http://stock:8080/*', 'http=http://stock:80801/'],
    ['http=http://stock:8080/*', 'http=http://stock./'],
    ['http=http://stock', 'http=http://stock:8080/'],
    ['http=http://stock', 'http=http://stock/admin'],
    ['http=http://stock/health', 'http=http://stock/health?all=1'],
    ['http=http://stock/*.json', 'http=http://stock/admin?.json'],
    ['http=http://stock/public/*', 'http=http://stock/public/../admin'],
    ['http=http://stock/public/*', 'http=http://stock/public/%2e%2e/admin'],
    ['http=http://stock/public/*', 'http=http://stock/public/..%2fadmin'],
    ['http=http://stock/public/*', 'http=http://stock/public/..%5cadmin'],
    ['http=http://stock/public/*', 'http=http://stock/admin/../public/x'],
    ['http=http://stock/public/*', 'http=http://stock\\public\\x'],
    ['http=http://127.0.0.1/*', 'http=http://2130706433/'],
    ['http=http://127.0.0.1/*', 'http=http://0x7f.1/'],
    ['http=http://*.1/*', 'http=http://10.1/'],
    ['http=*://stock/', 'http=http:stock/'],
    ['http=*stock*', 'http=http://evil/stock'],
    ['*=*stock*', 'http=http://evil/stock'],
    ['dump=store*', 'dump=store://evil'],
    ['http=http://stock', 'http'],
    ['http', 'dns=http'],
    ['http=http://stock', 'https=http://stock'],
  ])('by %s the check %s', (pattern, text) => {
    expect(allowed(pattern, text)).toBe(false)
  })
})

test('a bounded host is the host that is asked, whatever the URL', () => {
  const part = fc.constantFrom('.example', 'evil', ':8080', '/', '\\', '?', '#', '@', '.', '..', '%2f', '[', ']', ' ', '\t', 'a', ':', '*', '۱', '。')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const param = `http://${parts.join('')}`
      if (!matchesCheck('http=http://*.example:8080/*', { name: 'http', param })) return
      expect(new URL(param)).toMatchObject({ hostname: expect.stringMatching(/\.example$/), port: '8080' })
      expect(param).toMatch(/^http:\/\/[^/?#@\\]*\.example:8080(?=$|[/?])/)
    }),
    { numRuns: 5000 },
  )
})

test.each(['http=stock*', 'http=http*', '*=http:/*', 'http=http://user@stock/', 'dump=https://'])('the pattern %s is told to be none', (pattern) => {
  expect(complainAboutCheckPattern(pattern)).toContain('is no pattern of a URL; expected such as')
})

test.each(['*', 'http', 'http=*', 'dns=db*', 'http=http://*.example:8080/*', 'http=https://stock'])('the pattern %s is one', (pattern) => {
  expect(complainAboutCheckPattern(pattern)).toBeUndefined()
})
