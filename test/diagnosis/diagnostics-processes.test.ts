import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { Diagnostics, type Point, proveEnd, type Userland } from './diagnostics-userland.ts'

describe.each<Userland>(['busybox', 'debian'])('processes and limits of a target in trouble under %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new Diagnostics(userland, busybox)
  const temporary = mkdtempSync(join(tmpdir(), 'processes-'))
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
    pod.remove()
    rmSync(temporary, { recursive: true })
  })

  async function check(...args: string[]): Promise<{ readonly points: readonly Point[]; readonly text: string }> {
    const { text, points } = await pod.run(...args)
    proveEnd(text)
    expect(text).not.toContain('# | ')
    return { points, text }
  }

  /** A real process, once it has printed its line. */
  async function start(command: string, ...args: string[]): Promise<number> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(child)
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    return child.pid ?? 0
  }

  interface Process {
    readonly pid: number
    readonly parent?: number
    readonly threads?: number
    readonly most?: string
    readonly maps?: string
  }
  /** A proc root that shows these processes of user 1000; its files are those of a real process, changed. */
  function procOf(name: string, processes: readonly Process[]): string {
    const proc = join(temporary, name)
    for (const { pid, parent = 1, threads = 1, most = 'unlimited', maps = '' } of processes) {
      const at = join(proc, String(pid))
      mkdirSync(join(at, 'root'), { recursive: true })
      mkdirSync(join(at, 'fd'), { recursive: true })
      const status = readFileSync('/proc/self/status', 'utf8')
      const changed = status
        .replace(/^Name:.*$/m, 'Name:\tcart')
        .replace(/^State:.*$/m, 'State:\tS (sleeping)')
        .replace(/^(Uid|Gid):.*$/gm, '$1:\t1000\t1000\t1000\t1000')
        .replace(/^Threads:.*$/m, `Threads:\t${threads}`)
      writeFileSync(join(at, 'status'), changed)
      writeFileSync(join(at, 'stat'), `${pid} (cart) S ${parent} ${pid} ${pid} 0 -1 0 0\n`)
      writeFileSync(join(at, 'comm'), 'cart\n')
      writeFileSync(join(at, 'cgroup'), '0::/target\n')
      writeFileSync(join(at, 'limits'), `Max processes             ${most}   ${most}   processes\nMax open files            1024   1024   files\n`)
      writeFileSync(join(at, 'maps'), maps)
    }
    return proc
  }

  test('processes are shown as a tree', async () => {
    const proc = procOf('tree', [{ pid: 1, parent: 0 }, { pid: 7 }, { pid: 8, parent: 7 }, { pid: 10, parent: 0 }])
    const { text } = await check(`--proc=${proc}`, 'processes')
    expect(text.match(/^# +\d+ +S .*$/gm)?.map((line) => line.replace(/^# +(\d+).*?( *)cart$/, '$1$2'))).toEqual(['1 ', '7   ', '8     ', '10 '])
  })

  test('processes finds threads and children that become too many', async () => {
    const crowd = Array.from({ length: 305 }, (_, n) => ({ pid: n + 2 }))
    const { points } = await check(`--proc=${procOf('crowd', [{ pid: 1, parent: 0, threads: 605 }, ...crowd])}`, 'processes')
    expect(points).toMatchObject([
      {
        ok: false,
        name: expect.stringMatching(/^process 1 \(cart\) of the target has 605 threads/),
        diag: { id: 'processes/threads', severity: 'warn' },
      },
      {
        ok: false,
        name: expect.stringContaining('process 1 of the target has 305 children that run, all named cart'),
        diag: { id: 'processes/children' },
      },
      { ok: true },
    ])
    const some = procOf('some', [{ pid: 1, parent: 0, threads: 220 }, ...crowd.slice(0, 100)])
    expect((await check(`--proc=${some}`, 'processes')).points).toMatchObject([{ ok: true }])
  })

  test('processes finds a library that was replaced under a running process, and not one that a program unpacked', async () => {
    const code = (path: string) => `7f12a0000000-7f12a0010000 r-xp 00000000 08:01 1234                       ${path}\n`
    const maps =
      code('/usr/lib/libssl.so.3 (deleted)') + code('/tmp/libnetty123.so (deleted)') + code('/usr/bin/gone (deleted)') + code('/usr/bin/cart')
    const proc = procOf('replaced', [{ pid: 1, parent: 0, maps }])
    mkdirSync(join(proc, '1/root/usr/lib'), { recursive: true })
    writeFileSync(join(proc, '1/root/usr/lib/libssl.so.3'), '')
    const { points } = await check(`--proc=${proc}`, 'processes')
    expect(points).toMatchObject([
      {
        ok: false,
        name: 'process 1 (cart) of the target still runs the old libssl.so.3: the file was replaced under it',
        diag: { id: 'processes/replaced', severity: 'warn', evidence: '1 (cart): libssl.so.3\n' },
      },
      { ok: true },
    ])
  })

  test.each([
    [30, 'error', 'has used up the processes and threads that its user 1000 may have: 30 of a limit of 30'],
    [35, 'warn', 'is near the limit of processes and threads of its user 1000, or at it: 30 of 35'],
    [100, undefined, 'open files of the target'],
  ])('limits compares the processes of a user with a limit of %i', async (most, severity, title) => {
    const crowd = Array.from({ length: 30 }, (_, n) => ({ pid: n + 1, parent: n === 0 ? 0 : 1, most: String(most) }))
    const { points } = await check(`--proc=${procOf(`user-${most}`, crowd)}`, 'limits')
    expect(points[0]).toMatchObject({
      ok: severity === undefined,
      name: expect.stringContaining(title),
      ...(severity ? { diag: { id: 'limits/processes', severity } } : {}),
    })
  })

  test.each([
    [128, 'error', 'has used up the inotify instances of its user 1000: 128 of 128'],
    [100, 'warn', 'is near the limit of inotify instances of its user 1000, or at it: 100 of 128'],
    [50, undefined, 'open files of the target'],
  ])('limits counts inotify instances of a user over its processes: %i', async (count, severity, title) => {
    const proc = procOf(`inotify-${count}`, [{ pid: 1, parent: 0 }, { pid: 7 }])
    for (let n = 0; n < 140; n++) symlinkSync(n < count ? 'anon_inode:inotify' : 'socket:[1]', join(proc, n % 2 ? '1/fd' : '7/fd', String(n)))
    mkdirSync(join(proc, 'sys/fs/inotify'), { recursive: true })
    writeFileSync(join(proc, 'sys/fs/inotify/max_user_instances'), '128\n')
    const { points } = await check(`--proc=${proc}`, 'limits')
    expect(points[0]).toMatchObject({
      ok: severity === undefined,
      name: expect.stringContaining(title),
      ...(severity ? { diag: { id: 'limits/inotify', severity } } : {}),
    })
  })

  describe('as Perl plays it', () => {
    const perl = needs('perl')

    test('processes names a debugger and what it holds', async (context) => {
      if (process.arch !== 'x64') return context.skip('because system calls have other numbers there')
      const target = await start(perl, '-e', '$| = 1; print "ready\\n"; sleep 60')
      // PTRACE_ATTACH; where a process may trace its descendants alone, only root may.
      const tracer = await start(perl, '-e', `$| = 1; print syscall(101, 16, ${target}, 0, 0) == 0 ? "yes\\n" : "no\\n"; sleep 60`)
      await expect.poll(() => readFileSync(`/proc/${target}/status`, 'utf8')).toMatch(/^State:\tt/m)
      const { points } = await check(`--target-pid=${target}`, 'processes')
      expect(points).toMatchObject([
        {
          ok: false,
          name: `process ${target} (perl) of the target is stopped by a debugger (state t, traced by process ${tracer} (perl)) and does no work`,
          diag: { id: 'processes/traced', severity: 'error' },
        },
        { ok: true },
      ])
    })

    test('processes names what waits in the kernel, and for how long at least', async (context) => {
      if (process.arch !== 'x64') return context.skip('because system calls have other numbers there')
      // The parent of a vfork waits, uninterruptible, until its child goes on: so the child must be ended, too.
      const target = await start(perl, '-e', '$| = 1; print "ready\\n"; if (syscall(58) == 0) { sleep 60 }')
      await expect.poll(() => readFileSync(`/proc/${target}/stat`, 'utf8')).toContain(') D ')
      const { points } = await check(`--target-pid=${target}`, 'processes')
      const child = Number(readFileSync(`/proc/${target}/task/${target}/children`, 'utf8').trim())
      process.kill(child, 'SIGKILL')
      expect(points).toMatchObject([
        {
          ok: false,
          name: `process ${target} (perl) of the target waits in the kernel and cannot be interrupted (state D)`,
          diag: { id: 'processes/stuck', severity: 'warn', evidence: expect.stringContaining('a second or more') },
        },
        { ok: true },
      ])
    })
  })
})
