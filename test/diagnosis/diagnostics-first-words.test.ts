import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { listen, nameserver, stopServers } from './diagnostics-servers.ts'
import { Diagnostics, type Point } from './diagnostics-userland.ts'

describe('servers that answer in part', () => {
  const pod = new Diagnostics('busybox', needs('busybox'))
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))

  beforeAll(async () => {
    const { port } = await nameserver({
      'four.example': '127.0.0.1',
      'six.example': '127.0.0.1',
      'late.example': '127.0.0.1',
      'good.example': '127.0.0.1',
    })
    mkdirSync(join(proc, '1/root/etc'), { recursive: true })
    writeFileSync(join(proc, '1/root/etc/resolv.conf'), `nameserver 127.0.0.1:${port}\n`)
    writeFileSync(join(proc, '1/root/etc/hosts'), '127.0.0.1 localhost\n')
  })
  afterAll(() => {
    stopServers()
    pod.remove()
    rmSync(proc, { recursive: true })
  })

  async function check(...checks: string[]): Promise<readonly Point[]> {
    const { text, points } = await pod.report(`--proc=${proc}`, ...checks)
    expect(text).not.toContain('made up')
    return points
  }

  test.each([
    ['four', 'warn dns/nameserver/half', /does not answer for addresses of IPv6 \(AAAA\), and does for the others/],
    ['six', 'error dns/nameserver/timeout', /does not answer \(timed out\)/],
    [
      'late',
      'warn dns/late.example./slow',
      /^DNS name late\.example\. took 1[2-9]\d\d ms to resolve: nameserver \S+ took 1[2-9]\d\d ms for one answer, and again$/,
    ],
    ['good', undefined, /is 127\.0\.0\.1/],
  ])('dns tells a nameserver that answers for %s as it does', async (name, id, title) => {
    const [point] = await check(`dns=${name}.example.`)
    expect(point?.diag && `${point.diag.severity} ${point.diag.id}`).toBe(id)
    expect(point?.name).toMatch(title)
  })

  const error = (code: number, text: string): Buffer => {
    const words = Buffer.from(`\xff\0\0#08004${text}`, 'latin1')
    words.writeUInt16LE(code, 1)
    return Buffer.concat([Buffer.from([words.length, 0, 0, 0]), words])
  }
  test.each<[string, (socket: Socket) => void, string | undefined, RegExp]>([
    [
      'MySQL without room',
      (s) => s.end(error(1040, 'made up')),
      'error turned-away',
      /turned away by the server: too many connections \(MySQL error 1040\)$/,
    ],
    ['MySQL that knows no such host', (s) => s.end(error(1130, 'made up')), 'error turned-away', /not allowed to connect \(MySQL error 1130\)$/],
    [
      'Redis without room',
      (s) => s.end('-ERR max number of clients reached\r\n'),
      'error turned-away',
      /turned away by the server: too many connections$/,
    ],
    ['a mail server that is away', (s) => s.end('421 made up\r\n'), 'error turned-away', /it gives no service now \(421\)$/],
    ['one that hangs up', (s) => s.end(), 'warn hangs-up', /is closed by the server at once, before a word$/],
    [
      'MySQL as it should be',
      (s) => void s.write('J\0\0\0\n8.0.36\0made up'),
      undefined,
      /^TCP connection to localhost port \d+ \(127\.0\.0\.1\) in \d+ ms$/,
    ],
    ['one that waits for its client', () => {}, undefined, /^TCP connection to localhost port \d+ \(127\.0\.0\.1\) in \d+ ms$/],
  ])('tcp hears the first words of %s', async (_, answer, id, title) => {
    const port = await listen(createServer((socket) => answer(socket.on('error', () => {}))))
    const [point] = await check(`tcp=localhost:${port}`)
    expect(point?.diag && `${point.diag.severity} ${point.diag.id}`.replace(`tcp/localhost:${port}/`, '')).toBe(id)
    expect(point?.name).toMatch(title)
  })
})
