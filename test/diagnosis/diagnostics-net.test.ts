import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { certificate } from './diagnostics-certificates.ts'
import { closedPort, listen, nameserver, silentNameserver, stopServers } from './diagnostics-servers.ts'
import { Diagnostics, type Point } from './diagnostics-userland.ts'

const secret = 'sk_made_up_0123456789'
describe('checks of the network', () => {
  const busybox = needs('busybox')
  const pod = new Diagnostics('busybox', busybox)
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  const seen: string[] = []
  let web = 0
  let dns: Awaited<ReturnType<typeof nameserver>>

  beforeAll(async () => {
    web = await listen(
      createServer((request, response) => {
        seen.push(
          `${request.method} ${request.url} ${request.headers.host} ${request.headers.connection} ${request.headers['user-agent']} ${request.headers.authorization}`,
        )
        const path = new URL(request.url ?? '/', 'http://x').pathname
        const to: Record<string, string> = {
          '/metadata': 'http://169.254.169.254/latest/meta-data/',
          '/mapped': 'http://[::ffff:a9fe:a9fe]/',
          '/named': 'http://metadata.example/',
          '/once': '/ok',
          '/circle': '/circle',
          '/script': 'file:///etc/passwd',
        }
        const location = to[path]
        if (path === '/silent') return
        if (path === '/endless') {
          response.socket?.write('HTTP/1.1 200 OK\r\nx: ')
          const feed = setInterval(() => response.socket?.write('x'.repeat(65_536)), 1)
          response.socket?.on('close', () => clearInterval(feed))
          return
        }
        const code = ({ '/ok': 200, '/lost': 404, '/': 404, '/post-only': 405, '/limited': 429 } as Record<string, number>)[path] ?? 500
        response.writeHead(location ? 302 : code, location ? { location } : {})
        response.end(`body ${secret}`)
      }),
    )
    dns = await nameserver({
      'bananas.fruit.svc.cluster.local': '127.0.0.1',
      'headless.fruit.svc.cluster.local': '',
      'metadata.example': '169.254.169.254',
      'plain.example': '127.0.0.1',
    })
    setResolv(`nameserver 127.0.0.1:${dns.port}`)
  })
  afterAll(() => {
    stopServers()
    pod.remove()
    rmSync(proc, { recursive: true })
  })

  /** What the target's root shows, as the check sees it under /proc/PID/root. */
  function setResolv(servers: string): void {
    mkdirSync(join(proc, '1/root/etc'), { recursive: true })
    writeFileSync(join(proc, '1/root/etc/resolv.conf'), `search fruit.svc.cluster.local svc.cluster.local\noptions ndots:5\n${servers}\n`)
    writeFileSync(join(proc, '1/root/etc/hosts'), '127.0.0.1 localhost\n127.0.0.2 alias.example # the second\n')
  }

  async function check(...checks: string[]): Promise<{ points: readonly Point[]; text: string }> {
    const { text, points } = await pod.report(`--proc=${proc}`, ...checks)
    expect(text).not.toContain(secret)
    return { points, text }
  }

  test('http names the URL and the status of a server that fails', async () => {
    seen.length = 0
    const { points } = await check(`http=http://user:${secret}@localhost:${web}/a?token=${secret}&${secret}#${secret}`)
    expect(points).toMatchObject([
      {
        ok: false,
        name: `GET http://***@localhost:${web}/a?token=***&*** answered 500 Internal Server Error`,
        diag: { check: 'http', id: `http/localhost:${web}/500`, severity: 'error', evidence: expect.stringContaining('127.0.0.1') },
      },
    ])
    expect(seen).toEqual([`GET /a?token=${secret}&${secret} localhost:${web} close autodiagnose undefined`])
  })

  test('http passes 200, follows a redirect, and finds 404 and a circle', async () => {
    const url = `http://127.0.0.1:${web}`
    const { points } = await check(`http=${url}/ok`, `http=${url}/once`, `http=${url}/lost`, `http=${url}/circle`, `http=${url}/script`)
    expect(points.map(({ ok, diag }) => diag?.id ?? ok)).toEqual([
      true,
      true,
      `http/127.0.0.1:${web}/404`,
      `http/127.0.0.1:${web}/redirects`,
      `http/127.0.0.1:${web}/redirect`,
    ])
  })

  test('http passes a server that takes no GET, and only warns of one that limits', async () => {
    const url = `http://127.0.0.1:${web}`
    const { points } = await check(`http=${url}/post-only`, `http=${url}/limited`)
    expect(points).toMatchObject([{ ok: true }, { ok: false, diag: { id: `http/127.0.0.1:${web}/429`, severity: 'warn' } }])
  })

  test('http without a path asks only whether the server answers', async () => {
    const url = `http://127.0.0.1:${web}`
    const { points } = await check(`http=${url}`, `http=${url}/`)
    expect(points.map(({ ok, name }) => [ok, name.replace(/ \(\d+ ms\)$/, '')])).toEqual([
      [true, `GET ${url} answered, with 404 Not Found: it is reached, and no path is known`],
      [false, `GET ${url}/ answered 404 Not Found`],
    ])
  })

  test('http leaves a server of which no path is known for no other', async () => {
    const other = await listen(createServer((_, response) => response.writeHead(302, { location: `http://localhost:${web}/ok?a=b` }).end()))
    seen.length = 0
    const { points } = await check(`http=http://localhost:${other}`, `http=http://localhost:${other}/`)
    expect(points.map(({ name }) => name.replace(/ \(.*/, ''))).toEqual([
      `GET http://localhost:${other} answered 302 Found: it leads to http://localhost:${web}, which is not asked`,
      `GET http://localhost:${web}/ok?a=*** answered 200 OK`,
    ])
    expect(seen).toHaveLength(1)
  })

  test('http without a path takes no other name for the pod itself', async () => {
    seen.length = 0
    const { points } = await check(`http=http://bananas:${web}`, `http=http://bananas:${web}/ok`)
    expect(points).toMatchObject([{ ok: true, skip: 'not sent: 127.0.0.1 is an address of the pod itself' }, { ok: true }])
    expect(seen).toHaveLength(1)
  })

  test.each(['/metadata', '/mapped', '/named'])('http does not follow to a metadata address: %s', async (path) => {
    const { points } = await check(`http=http://127.0.0.1:${web}${path}`)
    expect(points).toMatchObject([{ ok: true, skip: expect.stringMatching(/^not sent: .* is a link-local address/) }])
  })

  test('http is not led from another host into the pod itself', async (context) => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal && !one.address.startsWith('169.254.'))?.address
    if (!address) return context.skip('because this machine has no address but localhost')
    const server = createServer((request, response) =>
      response.writeHead(302, { location: request.url === '/6' ? `http://[::ffff:7f00:1]:${web}/ok` : `http://localhost:${web}/ok` }).end(),
    )
    const port = await listen(server, address)
    const { points } = await check(`http=http://${address}:${port}/`, `http=http://${address}:${port}/6`)
    const skip = expect.stringContaining('is an address of the pod itself')
    expect(points).toMatchObject([{ skip }, { skip }])
  })

  test.each([
    'http://169.254.169.254/',
    'http://metadata.example/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://[FD00:0EC2:0:0::254]/',
    'http://[fd00:ec2::23]/',
    'http://[fd00:c1::a9fe:a9fe]/',
    'http://[fd00:42::42]/',
    'http://[2002:a9fe:a9fe::1]/',
    'http://[::ffff:0:a9fe:a9fe]/',
    'http://[ff02::1]/',
    'http://224.0.0.1/',
    'http://100.100.100.200/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://user@169.254.169.254:80/',
    'ftp://bananas/',
    'http://$(id)/',
  ])('http sends nothing to %s', async (url) => {
    const { points } = await check(`http=${url}`)
    expect(points).toMatchObject([{ ok: true, skip: expect.any(String) }])
  })

  test('http tells silence, refusal and an endless header apart', async () => {
    const closed = await closedPort()
    const { points, text } = await check(
      `http=http://localhost:${web}/silent`,
      `http=http://localhost:${closed}/`,
      `http=http://localhost:${web}/endless`,
    )
    expect(points.map(({ diag }) => diag?.id)).toEqual([`http/localhost:${web}/no-answer`, `http/localhost:${closed}/refused`, undefined])
    // Its status came before the header that never ends.
    expect(points[2]).toMatchObject({ ok: true, name: expect.stringContaining('answered 200 OK') })
    expect(text.length).toBeLessThan(10_000)
  })

  test('https says that nothing is answered before it is stopped itself, and does not ask again', async () => {
    let connections = 0
    const silent = await listen(
      createTcpServer((socket) => {
        connections++
        socket.on('error', () => {}).resume()
      }),
    )
    const { points } = await pod.run(`--proc=${proc}`, '--deadline=5', `http=https://localhost:${silent}/`)
    expect(points).toMatchObject([{ ok: false, diag: { id: `http/localhost:${silent}/no-answer` } }])
    expect(connections).toBe(1)
  })

  test('dns walks the search path as a libc does', async () => {
    dns.asked.length = 0
    const { points } = await check('dns=bananas', 'dns=plain.example.', 'dns=alias.example')
    expect(points.map(({ ok, name }) => [ok, name.replace(/\d+ ms/, 'N ms')])).toEqual([
      [true, 'DNS name bananas is 127.0.0.1 (N ms)'],
      [true, 'DNS name plain.example. is 127.0.0.1 (N ms)'],
      [true, 'DNS name alias.example is 127.0.0.2 (N ms)'],
    ])
    expect(dns.asked).toEqual(['bananas.fruit.svc.cluster.local A', 'bananas.fruit.svc.cluster.local AAAA', 'plain.example A', 'plain.example AAAA'])
  })

  test('dns shows how many names were asked in vain', async () => {
    expect((await check('dns=plain.example')).text).toMatch(/^# names that do not exist, asked before one that does: 2; ndots is 5.*\nok 1 - /m)
  })

  test('dns tells NXDOMAIN, SERVFAIL, silence and refusal apart', async () => {
    const nothere = (await check('dns=nothere')).points
    expect(nothere).toMatchObject([{ ok: false, name: 'DNS name nothere does not exist (NXDOMAIN)', diag: { id: 'dns/nothere/nxdomain' } }])
    const servfail = (await check('dns=servfail.example.')).points
    expect(servfail).toMatchObject([{ ok: false, diag: { id: 'dns/servfail.example./servfail' } }])
    const silent = (await check('http=http://silent:8080/')).points
    expect(silent).toMatchObject([
      { ok: false, name: expect.stringContaining('does not answer (timed out)'), diag: { check: 'dns', id: 'dns/nameserver/timeout' } },
    ])
    setResolv(`nameserver 127.0.0.1:${await closedPort()}`)
    const refused = (await check('dns=bananas')).points
    setResolv(`nameserver 127.0.0.1:${dns.port}`)
    expect(refused).toMatchObject([{ ok: false, diag: { id: 'dns/nameserver/refused' } }])
  })

  test('dns says that a name has no address though it does not exist further down the search path', async () => {
    const { points } = await check('dns=headless')
    expect(points).toMatchObject([{ ok: false, name: 'DNS name headless exists but has no address', diag: { id: 'dns/headless/no-address' } }])
  })

  test.each([
    ['the first', true],
    ['the second', false],
  ])('dns asks the other nameserver and warns of the dead one: %s', async (_, first) => {
    const [dead, good] = [`nameserver 127.0.0.1:${await silentNameserver()}`, `nameserver 127.0.0.1:${dns.port}`]
    setResolv((first ? [dead, good] : [good, dead]).join('\n'))
    const { points } = await check('dns=bananas')
    setResolv(good)
    const name = expect.stringMatching(/^nameserver 127\.0\.0\.1:\d+ does not answer, 1 of the 2 in resolv\.conf \(127\.0\.0\.1:\d+ timed out\)/)
    expect(points).toMatchObject([{ ok: true }, { ok: false, name, diag: { id: 'dns/nameserver/some', severity: 'warn' } }])
  })

  test('dns does not wait again for a nameserver that was silent, while another answers', async () => {
    setResolv(`nameserver 127.0.0.1:${await silentNameserver()}\nnameserver 127.0.0.1:${dns.port}`)
    const { points } = await pod.run(`--proc=${proc}`, '--deadline=12', 'dns=nothere', 'http=http://nothere/')
    setResolv(`nameserver 127.0.0.1:${dns.port}`)
    expect(points.map(({ diag }) => diag?.id)).toEqual(['dns/nothere/nxdomain', 'dns/nameserver/some', 'dns/nothere/nxdomain'])
  })

  test.each(['dns=nothere', 'http=http://nothere/'])('%s says that nameservers are silent before it is stopped itself', async (name) => {
    setResolv([await silentNameserver(), await silentNameserver(), await silentNameserver()].map((port) => `nameserver 127.0.0.1:${port}`).join('\n'))
    const { points, text } = await pod.run(`--proc=${proc}`, '--deadline=5', name)
    setResolv(`nameserver 127.0.0.1:${dns.port}`)
    expect(points).toMatchObject([{ ok: false, diag: { id: 'dns/nameserver/timeout' } }])
    expect(text).toContain('no time was left')
  })

  test('tcp tells open and refused apart', async () => {
    const closed = await closedPort()
    const { points } = await check(`tcp=bananas:${web}`, `tcp=127.0.0.1:${closed}`, 'tcp=169.254.169.254:80', 'tcp=bananas', 'tcp=nothere:80')
    expect(points.map(({ ok, skip, diag }) => [ok, diag?.id ?? skip !== undefined])).toEqual([
      [true, false],
      [false, `tcp/127.0.0.1:${closed}/refused`],
      [true, true],
      [true, true],
      [false, 'dns/nothere/nxdomain'],
    ])
  })

  test('https finds a certificate that has expired or is for another name', async () => {
    const good = await listen(createTlsServer(certificate('20200101000000Z', '20990101000000Z'), (_, response) => response.end('ok')))
    const old = await listen(createTlsServer(certificate('20200101000000Z', '20200201000000Z'), (_, response) => response.end('ok')))
    const { points } = await check(
      `http=https://localhost:${old}/`,
      `http=https://LocalHost:${good}/`,
      `http=https://127.0.0.1:${good}/`,
      `http=https://localhost:${web}/`,
    )
    expect(points[0]).toMatchObject({
      ok: false,
      name: expect.stringContaining(`https://localhost:${old}/ fails: the certificate of localhost has expired`),
    })
    expect(points[1]).toMatchObject({ ok: true })
    expect(points[2]).toMatchObject({ ok: false, diag: { id: `http/127.0.0.1:${good}/certificate-name`, severity: 'warn' } })
    expect(points.at(-1)).toMatchObject({ ok: false, diag: { id: `http/localhost:${web}/no-tls` } })
  })
})
