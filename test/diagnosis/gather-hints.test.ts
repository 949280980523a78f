import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hintsFor } from '../../src/diagnosis/gather/hints.ts'
import { mayBeAsked } from '../../src/diagnosis/gather/may-be-asked.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { captured, gatherOf } from './gather-world.ts'

const redactor = makeRedactor()
const said = (checks: readonly { readonly name: string; readonly param?: string }[]) => checks.map(({ name, param }) => `${name}=${param}`).join(' ')
const hints = (log: string, container: object = {}, podIP = '10.1.2.3') => {
  const pod = { metadata: { name: 'shop' }, spec: { containers: [{ name: 'app', ...container }] }, status: { podIP } } as unknown as RawPod
  return said(hintsFor(pod, 'app', log, redactor))
}

describe('hints of real pods', () => {
  test.each([
    ['restricted', 'dns=bananas.fruit http=http://bananas.fruit:8080'],
    ['healthy-caller', 'dns=bananas http=http://bananas:8080'],
    ['target-port', 'dns=stock http=http://stock:8080/'],
    ['name-unknown', 'dns=stock.warehouse.svc.cluster.local http=http://stock.warehouse.svc.cluster.local:8080/'],
    ['tls-expired', 'dns=stock http=https://stock:8443/'],
    ['backend-silent', 'dns=stock http=http://stock:8080/'],
    ['readonly', 'dns=bananas http=http://bananas:8080'],
    ['healthy-readonly', 'dns=bananas http=http://bananas:8080'],
    ['healthy-shared', 'dns=bananas http=http://bananas:8080'],
    // Its own port, where it has run for long enough.
    ['oom-killed', 'listening=8080'],
  ])('%s', async (name, expected) => {
    expect(said((await gatherOf(captured(name))).gathered.hints)).toBe(expected)
  })
})

test('a URL whose port may be the beginning of a password names no neighbour', () => {
  const env = (value: string) => hints('', { env: [{ name: 'STOCK_URL', value }] })
  expect(env('https://user:0/made-up-hunter2@stock/v2')).toBe('')
  expect(env('https://user:made-up-hunter2@stock:8080/v2')).toBe('dns=stock http=https://stock:8080/v2')
  expect(env('https://stock/users/@alice')).toBe('dns=stock http=https://stock/users/@alice')
})

describe('a URL under which others find the program is no neighbour', () => {
  test.each([
    'PUBLIC_URL',
    'APP_URL',
    'BASE_URL',
    'SITE_URL',
    'GF_SERVER_ROOT_URL',
    'NEXTAUTH_URL',
    'EXTERNAL_URL',
    'SHOP_PUBLIC_URL',
    'FRONTEND_URL',
  ])('%s', (name) => {
    expect(hints('', { env: [{ name, value: 'https://shop.example/' }] })).toBe('')
  })
  test.each(['CORS_ORIGINS', 'ALLOWED_ORIGINS', 'DJANGO_ALLOWED_HOSTS', 'CSRF_TRUSTED_ORIGINS', 'OAUTH_REDIRECT_URI', 'LOGIN_CALLBACK_URL'])(
    '%s',
    (name) => {
      expect(hints('', { env: [{ name, value: 'https://shop.example,https://admin.shop.example' }] })).toBe('')
    },
  )
  test('nor is one of a flag', () => {
    expect(hints('', { args: ['--web.external-url=https://metrics.example/', '--redirect-url=https://shop.example/back'] })).toBe('')
  })
  test.each(['STOCK_URL', 'STOCK_BASE_URL', 'API_URL', 'SERVICE_URL', 'WEBHOOK_URL', 'PAYMENTS_ROOT_URL', 'UPSTREAM_URL'])('but %s', (name) => {
    expect(hints('', { env: [{ name, value: 'http://stock:8080' }] })).toBe('dns=stock http=http://stock:8080')
  })
  test('and the log may complain of it', () => {
    const env = [{ name: 'PUBLIC_URL', value: 'https://shop.example/' }]
    expect(hints('ERROR GET https://shop.example/health: connection refused', { env })).toBe('dns=shop.example http=https://shop.example')
  })
})

describe('what whoever writes into a log could choose', () => {
  const line = 'ERROR bad referer "http://localhost:9999/admin/delete" and "http://cart:8080/admin/delete?all=1"'

  test('is no path, and nothing on the loopback', () => {
    expect(hints(line)).toBe('dns=cart http=http://cart:8080')
  })

  test('but a path of a server that the spec names is asked', () => {
    const env = [{ name: 'CART_URL', value: 'http://cart:8080' }]
    expect(hints('ERROR GET http://cart:8080/v1/items: 500', { env })).toBe('dns=cart http=http://cart:8080/v1/items http=http://cart:8080')
  })
})

