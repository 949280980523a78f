import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { Diagnostics, type Point, parse, proveEnd, type Userland } from './diagnostics-userland.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixture = (name: string): string => `${root}/test/fixtures/diagnostics/${name}`

const limited = 'memory.usage_in_bytes 1000000\nmemory.limit_in_bytes 67108864\npids.current 10\npids.max max\n'

describe.each([
  ['busybox', ['busybox', 'awk']],
  ['debian', ['awk']],
])('what the numbers of a cgroup say, as %s reads them', (_, [program = '', ...first]) => {
  needs('busybox')
  function read(lines: string, version = 1, age = '600'): readonly Point[] {
    const files = ['finding.awk', 'cgroup.awk', 'cgroup-cpu.awk'].flatMap((name) => ['-f', `${root}/diagnostics/lib/${name}`])
    const args = [...first, ...files, '-v', `version=${version}`, '-v', 'check=cgroup', '-v', `age=${age}`]
    return parse(`TAP version 14\n${execFileSync(program, args, { input: lines, encoding: 'utf8' })}`)
  }
  const ids = (points: readonly Point[]) => points.map(({ ok, diag }) => (ok ? 'ok' : `${diag?.id} ${diag?.severity}`))

  test.each([
    ['processes at 96 %', 'memory.current 64500000\nmemory.max 67108864\nstat.anon 64000000', 'cgroup/memory error'],
    ['processes at 91 %', 'memory.current 61500000\nmemory.max 67108864\nstat.anon 61000000', 'cgroup/memory warn'],
    ['page cache, of both lists', 'memory.current 67000000\nmemory.max 67108864\nstat.active_file 50000000\nstat.inactive_file 9000000', 'ok'],
    ['names of files that can be forgotten', 'memory.current 67000000\nmemory.max 67108864\nstat.slab_reclaimable 60000000', 'ok'],
    ['files in a tmpfs', 'memory.current 61500000\nmemory.max 67108864\nstat.shmem 50000000\nstat.inactive_file 0', 'cgroup/memory-tmpfs error'],
    ['half of it files in a tmpfs', 'memory.current 35000000\nmemory.max 67108864\nstat.shmem 33000000', 'ok'],
    ['at its soft limit', 'memory.current 62000000\nmemory.max max\nmemory.high 62000000\nevents.high 311', 'cgroup/memory-high warn'],
    ['no limit', 'memory.current 900000000\nmemory.max max', 'ok'],
  ])('memory: %s', (_name, lines, id) => expect(ids(read(lines, 2))).toEqual([id]))

  const shared = 'memory.current 61500000\nmemory.max 67108864\nstat.shmem 50000000\nstat.inactive_file 0\n'
  test.each([
    [
      'left behind',
      'segments 7 7 49000000 49000000',
      'most of it (46.7 MiB) shared memory: 7 segments of System V (IPC), of which none is attached by any process',
    ],
    ['in use, in part', 'segments 3 1 49000000 9', 'shared memory: 3 segments of System V (IPC), of which 1 are not attached by any process'],
    ['in use', 'segments 1 0 49000000 0', 'shared memory: 1 segment of System V (IPC)'],
    ['small', 'segments 1 0 4096 0', 'most of it (47.7 MiB) files in memory: a tmpfs'],
  ])('memory: segments that are %s', (_name, lines, words) => expect(read(shared + lines, 2)[0]?.name).toContain(words))

  test('memory: the limit of the pod counts where it is less', () => {
    const lines = 'memory.usage_in_bytes 64500000\nmemory.limit_in_bytes 9223372036854771712\nstat.hierarchical_memory_limit 67108864'
    expect(read(lines)[0]?.name).toBe('memory of the container is at 96 % of the limit of 64.0 MiB')
  })

  test.each([
    ['the limit of the container', `${limited}memory.failcnt 12\nevents.oom_kill 1`, /the memory limit of the container was reached/],
    ['a limit above', `${limited}memory.failcnt 0\nevents.oom_kill 1`, /the limit of the pod, .* or the node ran out of memory/],
    [
      'none',
      'memory.usage_in_bytes 1000000\nmemory.limit_in_bytes 9223372036854771712\nevents.oom_kill 1',
      /there is no limit: the node ran out of memory/,
    ],
  ])('a kill is put down to %s', (_name, lines, cause) => {
    const [point] = read(lines)
    expect(point).toMatchObject({ ok: false, diag: { id: 'cgroup/oom-kill', severity: 'warn', cause: expect.stringMatching(cause) } })
    expect(point?.name).toBe(
      '1 process was killed in this container for lack of memory (OOM), and its first process lives on: a child or worker, which the status of the pod does not show',
    )
  })

  const quota = `${limited}cpu.cfs_quota_us 10000\ncpu.cfs_period_us 100000\n`
  test.each([
    ['now', `${quota}before.nr_periods 100\nbefore.nr_throttled 50\ncpu.nr_periods 120\ncpu.nr_throttled 69`, '30', 'cgroup/cpu-throttled error'],
    [
      'at the start alone',
      `${quota}before.nr_periods 100\nbefore.nr_throttled 90\ncpu.nr_periods 100\ncpu.nr_throttled 90\ncpu.throttled_time 9000000000`,
      '600',
      'ok',
    ],
    [
      'while it starts',
      `${quota}cpu.nr_periods 100\nbefore.nr_periods 100\ncpu.nr_throttled 90\nbefore.nr_throttled 90\ncpu.throttled_time 9000000000`,
      '15',
      'ok',
    ],
    [
      'for most of its short life, on a busy node',
      `${quota}before.nr_periods 90\nbefore.nr_throttled 60\ncpu.nr_periods 100\ncpu.nr_throttled 61\ncpu.throttled_time 9000000000`,
      '15',
      'cgroup/cpu-throttled warn',
    ],
    [
      'a little all the time, on a busy node',
      `${quota}before.nr_periods 180\nbefore.nr_throttled 60\ncpu.nr_periods 200\ncpu.nr_throttled 63\ncpu.throttled_time 1500000000`,
      '20',
      'cgroup/cpu-throttled warn',
    ],
    [
      'a little before, and now and then',
      `${quota}before.nr_periods 180\nbefore.nr_throttled 60\ncpu.nr_periods 200\ncpu.nr_throttled 61\ncpu.throttled_time 1500000000`,
      '20',
      'ok',
    ],
    [
      'often, and for moments only',
      `${quota}before.nr_periods 180\nbefore.nr_throttled 60\ncpu.nr_periods 200\ncpu.nr_throttled 63\ncpu.throttled_time 400000000`,
      '20',
      'ok',
    ],
    [
      'for long',
      `${quota}cpu.nr_periods 900\nbefore.nr_periods 900\ncpu.nr_throttled 700\nbefore.nr_throttled 700\ncpu.throttled_time 90000000000`,
      '600',
      'cgroup/cpu-throttled warn',
    ],
  ])('CPU throttled %s', (_name, lines, age, id) => expect(ids(read(lines, 1, age))).toEqual([id]))

  test.each([
    ['all are used', 'pids.current 40\npids.max 40', 'cgroup/pids error'],
    ['most are used', 'pids.current 37\npids.max 40', 'cgroup/pids warn'],
    ['some are used', 'pids.current 20\npids.max 40', 'ok'],
    ['more are refused now, by a limit of the pod', 'pids.current 40\npids.max max\nbefore.pids.max 3\npids.events.max 5', 'cgroup/pids error'],
    ['some were refused once', 'pids.current 10\npids.max 40\nbefore.pids.max 3\npids.events.max 3', 'cgroup/pids warn'],
  ])('process ids: %s', (_name, lines, id) => expect(ids(read(lines))).toEqual([id]))

  test.each([
    ['a thread that never sleeps', 'awake 7 9 98 30 0 cart', 'cgroup/spinning warn'],
    ['also where others take the processor', 'awake 7 9 30 30 0 cart', 'cgroup/spinning warn'],
    ['a thread that is at work', 'awake 7 9 98 30 4000 cart', 'ok'],
    ['a thread that has just begun', 'awake 7 9 98 3 0 cart', 'ok'],
    ['threads that grow', 'grows 7 150 170 cart', 'cgroup/threads-grow warn'],
    ['a pool that fills', 'grows 7 20 40 cart', 'ok'],
    ['hundreds of threads', 'grows 7 300 302 cart', 'ok'],
  ])('threads: %s', (_name, lines, id) => expect(ids(read(`${limited}${lines}`))).toEqual([id]))

  test('a thread that is throttled does not spin, and is named', () => {
    const points = read(
      `${quota}before.nr_periods 0\nbefore.nr_throttled 0\ncpu.nr_periods 20\ncpu.nr_throttled 19\nawake 7 9 10 30 0 cart\ncpu-of 7 10 cart`,
    )
    expect(ids(points)).toEqual(['cgroup/cpu-throttled error'])
    expect(points[0]?.diag?.evidence).toContain('7 (cart) 10 %')
  })
})

