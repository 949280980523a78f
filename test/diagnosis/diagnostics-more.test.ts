import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { certificate, inDays } from './diagnostics-certificates.ts'
import { listen, stopServers } from './diagnostics-servers.ts'
import { Diagnostics, type Point, printed } from './diagnostics-userland.ts'

describe('checks of a name with several addresses, and of rarer faults', () => {
  const busybox = needs('busybox')
  const pod = new Diagnostics('busybox', busybox)
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  const root = join(proc, '1/root')
  const children: ChildProcess[] = []
  const sockets: Socket[] = []
  let web = 0

  beforeAll(async () => {
    mkdirSync(join(root, 'etc'), { recursive: true })
    const names: Record<string, string[]> = {
      localhost: ['127.0.0.1'],
      twins: ['127.0.0.2', '127.0.0.2', '127.0.0.1'],
      lost: ['127.0.0.2', '127.0.0.3'],
      leading: ['127.0.0.1', '127.0.0.2'],
      // The kernel makes no TCP connection to the broadcast address, whatever its routes.
      same: ['255.255.255.255', '127.0.0.1'],
      other: ['255.255.255.255', '::1'],
    }
    const hosts = Object.entries(names).flatMap(([name, addresses]) => addresses.map((address) => `${address} ${name}`))
    writeFileSync(join(root, 'etc/hosts'), `${hosts.join('\n')}\n`)
    web = await listen(
      createServer((request, response) => {
        const code = ({ '/ok': 200, '/login': 401, '/forbidden': 403 } as Record<string, number>)[request.url ?? ''] ?? 302
        response.writeHead(code, code === 302 ? { location: '/ok' } : {}).end()
      }),
    )
  })
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
    for (const socket of sockets) socket.destroy()
    stopServers()
    pod.remove()
    rmSync(proc, { recursive: true })
  })

  async function check(...checks: string[]): Promise<readonly Point[]> {
    return (await pod.report(`--proc=${proc}`, ...checks)).points
  }

  test('tcp and http go on to the next address, and name the one that failed', async () => {
    const points = await check(`tcp=twins:${web}`, `http=http://twins:${web}/moved`)
    const warning = (name: string) => ({
      ok: false,
      name: `1 of 2 addresses of twins failed on port ${web} before 127.0.0.1 answered: 127.0.0.2 refused`,
      diag: { id: `${name}/twins:${web}/some-addresses`, severity: 'warn' },
    })
    // Once, though http asks twice: it is redirected.
    expect(points).toMatchObject([
      warning('tcp'),
      { ok: true, name: expect.stringContaining('(127.0.0.1)') },
      warning('http'),
      { ok: true, name: expect.stringContaining(`GET http://twins:${web}/ok answered 200 OK`) },
    ])
  })

  test('tcp and http say nothing of the addresses after the one that answers', async () => {
    expect(await check(`tcp=leading:${web}`, `http=http://leading:${web}/ok`)).toMatchObject([{ ok: true }, { ok: true }])
  })

  test('tcp and http find what they find of one address when all have failed', async () => {
    const all = '(2 addresses: 127.0.0.2 refused, 127.0.0.3 refused)'
    expect(await check(`tcp=lost:${web}`, `http=http://lost:${web}/ok`)).toMatchObject([
      { ok: false, name: `TCP connection to lost port ${web} is refused ${all}`, diag: { id: `tcp/lost:${web}/refused`, severity: 'error' } },
      {
        ok: false,
        name: expect.stringContaining(`is refused ${all}`),
        diag: { id: `http/lost:${web}/refused`, severity: 'error', evidence: expect.stringMatching(/^not connected to /) },
      },
    ])
  })

  test.each([
    ['::', 'error', /^port \d+ of the pod is listened on for IPv6 only: ::1 answers and 127\.0\.0\.1 refuses/],
    ['::1', 'warn', /^1 of 2 addresses of localhost failed on port/],
  ])('says that a program of the pod listens for IPv6 only: %s', async (host, severity, title) => {
    const six = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
    if (!six) return
    const server = createServer((_, answer) => void answer.end())
    await new Promise<void>((resolve) => server.listen({ port: 0, host, ipv6Only: true }, resolve))
    const { port } = server.address() as AddressInfo
    mkdirSync(join(proc, '1/net'), { recursive: true })
    writeFileSync(join(proc, '1/net/tcp6'), readFileSync('/proc/net/tcp6'))
    writeFileSync(join(proc, '1/net/route'), 'Iface Destination\neth0 00000000\n')
    const hosts = readFileSync(join(root, 'etc/hosts'), 'utf8')
    writeFileSync(join(root, 'etc/hosts'), hosts.replace('localhost\n', 'localhost\n::1 localhost\n'))
    const points = await check(`http=http://localhost:${port}/`)
    writeFileSync(join(root, 'etc/hosts'), hosts)
    rmSync(join(proc, '1/net'), { recursive: true })
    server.close()
    expect(points).toMatchObject([
      { ok: false, name: expect.stringMatching(title), diag: { id: `http/localhost:${port}/some-addresses`, severity } },
      { ok: true },
    ])
  })

  test('tcp warns of an address without a route, unless it is of a family that the pod does not have', async (context) => {
    expect(await check(`tcp=same:${web}`)).toMatchObject([
      { ok: false, name: expect.stringContaining('255.255.255.255 unreachable'), diag: { id: `tcp/same:${web}/some-addresses` } },
      { ok: true },
    ])
    const six = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))
    if (!six) return context.skip('because this machine has no IPv6')
    const port = await listen(
      createTcpServer((socket) => socket.on('error', () => {}).resume()),
      '::1',
    )
    expect(await check(`tcp=other:${port}`)).toMatchObject([{ ok: true, name: expect.stringContaining('(::1)') }])
  })

  /** A port on an address whose connections are not taken: its process is stopped, and as many as may wait for it do. */
  async function crowdedPort(address: string): Promise<number> {
    const script = `const s = require('node:net').createServer().listen({ host: '${address}', port: 0, backlog: 1 }, () => console.log(s.address().port))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(child)
    const port = await new Promise<number>((resolve) => child.stdout?.once('data', (text) => resolve(Number(text))))
    child.kill('SIGSTOP')
    for (let n = 0; n < 2; n += 1) {
      const socket = connect(port, address)
      sockets.push(socket.on('error', () => {}))
      await new Promise((resolve) => socket.once('connect', resolve))
    }
    return port
  }

  test('tcp and http tell that nothing answers, and still go on to the next address', async () => {
    const port = await crowdedPort('127.0.0.2')
    const other = createTcpServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 204 No Content\r\n\r\n'))
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve))
    const checks = [`tcp=127.0.0.2:${port}`, `http=http://127.0.0.2:${port}/`, `tcp=twins:${port}`, `http=http://twins:${port}/`, `tcp=lost:${port}`]
    const points = (await Promise.all(checks.map((one) => check(one)))).flat()
    other.close()
    expect(points.map(({ ok, diag }) => diag?.id ?? ok)).toEqual([
      `tcp/127.0.0.2:${port}/timeout`,
      `http/127.0.0.2:${port}/connect-timeout`,
      `tcp/twins:${port}/some-addresses`,
      true,
      `http/twins:${port}/some-addresses`,
      true,
      // One is silent and one refuses: the latter tells more, first or not.
      `tcp/lost:${port}/refused`,
    ])
    expect(points[2]?.name).toContain('127.0.0.2 timed out')
  })

  test('http tells a server that speaks something else, and one that wants credentials', async () => {
    const ssh = await listen(createTcpServer((socket) => socket.on('error', () => {}).end('SSH-2.0-made-up\r\n')))
    const url = `http://127.0.0.1:${web}`
    expect(await check(`http=http://127.0.0.1:${ssh}/`, `http=${url}/login`, `http=${url}/forbidden`)).toMatchObject([
      {
        ok: false,
        diag: { id: `http/127.0.0.1:${ssh}/no-http`, severity: 'error', evidence: expect.stringMatching(/^connected to 127\.0\.0\.1:/) },
      },
      { ok: false, diag: { id: `http/127.0.0.1:${web}/401`, severity: 'warn' } },
      { ok: false, diag: { id: `http/127.0.0.1:${web}/403`, severity: 'warn' } },
    ])
  })

  test('https finds a certificate that is not valid yet, and one that soon will not be', async () => {
    const early = await listen(createTlsServer(certificate(inDays(2), inDays(60)), (_, response) => response.end('ok')))
    const late = await listen(createTlsServer(certificate(inDays(-60), inDays(2)), (_, response) => response.end('ok')))
    const points = await check(`http=https://localhost:${early}/`, `http=https://localhost:${late}/`)
    expect(points).toMatchObject([
      { ok: false, diag: { id: `http/localhost:${early}/certificate-not-yet-valid`, severity: 'error' } },
      { ok: false, diag: { id: `http/localhost:${late}/certificate-expires`, severity: 'warn' } },
      { ok: true },
    ])
  })

  test('disk warns of a volume that is nearly full, and of one with few inodes', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('because only root may mount a file system')
    const mounts = { data: 'size=1m', few: 'size=1m,nr_inodes=20' }
    const lines = Object.keys(mounts).map((name, n) => `${n + 11} 1 0:${n + 11} / /${name} rw,relatime - tmpfs none rw\n`)
    writeFileSync(join(proc, '1/mountinfo'), lines.join(''))
    for (const [name, options] of Object.entries(mounts)) {
      mkdirSync(join(root, name))
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', join(root, name)])
    }
    try {
      writeFileSync(join(root, 'data/most'), Buffer.alloc(960 * 1024))
      for (let n = 0; n < 18; n += 1) writeFileSync(join(root, `few/${n}`), '')
      expect(await check('disk')).toMatchObject([
        { ok: false, diag: { id: 'disk/nearly-full/data', severity: 'warn' } },
        { ok: false, diag: { id: 'disk/few-inodes/few', severity: 'warn' } },
      ])
    } finally {
      for (const name of Object.keys(mounts)) execFileSync('umount', [join(root, name)])
    }
  })
})

describe('checks in a pod without a network', () => {
  const busybox = needs('busybox')
  const unshare = needs('unshare')
  const pod = new Diagnostics('busybox', busybox)
  afterAll(() => pod.remove())

  test('tcp and http tell that there is no route', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('because only root may make a network namespace')
    const args = ['--net', `${pod.home}/runner`, '--no-target', 'tcp=10.1.2.3:80', 'http=http://10.1.2.3/']
    const { points } = await printed(spawn(unshare, args, { env: { PATH: pod.path }, cwd: pod.home, stdio: ['ignore', 'pipe', 'pipe'] }))
    expect(points).toMatchObject([
      { ok: false, diag: { id: 'tcp/10.1.2.3:80/unreachable' } },
      { ok: false, diag: { id: 'http/10.1.2.3:80/unreachable' } },
    ])
  })
})