describe('whether a host may be asked', () => {
  test.each([
    '169.254.169.254',
    '169.254.170.2',
    '2852039166',
    '0xa9fea9fe',
    '0xa9.254.169.254',
    '169.254.43518',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '224.0.0.1',
    '239.255.255.250',
    '255.255.255.255',
    'fe80::1',
    '[febf::1]',
    '[ff02::1]',
    'ff05::2',
    '[fd00:ec2::254]',
    '[fd00:ec2::23]',
    '[FD00:0EC2:0:0:0:0:0:0023]',
    '[fd00:c1::a9fe:a9fe]',
    '[fd00:42::42]',
    '[fd20:ce::254]',
    '[2002:a9fe:a9fe::1]',
    '[2002:a9fe:1:2:3:4:5:6]',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:1]',
    '[::ffff:0:a9fe:a9fe]',
    '[::a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::a9fe:a9fe]',
    '[::ffff:e000:1]',
    'metadata',
    'Metadata.google.internal.',
    'metadata.goog',
    'instance-data.ec2.internal',
    '[::1%eth0]',
  ])('%s: no', (host) => {
    expect(mayBeAsked(host)).toBe(false)
  })

  test.each([
    'stock',
    'stock.shop.svc.cluster.local.',
    '_sip.example',
    '10.0.0.5',
    '169.253.1.1',
    '100.100.100.201',
    '223.255.255.255',
    '[fd00::1]',
    '[fd00:ec3::254]',
    '[fd00:c1::1]',
    '[fd00:42::43]',
    '[2001:db8::a9fe:a9fe]',
    '[2002:a00:1::1]',
    '[::1]',
    '[::ffff:10.0.0.5]',
    '[64:ff9b::a00:5]',
    'metadata.shop',
  ])('%s: yes', (host) => {
    expect(mayBeAsked(host)).toBe(true)
  })
})

describe('a line of a log', () => {
  test.each([
    ['dial tcp: lookup db.shop.svc on 10.96.0.10:53: no such host', 'dns=db.shop.svc'],
    ['Error: getaddrinfo ENOTFOUND cache', 'dns=cache'],
    ['java.net.UnknownHostException: queue.shop', 'dns=queue.shop'],
    ['could not translate host name "pg" to address: Name or service not known', 'dns=pg'],
    ['Error: lookup cache on 10.96.0.10:53: server misbehaving', 'dns=cache'],
    ['dial tcp: lookup cache: i/o timeout', 'dns=cache'],
    ['curl: (6) Could not resolve host: cache', 'dns=cache'],
    ["wget: bad address 'cache'", 'dns=cache'],
    ['cannot resolve feed.other.svc.cluster.local: [Errno -3] Temporary failure in name resolution', 'dns=feed.other.svc.cluster.local'],
    ['level=info msg=lookup succeeded key=17', ''],
    ['cache lookup failed for key cart-17, asking the database', ''],
    ['level=warn msg="lookup rejected" status=429', ''],
    ['error: lookup failed: key cart-17', ''],
    ['could not resolve host names of 3 peers', ''],
    ['java.net.UnknownHostException: failed to resolve it', ''],
    ['level=warn msg="put off" status=429 url=http://geo:5050/v2/lookup', 'dns=geo http=http://geo:5050'],
    ['could not connect to server: postgres://app:***@pg:5433/shop refused', 'dns=pg tcp=pg:5433'],
    ['failed: mongodb://u:p@m-0:27017,m-1:27018/x timed out', 'dns=m-0 tcp=m-0:27017 dns=m-1 tcp=m-1:27018'],
    ['redis://cache/0 unavailable', 'dns=cache tcp=cache:6379'],
    ['connection to broker-1.kafka:9092 refused', 'dns=broker-1.kafka tcp=broker-1.kafka:9092'],
    ['main.go:120: error status:500 line:33 pid:1234', ''],
    ['    at connect (net.js:1024:12) failed', ''],
    ['GET "http://cart/items?user=7&sig=abc#x" failed', 'dns=cart http=http://cart'],
    ['failed http://admin:pa55w0rd@cart:8080/x', 'dns=cart http=http://cart:8080'],
    ['POST http://cart/orders: 500 error', 'dns=cart http=http://cart'],
    ['error https://chat.example/services/T00/B00/a1b2c3d4e5f6g7h8i9j0k1l2', 'dns=chat.example http=https://chat.example'],
    ['cannot GET http://169.254.169.254/latest/meta-data', ''],
    ['cannot GET http://2852039166/latest', ''],
    ['cannot GET http://[::ffff:169.254.169.254]/', ''],
    ['cannot GET http://metadata.google.internal/x', ''],
    ['listening on http://0.0.0.0:8080', ''],
    ['serving at http://localhost:8080/ since start', ''],
    ['error: see https://docs.example.com/errors/12', ''],
  ])('%s', (line, expected) => {
    expect(hints(line)).toBe(expected)
  })

  test('that speaks of trouble comes before the spec, and that before the rest', () => {
    const env = [{ name: 'A_URL', value: 'http://a' }]
    expect(hints('calm http://c\nerror http://b: refused\ncalm http://d', { env })).toBe(
      'dns=b http=http://b dns=a http=http://a dns=d http=http://d dns=c http=http://c',
    )
  })

  test('can name many, of which the first eight are looked at', () => {
    const log = Array.from({ length: 40 }, (_, at) => `error http://host-${at}`).join('\n')
    expect(
      hints(log)
        .split(' ')
        .filter((hint) => hint.startsWith('http=')),
    ).toHaveLength(8)
  })
})

