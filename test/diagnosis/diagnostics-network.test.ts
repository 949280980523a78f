import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { nameserver, stopServers } from './diagnostics-servers.ts'
import { Diagnostics, type Point, type Printed, printed, type Userland } from './diagnostics-userland.ts'

const busybox = needs('busybox')
const unshare = needs('unshare')

describe.each<Userland>(['busybox', 'debian'])('checks of counters and connections under %s', (userland) => {
  const pod = new Diagnostics(userland, busybox)
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  const sockets: Socket[] = []
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    stopServers()
    pod.remove()
    rmSync(proc, { recursive: true })
  })

  /** A proc root with these files of the target's network, and nameserver and MTU of its own. */
  function tables(files: Readonly<Record<string, string>>): string {
    rmSync(proc, { recursive: true })
    for (const [path, text] of Object.entries({ '1/root/etc/resolv.conf': 'nameserver 127.0.0.1:1\n', ...files })) {
      mkdirSync(join(proc, path, '..'), { recursive: true })
      writeFileSync(join(proc, path), text)
    }
    return `--proc=${proc}`
  }

  async function check(...args: string[]): Promise<Printed> {
    const told = await pod.report(...args)
    expect(told.text).not.toContain('# | ')
    return told
  }
  const told = (points: readonly Point[]): readonly string[] => points.map(({ ok, diag }) => diag?.id ?? `${ok}`)

  describe('network', () => {
    const quiet = { OutSegs: 10_000, RetransSegs: 9, ActiveOpens: 300, PassiveOpens: 2000, InDatagrams: 5000 }
    type Counters = Readonly<Record<string, number>>
    const pairs = (name: string, counters: Counters) => `${name}: ${Object.keys(counters).join(' ')}\n${name}: ${Object.values(counters).join(' ')}\n`
    function counters(given: Counters, ext: Counters = {}, device: readonly number[] = [9000, 0, 0, 8000, 0, 0], mtu = 1450): string {
      const { InDatagrams = 0, RcvbufErrors = 0, FragFails = 0, ...tcp } = { ...quiet, ...given } as Record<string, number>
      const [received, errors, dropped, sent, sendErrors, sendDropped] = device
      return tables({
        '1/net/snmp': pairs('Ip', { FragFails }) + pairs('Tcp', tcp) + pairs('Udp', { InDatagrams, RcvbufErrors }),
        '1/net/netstat': pairs('TcpExt', { ListenOverflows: 0, TCPSynRetrans: 0, TCPWinProbe: 0, ...ext }),
        '1/net/dev': `Inter-|\n face |\n  eth0: 1 ${received} ${errors} ${dropped} 0 0 0 0 1 ${sent} ${sendErrors} ${sendDropped} 0 0 0 0\n`,
        '1/net/udp': 'sl\n 1: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 4711 2 0 420\n',
        '1/root/sys/class/net/eth0/mtu': `${mtu}\n`,
      })
    }

    test.each<[string, string, string | undefined]>([['a quiet pod', counters.name, undefined]])('passes %s, and shows its counters', async () => {
      const { points, text } = await check(counters({}), 'network')
      expect(points).toMatchObject([{ ok: true, name: 'counters of the network show no loss: 9 of 10000 TCP segments sent again' }])
      expect(text).toContain('# interface eth0: MTU 1450, received 9000 packets, 0 errors, 0 dropped; sent 8000 packets, 0 errors, 0 dropped')
    })

    test.each<[string, () => string, readonly string[]]>([
      ['lost segments', () => counters({ RetransSegs: 1200 }), ['network/retransmits']],
      ['segments lost long ago', () => counters({ RetransSegs: 400 }), ['true']],
      ['connections not answered long ago', () => counters({ RetransSegs: 99 }, { TCPSynRetrans: 90 }), ['true']],
      ['the same number among many', () => counters({ RetransSegs: 400, OutSegs: 1_000_000 }), ['true']],
      ['a great share of few', () => counters({ RetransSegs: 20, OutSegs: 100 }), ['true']],
      ['what is sent again because it was not answered', () => counters({ RetransSegs: 400 }, { TCPSynRetrans: 390 }), ['network/unanswered']],
      ['probes of a closed window', () => counters({ RetransSegs: 400 }, { TCPWinProbe: 390 }), ['true']],
      ['full accept queues', () => counters({}, { ListenOverflows: 60 }), ['network/listen-overflows']],
      ['full accept queues long ago', () => counters({ PassiveOpens: 1_000_000 }, { ListenOverflows: 60 }), ['true']],
      ['datagrams that are not read', () => counters({ RcvbufErrors: 900 }), ['network/udp-drops']],
      ['packets too large', () => counters({ FragFails: 30 }), ['network/too-large']],
      ['an interface that drops', () => counters({}, {}, [9000, 0, 0, 8000, 0, 900]), ['network/interface-drops/eth0']],
      ['an interface with errors', () => counters({}, {}, [9000, 300, 0, 8000, 0, 0]), ['network/interface-errors/eth0']],
      ['some packets of unknown protocols', () => counters({}, {}, [9000, 0, 400, 8000, 0, 0]), ['true']],
      ['a small MTU', () => counters({}, {}, [9000, 0, 0, 8000, 0, 0], 600), ['network/mtu/eth0']],
    ])('judges %s', async (_, given, ids) => {
      const { points } = await check(given(), 'network')
      expect(told(points)).toEqual(ids)
      expect(points.every(({ ok, diag }) => ok || diag?.severity === 'warn')).toBe(true)
    })

    test('names the UDP port whose datagrams are dropped', async () => {
      const { points } = await check(counters({ RcvbufErrors: 900 }), 'network')
      expect(points[0]?.name).toContain('900 were dropped (receive buffer full), 5000 were received, most at port 5353')
    })

    test('finds a table of tracked connections that is full', async () => {
      const root = counters({})
      mkdirSync(join(proc, 'sys/net/netfilter'), { recursive: true })
      mkdirSync(join(proc, '1/net/stat'), { recursive: true })
      writeFileSync(join(proc, 'sys/net/netfilter/nf_conntrack_count'), '1990\n')
      writeFileSync(join(proc, 'sys/net/netfilter/nf_conntrack_max'), '2000\n')
      writeFileSync(
        join(proc, '1/net/stat/nf_conntrack'),
        'entries insert_failed drop early_drop\n000007c6 00000000 0000000a 00000001\n000007c6 00000000 00000001 00000000\n',
      )
      const { points } = await check(root, 'network')
      expect(points).toMatchObject([
        { name: expect.stringContaining('is nearly full: 1990 of 2000 entries, 12 packets dropped'), diag: { id: 'network/conntrack' } },
      ])
    })

    test('reads the counters of a real kernel', async (context) => {
      if (process.getuid?.() !== 0) return context.skip('because only root may make a network namespace')
      const args = ['--net', join(pod.home, 'runner'), '--no-target', 'network']
      const { points, text } = await printed(spawn(unshare, args, { env: { PATH: pod.path }, cwd: pod.home, stdio: ['ignore', 'pipe', 'pipe'] }))
      expect(points).toMatchObject([{ ok: true, name: 'counters of the network show no loss: 0 of 0 TCP segments sent again' }])
      expect(text).toMatch(/^# tcp: opened 0, taken 0, failed to open 0, reset 0, sent 0 segments, again 0/m)
      expect(text).toMatch(/^# interface lo: MTU \d+, received 0/m)
    })
  })

  describe('listening', () => {
    interface Row {
      readonly local?: string
      readonly remote?: string
      readonly state: string
      /** Bytes that wait to be sent, and to be read. */
      readonly queues?: readonly [number, number]
      readonly timer?: string
      readonly again?: number
    }
    const hex = (value: number, digits = 8) => value.toString(16).toUpperCase().padStart(digits, '0')
    const row = ({ local = '0100000A:8000', remote = '0302010A:1538', state, queues = [0, 0], timer = '00', again = 0 }: Row, n: number) =>
      ` ${n}: ${local} ${remote} ${state} ${hex(queues[0])}:${hex(queues[1])} ${timer}:00000000 ${hex(again)} 1000 0 ${5000 + n} 1\n`
    const connections = (rows: readonly Row[], files: Readonly<Record<string, string>> = {}) =>
      tables({ '1/net/tcp': `  sl\n${rows.map(row).join('')}`, ...files })
    const server: Row = { local: '00000000:1F90', remote: '00000000:0000', state: '0A' }
    const times = (count: number, one: Row): Row[] => Array.from({ length: count }, () => one)
    const ofServer: Row = { local: '0100000A:1F90', state: '01' }

    test.each<[string, Row[], readonly string[], string?]>([
      ['well', [server, ...times(300, { ...ofServer }), ...times(40, { state: '06' })], ['true']],
      ['just begun', [server, { state: '02' }], ['true']],
      [
        'not answered',
        [server, ...times(3, { state: '02', timer: '01', again: 2 })],
        ['listening/syn-sent/5432'],
        '3 connections that the pod opens wait for an answer to 10.1.2.3:5432',
      ],
      ['sent once more', [server, { state: '01', queues: [900, 0], timer: '01', again: 1 }], ['true']],
      ['not acknowledged', [server, { state: '01', queues: [900, 0], timer: '01', again: 5 }], ['listening/unacknowledged/5432']],
      ['still being sent', [server, { state: '01', queues: [70_000, 0], timer: '01' }], ['true']],
      [
        'not read there',
        [server, { state: '01', queues: [70_000, 0], timer: '04' }],
        ['listening/peer-does-not-read/5432'],
        '1 connection with a full send queue, 68 KiB wait',
      ],
      ['not read here', [server, { state: '01', queues: [0, 70_000] }], ['listening/does-not-read'], 'from 1 connection with 10.1.2.3:5432: 68 KiB'],
      ['a little not read', [server, ...times(30, { state: '01', queues: [0, 24] })], ['true']],
      [
        'requests not read',
        [server, ...times(6, { ...ofServer, queues: [0, 300] })],
        ['listening/does-not-read/8080'],
        '6 connections at its port 8080',
      ],
      [
        'closed there, their answers not read',
        [server, ...times(6, { state: '08', queues: [0, 120] })],
        ['listening/close-wait'],
        '6 connections are in CLOSE_WAIT',
      ],
      ['closed there, and kept in a pool', [server, ...times(12, { state: '08', queues: [0, 1] })], ['true']],
      ['closed there, a few not read', [server, ...times(4, { state: '08', queues: [0, 120] })], ['true']],
      [
        'closed by clients of ours, their requests not read',
        [server, ...times(3, { ...ofServer, state: '08', queues: [0, 120] })],
        ['listening/does-not-read/8080'],
        '3 connections at its port 8080: 357 bytes wait in its receive queues, nothing was read for a second; 3 of their clients have given up',
      ],
      ['closed by clients of ours, two not read', [server, ...times(2, { ...ofServer, state: '08', queues: [0, 120] })], ['true']],
      ['closed by clients of ours, all read', [server, ...times(12, { ...ofServer, state: '08', queues: [0, 1] })], ['true']],
      ['few requests not read', [server, ...times(4, { ...ofServer, queues: [0, 300] })], ['true']],
    ])('judges connections that are %s', async (_, rows, ids, title = '') => {
      const { points } = await check(connections(rows), 'listening')
      expect(told(points)).toEqual(ids)
      expect(points[0]?.name).toContain(title)
    })

    test.each([
      ['stock.shop.svc.cluster.local', 'stock.shop:5432'],
      ['10-1-2-3.stock.shop.svc.cluster.local', 'stock.shop:5432'],
      ['node-7.example', '5432'],
    ])('has ids without the address, which the next start changes: of %s', async (name, peer) => {
      const { port } = await nameserver({ '3.2.1.10.in-addr.arpa': name })
      const rows = [server, { state: '01', queues: [900, 0], timer: '01', again: 5 } as const]
      const { points } = await check(connections(rows, { '1/root/etc/resolv.conf': `nameserver 127.0.0.1:${port}\n` }), 'listening')
      // Only busybox asks for names.
      expect(told(points)).toEqual([`listening/unacknowledged/${userland === 'busybox' ? peer : '5432'}`])
      expect(points[0]?.name).toContain(userland === 'busybox' ? `10.1.2.3:5432 (${name})` : '10.1.2.3:5432')
    })

    test.each<[number, readonly string[], string?]>([
      [70, ['true']],
      [85, ['listening/local-ports'], 'warn'],
      [100, ['listening/local-ports'], 'error'],
    ])('judges %d of 100 local ports taken', async (taken, ids, severity) => {
      const range = { 'sys/net/ipv4/ip_local_port_range': '32768\t32867\n' }
      const rows = Array.from({ length: taken }, (_, n) => ({ state: '06', local: `0100000A:${hex(32_768 + n, 4)}` }))
      const { points } = await check(connections([server, ...rows], range), 'listening')
      expect(told(points)).toEqual(ids)
      expect(points[0]?.diag?.severity).toBe(severity)
    })

    test('takes one that waits to be accepted for a full queue only where others were dropped', async () => {
      const rows = [{ ...server, queues: [0, 5] as const }]
      expect(told((await check(connections(rows), 'listening')).points)).toEqual(['true'])
      const overflows = { '1/net/netstat': 'TcpExt: ListenOverflows\nTcpExt: 30\n' }
      const { points } = await check(connections(rows, overflows), 'listening')
      expect(points).toMatchObject([
        {
          name: '5 connections wait at 0.0.0.0:8080 to be accepted: its queue (backlog) was full, others were dropped',
          diag: { id: 'listening/backlog/8080' },
        },
      ])
    })

    test('looks with hostNetwork at the sockets of the target only', async () => {
      const rows = [server, ...times(60, { state: '08' })]
      const node = { '1/net/dev': 'Inter-|\n face |\nveth12ab: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n', '1/net/snmp': '' }
      const { points } = await check(connections(rows, node), 'listening', 'network')
      expect(points).toMatchObject([
        { ok: true, name: '0 listening sockets' },
        { ok: true, skip: 'with hostNetwork they are those of the whole node' },
      ])
    })

    test('finds real connections that are not read, on both sides', async () => {
      const listener = createServer((socket) => sockets.push(socket.pause()))
      await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
      const { port } = listener.address() as AddressInfo
      const client = connect(port, '127.0.0.1')
      sockets.push(client)
      await new Promise((resolve) => client.once('connect', resolve))
      client.write(Buffer.alloc(16 * 1024 * 1024))
      const wanted = [`listening/peer-does-not-read/${port}`, `listening/does-not-read/${port}`]
      // The window has to be closed first.
      await expect.poll(async () => told((await check(`--target-pid=${process.pid}`, 'listening')).points), { timeout: 20_000 }).toEqual(wanted)
      listener.close()
    }, 30_000)
  })
})