describe.each<Userland>(['busybox', 'debian'])('cgroup under %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new Diagnostics(userland, busybox)
  const targets: ChildProcess[] = []
  afterAll(() => {
    for (const target of targets) target.kill('SIGKILL')
    pod.remove()
  })

  test.each([
    [
      'cgroup-v1-tmpfs',
      'cgroup/memory-tmpfs',
      /^memory of the container is at 9\d % of its limit of 64\.0 MiB, most of it \(5\d\.\d MiB\) files in memory/,
    ],
    ['cgroup-v1-cache', undefined, /^memory, CPU and process count of the container are within its limits$/],
    ['cgroup-v1-pids', 'cgroup/pids', /^the container has 40 processes and threads of at most 40, and no more can be started/],
    ['cgroup-v1-worker-killed', 'cgroup/oom-kill', /^1 process was killed in this container for lack of memory \(OOM\)$/],
  ])('reads %s', async (name, id, title) => {
    const { points, text } = await pod.run('--no-target', `cgroup=${fixture(name)}`)
    proveEnd(text)
    expect(points).toMatchObject([{ ok: id === undefined, name: expect.stringMatching(title), ...(id ? { diag: { id } } : {}) }])
  })

  test('names a process that never sleeps, and none that does', async () => {
    const start = (command: string) => {
      const child = spawn('/bin/sh', ['-c', command], { stdio: 'ignore' })
      targets.push(child)
      return child.pid ?? 0
    }
    const [busy, idle] = [start('while :; do :; done'), start('while :; do sleep 0.05; done')]
    // It computes, and tells how far it is.
    const telling = start('while :; do i=$((i + 1)); [ $((i % 10000)) -gt 0 ] || echo $i; done')
    const spins = async (pid: number) => (await pod.run(`--target-pid=${pid}`, 'cgroup')).points.filter(({ diag }) => diag?.id === 'cgroup/spinning')
    // It is told once the thread has had 6 s of a processor, which others want, too.
    await expect
      .poll(() => spins(busy), { timeout: 60_000 })
      .toMatchObject([{ name: expect.stringContaining(`process ${busy} (`), diag: { severity: 'warn' } }])
    expect(await spins(idle)).toEqual([])
    expect(await spins(telling)).toEqual([])
  }, 90_000)
})
