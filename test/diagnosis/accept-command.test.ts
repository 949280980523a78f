import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commandRemarks, commandUsage, parseCommand } from '../../src/diagnosis/accept/command.ts'
import { parseRequest } from '../../src/diagnosis/accept/request.ts'

const pod = 'shop/cart-57bcf49487-ddmpn'

describe('parseCommand', () => {
  test.each([
    ['/diagnose shop/cart-1', { pod: 'shop/cart-1' }],
    ['/diagnose   shop/cart-1  ', { pod: 'shop/cart-1' }],
    ['/diagnose shop/deployment/cart', { workload: 'shop/deployment/cart' }],
    ['/diagnose shop/app=cart', { selector: 'shop/app=cart' }],
    ['/diagnose shop/app.kubernetes.io/name=cart', { selector: 'shop/app.kubernetes.io/name=cart' }],
    ['/diagnose "shop/app in (cart, till)"', { selector: 'shop/app in (cart, till)' }],
    ['/diagnose shop/!canary', { selector: 'shop/!canary' }],
    ['/diagnose cart', { pod: 'cart' }],
  ])('reads the target of %s', (text, command) => {
    expect(parseCommand(text)).toEqual(command)
  })

  test.each([
    ['--container app', { container: 'app' }],
    ['--profile restricted', { profile: 'restricted' }],
    ['--check dns --check http=http://x:8080', { checks: ['dns', 'http=http://x:8080'] }],
    ['--check=dns', { checks: ['dns'] }],
    ['--check=http=http://x:8080/?a=b', { checks: ['http=http://x:8080/?a=b'] }],
    ['--cluster main', { cluster: 'main' }],
    ['--reason "slow since noon"', { reason: 'slow since noon' }],
    ['--reason="slow since noon"', { reason: 'slow since noon' }],
    ["--reason 'slow since noon'", { reason: 'slow since noon' }],
    ['--reason “slow since noon”', { reason: 'slow since noon' }],
    ['--reason „slow since noon“', { reason: 'slow since noon' }],
    ['--reason ‘slow since noon’', { reason: 'slow since noon' }],
    ['--reason «slow since noon»', { reason: 'slow since noon' }],
    ['--reason “it doesn’t answer”', { reason: 'it doesn’t answer' }],
    ["--reason 'it doesn't answer'", { reason: "it doesn't answer" }],
    ["--reason doesn't", { reason: "doesn't" }],
    ['--reason "says \\"no\\" and \\\\"', { reason: 'says "no" and \\' }],
    ['--reason "--slow"', { reason: '--slow' }],
    ['--reason=--slow', { reason: '--slow' }],
    ['--check `http=http://x:8080`', { checks: ['http=http://x:8080'] }],
    ['--check http="http://x:8080/a b"', { checks: ['http=http://x:8080/a b'] }],
    ['—check dns', { checks: ['dns'] }],
    ['–check dns', { checks: ['dns'] }],
    ['–-check=dns', { checks: ['dns'] }],
    ['-check dns', { checks: ['dns'] }],
    ['--Check dns', { checks: ['dns'] }],
    ['--check\u00a0dns', { checks: ['dns'] }],
    ['--cluster main <!-- mine -->', { cluster: 'main' }],
    ['--cluster main <!-- --cluster other', { cluster: 'main' }],
  ])('reads %s', (options, fields) => {
    expect(parseCommand(`/diagnose ${pod} ${options}`)).toEqual({ pod, ...fields })
  })

  test('takes options before the target', () => {
    expect(parseCommand(`/diagnose --check dns ${pod}`)).toEqual({ pod, checks: ['dns'] })
  })

  test('takes a target in backticks', () => {
    expect(parseCommand(`/diagnose \`${pod}\``)).toEqual({ pod })
  })

  test.each([
    ['', 'Name one target'],
    ['help', 'Name one target'],
    ['--help', 'Usage: /diagnose NAMESPACE/POD'],
    [`${pod} it is slow`, 'One target is expected, given are "shop/cart-57bcf49487-ddmpn", "it", "is", "slow"'],
    [`${pod} --chekc dns`, 'Unknown option --chekc; the options are --container, --profile, --check, --cluster, --reason'],
    [`${pod} --report redmine:1`, 'A command has no --report: the answer lands on the issue that it stands on'],
    [`${pod} --report=redmine:1`, 'A command has no --report: the answer lands on the issue that it stands on'],
    [`${pod} --check`, 'Option --check needs a value, as in --check dns=cart.shop.svc'],
    [`${pod} --check=`, 'Option --check needs a value'],
    [`${pod} --check ""`, 'Option --check needs a value'],
    [`${pod} --check --cluster main`, 'Option --check needs a value'],
    [`${pod} --cluster main --cluster other`, 'Option --cluster is given twice'],
    [`${pod} --reason "slow`, 'The quotation that begins with "slow has no end'],
    [`${pod} --reason ${'x'.repeat(4000)}`, 'A command has at most 4000 characters'],
    [`${pod} --__proto__ x`, 'One target is expected'],
    [`${pod} --constructor x`, 'Unknown option --constructor'],
  ])('says what is wrong with %s', (words, complaint) => {
    expect(parseCommand(`/diagnose ${words}`)).toEqual(expect.arrayContaining([expect.stringContaining(complaint)]))
  })

  test('says all that is wrong at once, within bounds', () => {
    const said = parseCommand(`/diagnose --profile --cluster ${'--x y '.repeat(50)}`) as string[]
    expect(said[0]).toContain('--profile needs a value')
    expect(said[1]).toContain('--cluster needs a value')
    expect(said).toHaveLength(5)
  })

  test('says why a line that may be quoted was not run', () => {
    expect(parseCommand(`> it is slow\n/diagnose ${pod}`)).toEqual([
      `"/diagnose ${pod}" was not run; leave an empty line above it: as it is, it may be a part of the quotation, code or link above`,
    ])
  })

  test('is undefined for a text without a command', () => {
    expect(parseCommand('Thank you\n\n> /diagnose shop/cart-1')).toBeUndefined()
  })

  test('takes the first command, and says that there are more', () => {
    const text = '/diagnose shop/cart-1\n/diagnose shop/cart-2\n'
    expect(parseCommand(text)).toEqual({ pod: 'shop/cart-1' })
    expect(commandRemarks(text)).toEqual(['Only the first of 2 commands counts; write one comment for each'])
    expect(commandRemarks('/diagnose shop/cart-1')).toEqual([])
  })

  test('has a usage that it understands itself', () => {
    const [line = ''] = commandUsage.split(';')
    const text = line.replaceAll('…', '').replaceAll(/[[\]]/g, '')
    expect(parseCommand(text)).toMatchObject({ pod: 'NAMESPACE/POD', container: 'NAME', reason: 'WORDS', checks: ['NAME=PARAMETER'] })
  })

  test('makes a body that is accepted as a request', () => {
    const command = parseCommand(`/diagnose ${pod} --container app --profile restricted --check dns=x --cluster main --reason “slow”`)
    const parsed = parseRequest(command, {
      clusters: ['main'],
      extraChecks: [],
      toolsets: {},
      trackers: new Map(),
      redactor: { text: (_, text) => ({ text, counts: {} }) },
    })
    expect(parsed).toMatchObject({ ok: true, value: { target: { namespace: 'shop' }, checks: [{ name: 'dns', param: 'x' }], reason: 'slow' } })
  })
})

describe('any text', () => {
  const words = fc.array(
    fc.oneof(fc.string(), fc.constantFrom('--check', '—reason', 'a=b', '"', '“', '’', "'", '`', '=', '\\', '--', 'shop/cart', '<!--', '__proto__')),
  )

  test('is read without a throw, and no field but the known ones comes of it', () => {
    const known = ['pod', 'workload', 'selector', 'container', 'profile', 'checks', 'cluster', 'reason']
    fc.assert(
      fc.property(words, (list) => {
        const command = parseCommand(`/diagnose ${list.join(' ')}`)
        if (Array.isArray(command)) expect(command.join('').length).toBeLessThan(2000)
        else expect(known).toEqual(expect.arrayContaining(Object.keys(command ?? {})))
      }),
    )
  })

  test('of a value comes through quotation marks as it is', () => {
    const value = fc.string({ minLength: 1 }).filter((text) => !/[\r\n]|<!--/.test(text))
    fc.assert(
      fc.property(value, (text) => {
        const quoted = `"${text.replace(/[\\"]/g, '\\$&')}"`
        expect(parseCommand(`/diagnose ${pod} --reason ${quoted}`)).toEqual({ pod, reason: text })
      }),
    )
  })
})
