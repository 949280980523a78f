import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { certificate, inDays } from './diagnostics-certificates.ts'
import { listen, stopServers } from './diagnostics-servers.ts'
import { Diagnostics, type Point, type Userland } from './diagnostics-userland.ts'

const secret = 'sk_made_up_0123456789'
type Answer = (socket: Socket) => void
const head = (more: string, status = '200 OK') => `HTTP/1.1 ${status}\r\n${more}\r\n`
const says =
  (...words: string[]): Answer =>
  (socket) =>
    void words.map((one) => socket.write(one))
const ends =
  (...words: string[]): Answer =>
  (socket) =>
    void socket.end(words.join(''))
const chunked = head('Transfer-Encoding: chunked\r\n')
const drips: Answer = (socket) => {
  socket.write(chunked)
  const drip = setInterval(() => socket.write('3\r\nfig\r\n'), 400)
  socket.on('close', () => clearInterval(drip))
}

describe.each<Userland>(['busybox', 'debian'])('whether http sees that a body is whole: %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new Diagnostics(userland, busybox)
  if (userland === 'debian') symlinkSync(busybox, join(pod.path, 'busybox'))
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  mkdirSync(join(proc, '1/root/etc'), { recursive: true })
  writeFileSync(join(proc, '1/root/etc/hosts'), '127.0.0.1 localhost both\n::1 both\n')
  afterAll(() => {
    stopServers()
    pod.remove()
    rmSync(proc, { recursive: true })
  })

  async function check(...checks: string[]): Promise<{ points: readonly Point[]; ms: number }> {
    const began = Date.now()
    const { text, points } = await pod.report(`--proc=${proc}`, ...checks)
    expect(text).not.toContain(secret)
    expect(text).not.toMatch(/out of memory|too large|error:/)
    return { points, ms: Date.now() - began }
  }
  const serve = async (answer: Answer): Promise<string> => {
    const port = await listen(createServer((socket) => void socket.on('error', () => {}).once('data', () => answer(socket))))
    return `http=http://localhost:${port}/`
  }
  const idsOf = (points: readonly Point[]) => points.map(({ diag }) => diag?.id?.replace(/:\d+/, '') ?? 'ok')

  test.each<[string, Answer, RegExp]>([
    ['after one byte', says(head('Content-Length: 5000\r\n'), 'x'), /answered 200 OK, but its body stopped after 1 of 5000 bytes/],
    ['at once', says(head('content-length:5000\r\n')), /stopped after 0 of 5000 bytes/],
    ['between chunks', says(chunked, `15\r\n${secret}\r\n`), /stopped after 21 bytes, chunked/],
    ['within a chunk', says(chunked, 'ff\r\nfigs'), /stopped after 4 bytes, chunked/],
  ])('tells a body that stalls %s', async (_, answer, words) => {
    const { points } = await check(await serve(answer))
    expect(idsOf(points)).toEqual(['http/localhost/stalled'])
    expect(points[0]).toMatchObject({
      name: expect.stringMatching(words),
      diag: { severity: 'error', cause: expect.any(String), next: expect.any(String) },
    })
  })

  test('tells a body that is closed early', async () => {
    const { points } = await check(await serve(ends(head('Content-Length: 5000\r\n'), secret, 'x'.repeat(979))))
    expect(idsOf(points)).toEqual(['http/localhost/short'])
    expect(points[0]?.name).toContain('ended after 1000 of 5000 bytes')
  })

  test.each<[string, Answer, string]>([
    ['between chunks', ends(chunked, `15\r\n${secret}\r\n`), '21 bytes'],
    ['within a chunk', ends(chunked, 'ff\r\nfigs'), '4 bytes'],
    ['at once', ends(chunked), '0 bytes'],
  ])('tells a body in chunks that is closed %s', async (_, answer, bytes) => {
    const { points } = await check(await serve(answer))
    expect(idsOf(points)).toEqual(['http/localhost/short'])
    expect(points[0]?.name).toContain(`ended after ${bytes}, chunked: the connection was closed before the last chunk`)
  })

  test.each<[string, Answer, string?]>([
    ['that is whole, on a connection that is kept', says(head('Content-Length: 21\r\n'), secret)],
    ['of binary zeros', says(head('Content-Length: 9000\r\n'), '\0'.repeat(9000))],
    ['in chunks up to the last, on a connection that is kept', says(chunked, '4\r\n\n\n\r\n\r\n', `15;x=y\r\n${secret}\r\n`, '0\r\n\r\n')],
    ['of more than is read', says(head('Content-Length: 9000000\r\n'), 'x'.repeat(2_000_000))],
    ['of one chunk of more than is read', says(chunked, `ffffff\r\n${'x'.repeat(2_000_000)}`)],
    ['in chunks, of a path that asks to watch', says(chunked, '3\r\nfig\r\n'), '?labels=a&watch=true'],
    ['of no bytes', says(head('Content-Length: 0\r\n'))],
    ['that none has: 204', says(head('', '204 No Content'))],
    ['that none has: 304', says(head('Content-Length: 5000\r\n', '304 Not Modified'))],
    ['without a length, that ends', ends(head(''), secret)],
    ['of events', says(head('Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n'), '3\r\nfig\r\n')],
    ['without a length, that never ends', says(head(''), 'fig')],
  ])('passes without waiting a body %s', async (_, answer, query = '') => {
    const { points, ms } = await check(`${await serve(answer)}${query}`)
    expect(idsOf(points)).toEqual(['ok'])
    expect(ms).toBeLessThan(3500)
  })

  test('passes chunks that go on', async () => {
    expect(idsOf((await check(await serve(drips))).points)).toEqual(['ok'])
  })

  test('does not wait for the body of a redirect or a failure', async () => {
    const to = await serve(says(head('Content-Length: 2\r\n'), 'ok'))
    const moved = await serve(says(head(`Location: ${to.slice(5)}\r\nContent-Length: 5000\r\n`, '302 Found'), 'x'))
    const fails = await serve(says(head('Content-Length: 5000\r\n', '500 Oops'), 'x'))
    const { points, ms } = await check(moved, fails)
    expect(idsOf(points)).toEqual(['ok', 'http/localhost/500'])
    expect(ms).toBeLessThan(4500)
  })

  test('sees it in TLS where the image has openssl', async () => {
    symlinkSync('/usr/bin/openssl', join(pod.path, 'openssl'))
    const server = createTlsServer(
      certificate(inDays(-1), inDays(300)),
      (_, answer) => void answer.writeHead(200, { 'content-length': 5000 }).write('x'),
    )
    const { points } = await check(`http=https://localhost:${await listen(server)}/`)
    rmSync(join(pod.path, 'openssl'))
    expect(idsOf(points).at(-1)).toBe('http/localhost/stalled')
  })

  test('tells a full queue at 127.0.0.1, though ::1 refuses', async (context) => {
    const program =
      'import socket,time\ns=socket.socket()\ns.bind(("127.0.0.1",0))\ns.listen(0)\np=s.getsockname()\nk=[]\nfor i in range(3):\n c=socket.socket(); c.setblocking(False); c.connect_ex(p); k.append(c)\nprint(p[1],flush=True)\ntime.sleep(60)'
    const server = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const port = Number(String((await once(server.stdout, 'data'))[0]))
      const { points } = await check(`tcp=both:${port}`, `http=http://both:${port}/`)
      if (!points[0]?.name.includes('::1')) return context.skip('because this machine has no ::1')
      expect(idsOf(points)).toEqual(['tcp/both/timeout', 'http/both/connect-timeout'])
      expect(points[0]?.name).toMatch(/127\.0\.0\.1 timed out.*::1 refused|::1 refused.*127\.0\.0\.1 timed out/)
    } finally {
      server.kill()
    }
  })
})
