import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { PodTree, told } from './diagnostics-pod.ts'
import { type Point, parse, type Userland } from './diagnostics-userland.ts'

const lib = fileURLToPath(new URL('../../diagnostics/lib', import.meta.url))
const busybox = needs('busybox')

describe.each<Userland>(['busybox', 'debian'])('what is hostile or harmless, under %s', (userland) => {
  let pod: PodTree
  beforeEach(() => {
    pod = new PodTree(userland, busybox)
  })
  afterEach(() => pod.remove())
  const awk = userland === 'busybox' ? 'busybox awk' : 'awk'

  /** What a shell of this userland prints; its first argument is the directory of the libraries. */
  function shell(script: string, input = ''): string {
    const [program = '', ...first] = userland === 'busybox' ? ['busybox', 'sh'] : ['dash']
    return execFileSync(program, [...first, '-c', script, 'sh', lib, pod.proc], { input, encoding: 'utf8', timeout: 20_000 })
  }
  const judge = (files: readonly string[], variables: string, input: string): readonly Point[] =>
    parse(`TAP version 14\n${shell(`${awk} ${files.map((name) => `-f "$1/${name}"`).join(' ')} ${variables}`, input)}`)

  describe('a server of TLS', () => {
    const greeting = (bytes: readonly number[]) => `connected\n ${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}\n`
    const read = (bytes: readonly number[]) => shell(`ulimit -S -v 16384; ${awk} -f "$1/der.awk" -f "$1/certificate.awk"`, greeting(bytes))
    const record = (body: readonly number[]) => [0x16, 3, 3, body.length >> 8, body.length & 255, ...body]

    test.each([
      ['a chain', [0x0b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 4, 0x30, 0x82, 1, 1]],
      ['a certificate', [0x0b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x30, 0x82, 0xff, 0xff]],
    ])('cannot make it grow by %s of 16 MiB that it does not send', (_, head) => {
      expect(read(record([...head, ...Array<number>(400).fill(0x30)]))).toMatch(/^connected\n/)
    })

    test('cannot make it grow by what it sends', () => {
      const body = Array<number>(16_384).fill(0x84)
      expect(read([...record([0x0b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...body]), ...record(body), ...record(body)])).toMatch(
        /^connected/,
      )
    })
  })

  describe('values that look like keys', () => {
    test.each([
      ['a secret in Base64', 'token', 'czNjcjN0cGE=\n'],
      ['two of them', 'token', 'czNjcjN0cGE=\nczNjcjN0cGF9cQ==\n'],
      ['a password with a sign', 'password', 'Tr0ub4dor=3\n'],
      ['a bare line', 'app.properties', 'a=1\ns3cr3tpa\nb=2\n'],
      ['a text of TOML over lines', 'app.toml', 'token = """\ns3cr3tpa\ns3cr3tpa = b\n"""\nport = 1\n'],
      ['what is indented below', 'app.ini', '[a]\nkey = -----BEGIN\n  s3cr3tpa=\n  s3cr3tpa\nport = 1\n'],
      ['the rest of a long line', 'app.properties', `a=${'x'.repeat(998)}s3cr3tpa=1\nb=2\n`],
      ['the rest of a long line of YAML', 'app.yaml', `a: ${'x'.repeat(997)}s3cr3tpa: 1\nb: 2\n`],
      ['what follows a single quote', 'app.yaml', "a: 'x\\'\nb: 'y\\'\nc: 1\n"],
    ])('are not printed: %s', async (_, name, content) => {
      pod.file(`etc/${name}`, content)
      const { text, points } = await pod.check(`file=/etc/${name}`)
      expect(text).not.toMatch(/s3cr3tpa|czNj|Tr0ub4dor/)
      expect(points.every(({ ok }) => ok)).toBe(true)
    })

    test('hide no key beside them, and count lines as they stand in the file', async () => {
      pod.file('etc/app.toml', 'token = """\nx\n"""\nport = 1\n[a]\n  host = "h"\n  name = "n"\n')
      expect((await pod.check('file=/etc/app.toml')).text).toMatch(/^# port: number[\s\S]*^# host: text of 1[\s\S]*^# name: text of 1/m)
      pod.file('etc/app.yaml', `a: ${'x'.repeat(2500)}\nb: 1\n  c: 2\n`)
      expect((await pod.check('file=/etc/app.yaml')).text).toMatch(/line 3\b/)
    })
  })

  describe('a table of sockets', () => {
    const hex = (value: number) => value.toString(16).toUpperCase().padStart(4, '0')
    const row = (local: string, remote: string, state: string, inode: number) =>
      ` 1: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 1000 0 ${inode} 1\n`
    function sockets(rows: readonly string[], own: readonly number[], device = 'eth0'): void {
      mkdirSync(join(pod.proc, '1/net'), { recursive: true })
      mkdirSync(join(pod.proc, '1/fd'), { recursive: true })
      writeFileSync(join(pod.proc, '1/net/tcp'), `  sl\n${rows.join('')}`)
      writeFileSync(join(pod.proc, '1/net/dev'), `Inter-|\n face |\n ${device}: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n`)
      writeFileSync(join(pod.proc, '1/net/snmp'), '')
      pod.file('etc/resolv.conf', 'nameserver 127.0.0.1:1\n')
      for (const [at, inode] of own.entries()) symlinkSync(`socket:[${inode}]`, join(pod.proc, '1/fd', String(at)))
    }
    const server = row('00000000:1F90', '00000000:0000', '0A', 5)

    test('of many clients names the one that has most, whatever its ports', async () => {
      const left = Array.from({ length: 20_000 }, (_, n) => row('0100000A:1F90', `0${n % 3 ? 3 : 4}02010A:${hex(10_000 + n)}`, '08', 100 + n))
      sockets([server, ...left], [100, 101])
      const { points } = await pod.check('listening')
      expect(points).toMatchObject([{ name: expect.stringMatching(/^20000 connections .* the pod has not, most of them to 10\.1\.2\.3$/) }])
    })

    test('has ids without the address of a client', async () => {
      const lost = ' 1: 0100000A:1F90 0302010A:9000 01 00000384:00000000 01:00000000 00000005 1000 0 9 1\n'
      sockets([server, lost], [])
      expect(told((await pod.check('listening')).points)).toEqual(['warn listening/unacknowledged/clients'])
    })

    test('puts connections that are left down to the target where they are its own', async () => {
      const left = Array.from({ length: 30 }, (_, n) => row('0100000A:9000', '0302010A:1538', '08', 100 + n))
      sockets(
        [server, ...left],
        Array.from({ length: 30 }, (_, n) => 100 + n),
      )
      expect((await pod.check('listening')).points).toMatchObject([{ name: expect.stringContaining('and the target has not') }])
    })

    test('warns of localhost only where the socket is that of the target', async () => {
      const loop = row('0100007F:1538', '00000000:0000', '0A', 77)
      sockets([loop], [4])
      expect(told((await pod.check('listening')).points)).toEqual(['1 listening sockets'])
      rmSync(join(pod.proc, '1/fd'), { recursive: true })
      sockets([loop], [77])
      expect(told((await pod.check('listening')).points)).toEqual(['warn listening/localhost/5432'])
    })

    test.each(['ovn-k8s-mp0', 'genev_sys_6081', 'antrea-gw0', 'weave', 'br-int'])('is that of a node where there is %s', async (device) => {
      sockets([server], [], device)
      expect((await pod.check('network')).points).toMatchObject([{ skip: 'with hostNetwork they are those of the whole node' }])
    })
  })

  test('open files and threads of many thousands are not listed', () => {
    mkdirSync(join(pod.proc, '1/net'), { recursive: true })
    mkdirSync(join(pod.proc, '1/fd'))
    symlinkSync('socket:[77]', join(pod.proc, '1/fd/3'))
    writeFileSync(join(pod.proc, '1/net/tcp'), '  sl\n 1: 0:1 0:0 0A 00000000:00000003 00:0 0 1000 0 77 1\n')
    writeFileSync(join(pod.proc, '1/net/tcp6'), '  sl\n')
    const count = `proc=$2; awk() { ${userland === 'busybox' ? awk : 'command awk'} "$@"; }; . "$1/threads.sh"; count_waiting 1; echo "$waiting"`
    expect(shell(count)).toBe('3\n')
    writeFileSync(join(pod.proc, '1/status'), 'Name:\tshop\nFDSize:\t65536\n')
    expect(shell(count)).toBe('none\n')
    for (let tid = 1; tid <= 3000; tid++) mkdirSync(join(pod.proc, '1/task', String(tid)), { recursive: true })
    const many = `proc=$2; crowds='1 '; . "$1/threads.sh"; printf() { echo listed; }; tasks 1 2>&1 | head -n 400 | grep -c /task/`
    expect(shell(many)).toBe('400\n')
  })

  test.each([
    ['long ago', 'memory.current 1000000', 'warn'],
    ['and memory is short', 'memory.current 60000000', 'error'],
    ['and another meanwhile', 'memory.current 1000000\nbefore.events.oom_kill 0', 'error'],
  ])('a worker was killed for lack of memory %s', (_, lines, severity) => {
    const points = judge(
      ['finding.awk', 'cgroup.awk', 'cgroup-cpu.awk'],
      '-v version=2 -v check=cgroup',
      `${lines}\nmemory.max 67108864\nevents.oom_kill 1\n`,
    )
    expect(told(points)).toEqual([`${severity} cgroup/oom-kill`])
  })

  test.each([
    [2000, ['error kernel/oom-kill', 'info kernel/segfault', 'info kernel/hung-task']],
    [9000, ['info kernel/segfault', 'info kernel/hung-task']],
  ])('the log of the kernel at second %d', (uptime, ids) => {
    const log = `[ 1000.123456] oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/pod4-2,task_memcg=/pod4-2,task=cart
[ 1000.123457] Memory cgroup out of memory: Killed process 7 (cart) total-vm:9kB, anon-rss:65536kB
[ 1001.000000] cart[7]: segfault at 0 ip 0 sp 0 error 4
[ 1002.000000] INFO: task cart:7 blocked for more than 120 seconds.
`
    expect(told(judge(['finding.awk', 'kernel.awk'], `-v check=kernel -v uid=4-2 -v names=/cart/ -v uptime=${uptime}`, log))).toEqual(ids)
  })

  test.each([
    ['goes on', 'retransmits 350', '', ['warn network/retransmits']],
    ['is over', 'retransmits 400', '', []],
    ['is over, and an answer is awaited', 'retransmits 400', ' 1: 0:1 0:2 02 0:0 01:00000014 00000002 0 0 1 1\n', ['warn network/retransmits']],
  ])('a loss of packets that %s', (_, before, rows, ids) => {
    const net = join(pod.proc, '1/net')
    mkdirSync(net)
    writeFileSync(join(net, 'snmp'), 'Tcp: ActiveOpens OutSegs RetransSegs\nTcp: 300 10000 400\n')
    writeFileSync(join(net, 'tcp'), `  sl\n${rows}`)
    const points = judge(['finding.awk', 'hexadecimal.awk', 'network.awk'], `-v check=network -v net="$2/1/net" -v before='${before}'`, '')
    expect(told(points.filter(({ ok }) => !ok))).toEqual(ids)
  })

  test('threads in pools grow with the cores', async () => {
    pod.runAs({})
    const status = (threads: number) => `Name:\tshop\nState:\tS (sleeping)\nUid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nThreads:\t${threads}\nFDSize:\t64\n`
    writeFileSync(join(pod.proc, 'stat'), `cpu 1\n${Array.from({ length: 64 }, (_, n) => `cpu${n} 1\n`).join('')}intr 1\nbtime 1\n`)
    writeFileSync(join(pod.proc, '1/status'), status(430))
    expect((await pod.check('processes')).points).toMatchObject([{ ok: true }])
    writeFileSync(join(pod.proc, '1/status'), status(450))
    expect(told((await pod.check('processes')).points)[0]).toBe('warn processes/threads')
  })
})
