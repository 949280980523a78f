import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { Diagnostics, type Point, proveEnd, type Userland } from './diagnostics-userland.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/diagnostics/${name}`, import.meta.url))

describe.each<Userland>(['busybox', 'debian'])('checks of the pod under %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new Diagnostics(userland, busybox)
  const temporary = mkdtempSync(join(tmpdir(), 'system-'))
  const targets: ChildProcess[] = []
  afterAll(() => {
    for (const target of targets) {
      target.kill('SIGCONT')
      target.kill('SIGKILL')
    }
    pod.remove()
    rmSync(temporary, { recursive: true })
  })

  async function check(...args: string[]): Promise<{ points: readonly Point[]; text: string }> {
    const { text, points, stderr } = await pod.run(...args)
    proveEnd(text)
    expect(stderr).toBe('')
    expect(text).not.toContain('# | ')
    return { points, text }
  }

  /** A real process to look at, once it has printed a line. */
  async function target(command: string, ...args: string[]): Promise<number> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: process.env.PATH, SECRET: 'made-up-secret' } })
    targets.push(child)
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    if (child.pid === undefined) throw new Error(`Cannot start "${command}"`)
    return child.pid
  }

  test('processes lists names and numbers, no arguments and no environment', async () => {
    const pid = await target('sh', '-c', 'echo ready; read -r never </dev/zero; : made-up-argument')
    const { points, text } = await check(`--target-pid=${pid}`, 'processes', 'limits', 'listening')
    expect(points.map(({ ok }) => ok)).toEqual([true, true, expect.any(Boolean)])
    expect(text).toMatch(new RegExp(`^# +${pid} +[RS] .* (sh|dash)$`, 'm'))
    expect(text).not.toContain('made-up')
  })

  test('processes finds what is stopped and what is not reaped', async () => {
    const pid = await target('sh', '-c', 'for i in 1 2 3 4 5 6 7; do sleep 0.5 & done; sleep 60 & echo $!; exec sleep 60')
    // The shells become sleep one after the other; the last one is the one that goes on.
    const sleepers = (): string[] =>
      execFileSync('pgrep', ['-P', String(pid), '-x', 'sleep'], { encoding: 'utf8' })
        .trim()
        .split('\n')
    await expect.poll(() => sleepers().length).toBe(8)
    const worker = sleepers().at(-1)
    process.kill(Number(worker), 'SIGSTOP')
    await expect.poll(() => readFileSync(`/proc/${worker}/stat`, 'utf8')).toMatch(/\) T /)
    const states = (): string => execFileSync('ps', ['-o', 'stat=', '--ppid', String(pid)], { encoding: 'utf8' })
    await expect.poll(() => states().match(/Z/g)?.length).toBe(7)
    const { points } = await check(`--target-pid=${pid}`, 'processes')
    process.kill(Number(worker), 'SIGKILL')
    expect(points.map(({ diag }) => diag?.id)).toEqual(['processes/stopped', 'processes/zombies', undefined])
    expect(points[0]?.name).toBe(`process ${worker} (sleep) of the target is stopped (state T) and does no work`)
    expect(points[1]?.name).toContain('7 zombie processes')
  })

  test('limits finds file descriptors that are used up', async () => {
    const pid = await target(
      'sh',
      '-c',
      'ulimit -n 12; exec 3<&0 4<&0 5<&0 6<&0 7<&0 8<&0 9<&0; exec tail -f /dev/null & echo ready; exec tail -f /dev/null /dev/zero /etc/passwd',
    )
    await expect
      .poll(async () => (await check(`--target-pid=${pid}`, 'limits')).points[0])
      .toMatchObject({
        ok: false,
        name: expect.stringMatching(
          /^process \d+ \(tail\) of the target (has used up its file descriptors: \d+ open files of a limit of 12|is near its limit of open files)/,
        ),
        diag: { id: 'limits/open-files' },
      })
  })

  test.each(['processes', 'limits'])('%s is skipped where there is no target', async (name) => {
    expect((await check('--no-target', name)).points).toMatchObject([{ ok: true, skip: expect.stringContaining('no process namespace') }])
  })

  test('listening names the process, and the port that only localhost reaches', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const { points, text } = await check(`--target-pid=${process.pid}`, `listening=${port}`, 'listening=1')
    server.close()
    expect(points[0]).toMatchObject({
      ok: false,
      name: `port ${port} is listened on at 127.0.0.1 (localhost) only: nothing outside of the pod reaches it`,
    })
    expect(points[1]).toMatchObject({ ok: false, diag: { id: 'listening/none/1' } })
    expect(text).toMatch(new RegExp(`tcp 127\\.0\\.0\\.1:${port}( by ${process.pid} |$)`, 'm'))
  })

  test.each([
    ['net-close-wait', 'listening/close-wait', '30 connections are in CLOSE_WAIT: the other side has closed them and the pod has not'],
    ['net-localhost', 'listening/localhost/8080', 'the pod listens on 127.0.0.1 (localhost) only, port 8080'],
    ['net-healthy', undefined, '2 listening sockets'],
  ])('listening reads the captured tables %s', async (name, id, title) => {
    const proc = join(temporary, name)
    mkdirSync(join(proc, '1'), { recursive: true })
    cpSync(fixture(name), join(proc, '1/net'), { recursive: true })
    const { points } = await check(`--proc=${proc}`, 'listening')
    expect(points).toMatchObject([{ ok: id === undefined, name: expect.stringContaining(title), ...(id ? { diag: { id } } : {}) }])
  })

  test('resolv shows nameservers, and finds that there is none', async () => {
    const proc = join(temporary, 'resolv')
    mkdirSync(join(proc, '1/root/etc'), { recursive: true })
    cpSync(fixture('net-healthy'), join(proc, '1/net'), { recursive: true })
    writeFileSync(join(proc, '1/root/etc/resolv.conf'), 'nameserver 10.96.0.10\nsearch a.svc b\noptions ndots:5\n')
    const { points, text } = await check(`--proc=${proc}`, 'resolv')
    expect(points).toMatchObject([{ ok: true, name: 'resolv.conf: nameserver 10.96.0.10, search a.svc b, ndots 5' }])
    expect(text).toContain('# route 0.0.0.0 mask 0.0.0.0 via 10.88.0.1 dev eth0')
    writeFileSync(join(proc, '1/root/etc/resolv.conf'), 'search a.svc\n')
    writeFileSync(join(proc, '1/net/route'), 'Iface\tDestination\n')
    expect((await check(`--proc=${proc}`, 'resolv')).points.map(({ diag }) => diag?.id)).toEqual(['resolv/no-nameserver', 'resolv/no-default-route'])
  })

  test('disk finds a full volume and one that the kernel made read-only', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('because only root may mount a file system')
    const proc = join(temporary, 'disk')
    const root = join(proc, '1/root')
    for (const directory of ['data', 'few', 'good one']) mkdirSync(join(root, directory), { recursive: true })
    const line = (point: string, type: string, options: string, device: number): string =>
      `${device} 1 0:${device} / ${point} rw,relatime - ${type} none ${options}\n`
    const text =
      line('/data', 'tmpfs', 'rw', 11) +
      line('/few', 'tmpfs', 'rw', 12) +
      line('/good\\040one', 'ext4', 'ro,errors=remount-ro', 13) +
      line('/proc', 'proc', 'rw', 14)
    writeFileSync(join(proc, '1/mountinfo'), text)
    writeFileSync(join(proc, '1/status'), readFileSync('/proc/self/status'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', join(root, 'data')])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=3', 'none', join(root, 'few')])
    try {
      writeFileSync(join(root, 'data/full'), Buffer.alloc(1024 * 1024))
      for (const name of ['a', 'b']) writeFileSync(join(root, 'few', name), '')
      const { points } = await check(`--proc=${proc}`, 'disk')
      expect(points.map(({ ok, diag }) => [ok, diag?.id])).toEqual([
        [false, 'disk/full/data'],
        [false, 'disk/no-inodes/few'],
        [false, 'disk/read-only/good one'],
      ])
      expect(points[0]?.name).toBe('volume /data is full: no space left of 1 MiB')
    } finally {
      execFileSync('umount', [join(root, 'data'), join(root, 'few')])
    }
  })

  test.each([
    [
      'cgroup-v1-throttled',
      ['cgroup/cpu-throttled'],
      'CPU is throttled in 98 % of all periods: the container wants more than its limit of 0.10 cores',
    ],
    ['cgroup-v1-near-limit', ['cgroup/memory'], 'memory of the container is at 96 % of its limit of 64.0 MiB'],
    ['cgroup-v2-healthy', [undefined], 'memory, CPU and process count of the container are within its limits'],
    [
      'cgroup-v2-killed',
      ['cgroup/oom-kill', 'cgroup/pids', 'cgroup/pressure-memory'],
      '2 processes were killed in this container for lack of memory (OOM)',
    ],
  ])('cgroup reads %s', async (name, ids, title) => {
    const { points } = await check('--no-target', `cgroup=${fixture(name)}`)
    expect(points.map(({ diag }) => diag?.id)).toEqual(ids)
    expect(points[0]?.name).toBe(title)
  })

  test('a process that is not open to inspection is reported as such', async () => {
    const proc = join(temporary, 'hidden')
    mkdirSync(join(proc, '1'), { recursive: true })
    for (const file of ['status', 'stat']) writeFileSync(join(proc, '1', file), readFileSync(`/proc/self/${file}`))
    symlinkSync('/nowhere', join(proc, '1/root'))
    const { points } = await check(`--proc=${proc}`, 'processes', 'limits', 'cgroup')
    expect(points[0]?.name).toContain('not open to inspection')
    expect(points.slice(1).map(({ skip }) => skip !== undefined)).toEqual([true, true])
  })
})