describe('a server that the spec names in parts', () => {
  const env = (values: Readonly<Record<string, string>>) => ({ env: Object.entries(values).map(([name, value]) => ({ name, value })) })
  const parts = env({ BILLING_HOST: 'billing', BILLING_PORT: '9443' })

  test.each([
    ['is one by host and port', parts, 'dns=billing tcp=billing:9443'],
    ['is a name where it has no port', env({ FEED_HOST: 'feed.other.svc' }), 'dns=feed.other.svc'],
    ['is not what the container binds to', env({ BIND_HOST: 'shop-0', HOST: 'web', PUBLIC_HOST: 'shop.example', X_HOST: 'true' }), ''],
    ['is an URL in an argument', { ...parts, args: ['curl https://$BILLING_HOST:$BILLING_PORT/v2'] }, 'dns=billing http=https://billing:9443/v2'],
    [
      'is asked without a path that is for POST',
      { ...parts, args: ['curl -X POST https://$(BILLING_HOST):9443/v2'] },
      'dns=billing http=https://billing:9443',
    ],
    ['is none without its value', { args: ['curl https://$OTHER/v2'] }, ''],
  ])('%s', (_, container, expected) => {
    expect(hints('', container)).toBe(expected)
  })

  test('is asked by TLS where the log says that TLS fails', () => {
    expect(hints('curl: (60) SSL certificate problem: certificate has expired', parts)).toBe('dns=billing http=https://billing:9443')
    const database = env({ DB_ADDR: 'pg:5432', BILLING_ADDR: 'billing:9000' })
    expect(hints('curl: (60) SSL certificate problem: certificate has expired', database)).toBe(
      'dns=pg tcp=pg:5432 dns=billing http=https://billing:9000',
    )
    const others = env({ CART_ADDR: 'cart:8080', BILLING_ADDR: 'billing:9000' })
    expect(hints('ERROR certificate has expired', others)).toBe('dns=cart tcp=cart:8080 dns=billing tcp=billing:9000')
    expect(hints('ERROR connect to billing:9000: certificate has expired', others)).toBe(
      'dns=billing http=https://billing:9000 dns=cart tcp=cart:8080',
    )
    expect(hints('', env({ BILLING_ADDR: 'billing:443' }))).toBe('dns=billing http=https://billing')
  })

  test('reaches no hint with what is secret', () => {
    const secret = env({ API_TOKEN: 'made-up-hunter2', API_HOST: 'api', HOOK: 'made-up-hunter2' })
    expect(hints('', { ...secret, args: ['curl https://$API_HOST/$API_TOKEN https://$API_HOST/$HOOK'] })).not.toContain('hunter2')
  })
})

describe('where names are not resolved and none is known', () => {
  const line = 'feed skipped: [Errno -3] Temporary failure in name resolution'

  test('one that each cluster has is asked', () => {
    expect(hints(line)).toBe('dns=kubernetes.default.svc')
    expect(hints('feed skipped: [Errno -2] Name or service not known')).toBe('')
  })

  test('one of a Service in the spec comes before it, and one that is known before both', () => {
    const args = ['socket.getaddrinfo("feed.other.svc.cluster.local", 80)']
    expect(hints(line, { args })).toBe('dns=feed.other.svc.cluster.local')
    expect(hints(line, { args, env: [{ name: 'CART_URL', value: 'http://cart' }] })).toBe('dns=cart http=http://cart')
  })
})

test('what is secret in a value reaches no hint', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9]{16,30}$/)
  const forms = [
    (text: string) => `https://user:${text}@api.example/v2`,
    (text: string) => `https://${text}@api.example/`,
    (text: string) => `https://api.example/v2?key=${text}`,
    (text: string) => `https://api.example/#${text}`,
    (text: string) => `amqps://u:${text}@queue.example`,
  ]
  fc.assert(
    fc.property(secret, fc.constantFrom(...forms), fc.boolean(), (text, form, inLog) => {
      const value = form(text)
      const found = inLog ? hints(`error ${value}: refused`) : hints('', { env: [{ name: 'X', value }], args: [`--url=${value}`] })
      expect(found).not.toContain(text.toLowerCase())
      expect(found).not.toContain(text)
      expect(found).toMatch(/(api|queue)\.example/)
    }),
  )
})

test('any text is read in time and gives parameters that a check takes', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('error http://', 'lookup ', 'connect to a:', 'redis://'),
      (text, before) => {
        for (const hint of hints(`${before}${text}`).split(' ').filter(Boolean)) expect(hint).toMatch(/^(dns|tcp|http)=[!-~]{1,500}$/)
      },
    ),
  )
  const began = performance.now()
  for (const text of ['a.'.repeat(5000), 'http://'.repeat(2000), 'a:1,'.repeat(3000), `lookup ${'a-'.repeat(5000)}`])
    hints(`error ${text}\n`.repeat(20))
  expect(performance.now() - began).toBeLessThan(3000)
})
