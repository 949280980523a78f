import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { certificate, certificateChain, inDays } from './diagnostics-certificates.ts'
import { listen, stopServers } from './diagnostics-servers.ts'
import { Diagnostics, type Point } from './diagnostics-userland.ts'

describe('what http tells of time and trust', () => {
  const pod = new Diagnostics('busybox', needs('busybox'))
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  const root = join(proc, '1/root')
  const chain = certificateChain()
  afterAll(() => {
    stopServers()
    pod.remove()
    rmSync(proc, { recursive: true })
  })

  /** Files of the target, beside its names. */
  function target(files: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}): void {
    rmSync(join(proc, '1'), { recursive: true, force: true })
    for (const [path, text] of Object.entries({ '/etc/hosts': '127.0.0.1 localhost stock\n', ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    const pairs = Object.entries(environment).map(([name, value]) => `${name}=${value}\0`)
    writeFileSync(join(proc, '1/environ'), pairs.join(''))
  }

  const check = (...checks: string[]) => pod.report(`--proc=${proc}`, ...checks)
  const idsOf = (points: readonly Point[]) => points.map(({ ok, diag }) => (ok ? 'ok' : `${diag?.severity} ${diag?.id?.replace(/:\d+/, '')}`))
  const secure = (certificates: string): Promise<number> =>
    listen(createTlsServer({ key: chain.key, cert: certificates }, (_, answer) => answer.end('ok')))
  const dated = (ms: number, more: Readonly<Record<string, string>> = {}): RequestListener => {
    return (_, answer) => answer.writeHead(200, { date: new Date(Date.now() + ms).toUTCString(), ...more }).end()
  }
  const hour = 3_600_000

  test.each<[string, RequestListener, readonly string[], RegExp]>([
    ['agree', dated(0), ['ok'], /^# clocks agree within [01] s$/m],
    ['differ by half a minute', dated(-30_000), ['ok'], /^# clocks agree within (29|30|31) s$/m],
    [
      'are behind',
      dated(-2 * hour),
      ['ok', 'warn http/localhost/skew'],
      /the clocks of localhost and this node differ by (2 h 0|1 h 59) min .* behind ours/,
    ],
    ['are ahead', dated(3 * 24 * hour), ['ok', 'warn http/localhost/skew'], /differ by [23] days .* ahead of ours/],
    ['tell the time of a cache', dated(-2 * hour, { age: '7200' }), ['ok'], /answered 200 OK/],
    ['are not told', (_, answer) => answer.writeHead(200, { date: 'never' }).end(), ['ok'], /answered 200 OK/],
  ])('compares clocks that %s', async (_, server, ids, words) => {
    target({})
    const { points, text } = await check(`http=http://localhost:${await listen(createServer(server))}/`)
    expect(idsOf(points)).toEqual(ids)
    expect(text).toMatch(words)
  })

  test('compares the clocks of a server that fails, after that', async () => {
    target({})
    const port = await listen(createServer((_, answer) => answer.writeHead(503, { date: new Date(0).toUTCString() }).end()))
    expect(idsOf((await check(`http=http://localhost:${port}/`)).points)).toEqual(['error http/localhost/503', 'warn http/localhost/skew'])
  })

  test('tells an answer that is late from none, and shows the times', async () => {
    target({})
    // The check's clock counts hundredths of a second, and may begin with one that is almost over.
    const late = await listen(createServer((_, answer) => void setTimeout(() => answer.end(), 5200)))
    const { points, text } = await check(`http=http://localhost:${late}/`)
    expect(idsOf(points)).toEqual(['warn http/localhost/slow'])
    expect(points[0]?.name).toMatch(/is slow: 200 OK came after 5(19|[2-9]\d)\d ms$/)
    expect(text).toMatch(/^# times of GET http:\/\/localhost:\d+\/: name \d+ ms, connection \d+ ms, first byte 5(19|[2-9]\d)\d ms$/m)
  })

  test('finds TLS where the URL says http, and names other protocols', async () => {
    target({})
    const plain = async (words: string): Promise<number> =>
      listen(createTcpServer((socket) => void socket.on('error', () => {}).once('data', () => socket.write(words))))
    const ports = [
      await secure(chain.leaf + chain.intermediate),
      await plain('220 mail.fruit ESMTP\r\n'),
      await plain("-ERR unknown command 'GET'\r\n"),
    ]
    const { points, text } = await check(...ports.map((port) => `http=http://localhost:${port}/`), `http=http://localhost:${ports[0]}`)
    expect(points.map(({ name }) => name.replace(/\d{4,}/g, 'N'))).toEqual([
      'GET http://localhost:N/ fails: localhost port N speaks TLS, the URL says http',
      'GET http://localhost:N/ got no HTTP answer: localhost port N speaks SMTP',
      'GET http://localhost:N/ got no HTTP answer: localhost port N speaks the protocol of Redis',
      'GET http://localhost:N fails: localhost port N speaks TLS, the URL says http',
    ])
    expect(text).not.toContain('ESMTP')
  })

  test.each([
    ['a server of HTTP/2 alone, as gRPC', '000006040000000000000500004000', 'ok', 'http/localhost/no-http'],
    ['one without settings', '000000040000000000', 'ok', 'http/localhost/no-http'],
    ['no other bytes', '060504', 'http/localhost/no-http', 'http/localhost/no-http'],
  ])('passes %s, where the URL names no path', async (_, bytes, bare, path) => {
    target({})
    const port = await listen(
      createTcpServer((socket) => void socket.on('error', () => {}).once('data', () => socket.end(Buffer.from(bytes, 'hex')))),
    )
    const { points } = await check(`http=http://localhost:${port}`, `http=http://localhost:${port}/`, `http=http://localhost:${port}/v1/traces`)
    expect(points.map(({ diag }) => diag?.id?.replace(/:\d+/, '') ?? 'ok')).toEqual([bare, bare, path])
  })

  test.each([
    ['TLSv1', 'TLS 1.0'],
    ['TLSv1.1', 'TLS 1.1'],
  ] as const)('tells a server that speaks %s at most', async (version, words) => {
    target({})
    const options = { key: chain.key, cert: chain.leaf + chain.intermediate, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }
    const { points } = await check(`http=https://localhost:${await listen(createTlsServer(options))}/`)
    expect(idsOf(points)).toEqual(['warn http/localhost/tls-version'])
    expect(points[0]?.name).toContain(`speaks ${words} at most`)
  })

  test('tells a server that wants a certificate of its client, and not one that can do without', async () => {
    target({})
    symlinkSync(execFileSync('sh', ['-c', 'command -v openssl'], { encoding: 'utf8' }).trim(), join(pod.path, 'openssl'))
    const asks = (rejectUnauthorized: boolean) =>
      createTlsServer(
        { key: chain.key, cert: chain.leaf + chain.intermediate, requestCert: true, rejectUnauthorized, maxVersion: 'TLSv1.2' },
        (_, answer) => answer.end(),
      )
    const { points } = await check(`http=https://localhost:${await listen(asks(true))}/`, `http=https://localhost:${await listen(asks(false))}/`)
    rmSync(join(pod.path, 'openssl'))
    expect(idsOf(points)).toEqual(['warn http/localhost/client-certificate', 'ok'])
  })

  test('tells why a redirect leads nowhere, and what to look at', async () => {
    const port = await listen(createServer((_, answer) => answer.writeHead(302, { location: 'file:///etc/passwd' }).end()))
    target({})
    const { points } = await check(`http=http://localhost:${port}/`)
    expect(points.map(({ diag }) => diag)).toMatchObject([
      {
        id: `http/localhost:${port}/redirect`,
        cause: expect.stringMatching(/sends a wrong Location$/),
        next: expect.stringMatching(/rules for redirects/),
      },
    ])
  })

  test('takes an interim answer for none', async () => {
    target({})
    const answer = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 500 Internal Server Error\r\n\r\n'
    const port = await listen(createTcpServer((socket) => void socket.on('error', () => {}).once('data', () => socket.end(answer))))
    expect(idsOf((await check(`http=http://localhost:${port}/`)).points)).toEqual(['error http/localhost/500'])
  })

  test('shows by whom a certificate was issued, and the time that TLS took', async () => {
    target({})
    const { points, text } = await check(`http=https://localhost:${await secure(chain.leaf + chain.intermediate)}/`)
    expect(idsOf(points)).toEqual(['ok'])
    expect(text).toContain("# certificate of localhost: issued by Fruit Middle, chain of 2, issued by 'Fruit Root', which is not sent")
    expect(text).toMatch(/^# times of GET .*: name \d+ ms, connection \d+ ms, TLS \d+ ms/m)
  })

  test.each<[string, string, RegExp]>([
    [
      'without its intermediate authority',
      chain.leaf,
      /chain of certificates of localhost is incomplete, of 1, issued by 'Fruit Middle', which is not sent/,
    ],
    ['with another one', chain.leaf + chain.root, /is broken, 'Fruit Root' is sent where 'Fruit Middle' belongs/],
  ])('warns of a chain %s', async (_, certificates, words) => {
    target({ '/etc/ssl/certs/ca-certificates.crt': chain.root })
    const { points } = await check(`http=https://localhost:${await secure(certificates)}/`)
    expect(idsOf(points)).toEqual(['warn http/localhost/certificate-chain', 'ok'])
    expect(points[0]?.name).toMatch(words)
  })

  test.each([
    ['of a month with two days left', -28, 2, ['warn http/localhost/certificate-expires', 'ok']],
    ['of a month with five days left', -25, 5, ['ok']],
    ['of a year with six days left', -359, 6, ['warn http/localhost/certificate-expires', 'ok']],
    ['of a day, just made', -0.1, 0.9, ['ok']],
  ])('warns of a certificate that should have been renewed: %s', async (_, from, until, ids) => {
    target({})
    const port = await listen(createTlsServer(certificate(inDays(from), inDays(until)), (_, answer) => answer.end()))
    expect(idsOf((await check(`http=https://localhost:${port}/`)).points)).toEqual(ids)
  })

  describe('looks for the issuer among the authorities of the target', () => {
    const other = certificate(inDays(-1), inDays(30))
    const system = '/etc/ssl/certs/ca-certificates.crt'
    const unknown = ['info http/localhost/certificate-issuer', 'ok']

    test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, readonly string[]]>([
      ['where it is', { [system]: `${other.cert}${chain.root}` }, {}, ['ok']],
      ['where it is not', { [system]: `${other.cert}` }, {}, unknown],
      ['where a variable names the file', { [system]: `${other.cert}`, '/trust/ca.pem': chain.root }, { SSL_CERT_FILE: '/trust/ca.pem' }, ['ok']],
      ['where a variable names another', { '/trust/ca.pem': `${other.cert}` }, { NODE_EXTRA_CA_CERTS: '/trust/ca.pem' }, unknown],
      ['where there is no such file', {}, {}, ['ok']],
    ])('%s', async (_, files, environment, ids) => {
      target(files, environment)
      const { points, text } = await check(`http=https://localhost:${await secure(chain.leaf + chain.intermediate)}/`)
      expect(idsOf(points)).toEqual(ids)
      expect(text).not.toContain('/trust')
    })

    test('behind a link that begins at the root of the target', async () => {
      target({ '/etc/pki/bundle.pem': chain.root })
      mkdirSync(dirname(join(root, system)), { recursive: true })
      symlinkSync('/etc/pki/bundle.pem', join(root, system))
      expect(idsOf((await check(`http=https://localhost:${await secure(chain.leaf + chain.intermediate)}/`)).points)).toEqual(['ok'])
    })

    test('and tells of one that is self-signed', async () => {
      target({ [system]: chain.root })
      const own = certificate(inDays(-1), inDays(30))
      const port = await listen(createTlsServer(own, (_, answer) => answer.end()))
      const { points } = await check(`http=https://localhost:${port}/`)
      expect(points[0]?.name).toContain('the certificate of localhost is self-signed, an unknown authority')
    })
  })

  test('sees what https answers where the image has openssl', async () => {
    target({})
    symlinkSync(execFileSync('sh', ['-c', 'command -v openssl'], { encoding: 'utf8' }).trim(), join(pod.path, 'openssl'))
    const failing = createTlsServer({ key: chain.key, cert: chain.leaf + chain.intermediate, minVersion: 'TLSv1.3' }, (_, answer) =>
      answer.writeHead(503).end(),
    )
    const silent = createTlsServer({ key: chain.key, cert: chain.leaf + chain.intermediate }, () => {})
    const [fails, stays] = [await listen(failing), await listen(silent)]
    const { points, text } = await check(`http=https://localhost:${fails}/`, `http=https://localhost:${stays}/`)
    rmSync(join(pod.path, 'openssl'))
    expect(idsOf(points)).toEqual(['error http/localhost/503', 'error http/localhost/no-answer'])
    expect(text).toMatch(/^# times of GET .*: name \d+ ms, connection \d+ ms, TLS \d+ ms, first byte \d+ ms$/m)
  })

  test('names the ports that the service has, where the URL has another', async () => {
    target({}, { STOCK_SERVICE_HOST: '10.96.1.2', STOCK_PORT_8080_TCP_PORT: '8080', STOCK_PORT: 'tcp://10.96.1.2:8080' })
    const port = await listen(createServer())
    stopServers()
    const { points } = await check(`http=http://stock:${port}/`, `tcp=stock:${port}`)
    const cause = expect.stringContaining(`the service has port 8080, not ${port}`)
    expect(points).toMatchObject([{ diag: { cause } }, { diag: { cause } }])
  })

  test('mtu passes where a packet that fills the MTU is answered, and says why it cannot tell', async () => {
    target({})
    const good = await listen(createServer((_, answer) => answer.end()))
    const silent = await listen(createTcpServer((socket) => void socket.on('error', () => {}).resume()))
    const { points } = await check(`mtu=localhost:${good}`, `mtu=localhost:${silent}`, 'mtu=localhost:1', 'mtu=169.254.169.254:80')
    expect(points.map(({ ok, skip, name }) => (ok ? (skip ?? name) : name))).toEqual([
      expect.stringMatching(/^packets of up to \d+ bytes reach localhost port \d+ \(127\.0\.0\.1\)$/),
      'the server takes the connection and does not answer a small packet either',
      'no connection is made; tcp=localhost:1 tells why',
      expect.stringContaining('link-local'),
    ])
  })

  test('mtu finds that only small packets are answered, and what still passes', async () => {
    target({})
    // What loses packets by their size looks like this from outside.
    const port = await listen(
      createTcpServer(
        (socket) => void socket.on('error', () => {}).on('data', (bytes) => void (bytes.length <= 1300 && socket.end('HTTP/1.1 400 Bad\r\n\r\n'))),
      ),
    )
    const { points } = await check(`mtu=localhost:${port}`)
    expect(points).toMatchObject([{ ok: false, diag: { id: `mtu/localhost:${port}/black-hole`, severity: 'error' } }])
    const [, least, most] = /: (\d+) bytes do not arrive, (\d+) do/.exec(points[0]?.name ?? '') ?? []
    expect(Number(most)).toBeLessThanOrEqual(1352)
    expect(Number(least)).toBeGreaterThan(1352)
  })
})
