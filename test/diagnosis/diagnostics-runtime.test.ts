import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { check, findings, freePort, Programs, program } from './diagnostics-programs.ts'
import { Diagnostics, type Userland } from './diagnostics-userland.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/diagnostics/${name}`, import.meta.url))

describe.each<Userland>(['busybox', 'debian'])('runtimes under %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new Diagnostics(userland, busybox)
  const temporary = mkdtempSync(join(tmpdir(), 'runtime-'))
  const programs = new Programs()
  afterAll(() => {
    programs.stop()
    pod.remove()
    rmSync(temporary, { recursive: true })
  })

  /** A proc root in which process 1 is a copy of what the kernel shows of a real one; what a test wants otherwise it writes there. */
  function captured(name: string, pid: number): string {
    const proc = join(temporary, name)
    mkdirSync(join(proc, '1/net'), { recursive: true })
    for (const file of ['stat', 'status', 'cgroup', 'comm', 'cmdline', 'environ', 'maps', 'limits']) {
      writeFileSync(join(proc, '1', file), readFileSync(`/proc/${pid}/${file}`))
    }
    writeFileSync(join(proc, '1/stat'), readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^\d+/, '1'))
    symlinkSync(readlinkSync(`/proc/${pid}/exe`), join(proc, '1/exe'))
    symlinkSync('/', join(proc, '1/root'))
    mkdirSync(join(proc, '1/fd'))
    for (const table of ['tcp', 'tcp6']) writeFileSync(join(proc, '1/net', table), '  sl  local_address rem_address   st tx_queue rx_queue\n')
    return proc
  }
  const listens = (proc: string, address: string, port: number): void =>
    writeFileSync(
      join(proc, '1/net/tcp'),
      `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: ${address}:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n`,
    )
  const limit = (mebibytes: number): string => {
    const directory = join(temporary, `limit-${mebibytes}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'memory.max'), `${mebibytes * 1024 * 1024}\n`)
    return directory
  }

  test('Node.js: version, heap against the limit, an inspector that is open to others', async () => {
    const args = ['--inspect=127.0.0.1:0', '--max-old-space-size=64', '-e', 'console.log("ready"); setTimeout(() => {}, 60_000)']
    const pid = await programs.start(process.execPath, args, { NODE_OPTIONS: '--max_old_space_size=512', SECRET: 'made-up-secret' })
    const healthy = await check(pod, `--target-pid=${pid}`, `runtime=${limit(128)}`)
    expect(findings(healthy.points)).toEqual([])
    expect(healthy.text).toMatch(/heap at most 64 MiB by --max-old-space-size, options .*--inspect/)
    expect(healthy.text).not.toContain('made-up')

    const proc = captured('node', pid)
    writeFileSync(join(proc, '1/cmdline'), ['node', '--inspect=0.0.0.0:9333', '--require', 'made-up-module', 'server.js', '--inspect=1'].join('\0'))
    listens(proc, '00000000', 9333)
    const { points, text } = await check(pod, `--proc=${proc}`, `--target-pid=1`, `runtime=${limit(256)}`)
    expect(findings(points)).toEqual([
      { id: 'runtime/heap-over-limit', severity: 'error', name: expect.stringMatching(/^maximum heap of 512 MiB .* exceeds .* limit of 256 MiB/) },
      { id: 'runtime/debug-port/9333', severity: 'warn', name: expect.stringContaining('inspector port 9333') },
    ])
    expect(text).not.toContain('made-up')
    listens(proc, '0100007F', 9333)
    expect(findings((await check(pod, `--proc=${proc}`, `--target-pid=1`, 'runtime')).points)).toEqual([])
  })

  test.each([
    ['-Xmx2g -Xmx96m', '', 128, undefined],
    ['-Xmx96m -Xmx2g', '', 128, 'runtime/heap-over-limit'],
    ['-Xmx127m', '', 128, 'runtime/heap-near-limit'],
    ['-XX:MaxHeapSize=1G', '', 512, 'runtime/heap-over-limit'],
    ['-XX:MaxRAMPercentage=75.0', '', 128, undefined],
    ['', '-Xmx300m', 256, 'runtime/heap-over-limit'],
    ['-jar app.jar -Xmx9g', '', 128, undefined],
    ['-XX:-UseContainerSupport', '', 16, 'runtime/limit-unknown'],
  ])('JVM: %s with JAVA_TOOL_OPTIONS "%s" in %i MiB', async (options, environment, mebibytes, id) => {
    const proc = captured(`jvm-${options}-${environment}`.replace(/[^a-z0-9-]/gi, '_'), process.pid)
    const home = '/usr/lib/jvm/java-17-openjdk-amd64'
    writeFileSync(join(proc, '1/maps'), `7f0000000000-7f0000001000 r-xp 00000000 fe:00 1 ${home}/lib/server/libjvm.so\n`)
    writeFileSync(join(proc, '1/cmdline'), ['java', ...options.split(' '), 'Main', '-Dpassword=made-up'].filter(Boolean).join('\0'))
    writeFileSync(join(proc, '1/environ'), environment === '' ? 'A=b\0' : `A=b\0JAVA_TOOL_OPTIONS=${environment}\0`)
    writeFileSync(join(proc, 'meminfo'), 'MemTotal:       16000000 kB\n')
    const { points, text } = await check(pod, `--proc=${proc}`, '--target-pid=1', `runtime=${limit(mebibytes)}`)
    expect(findings(points).map((finding) => finding.id)).toEqual(id === undefined ? [] : [id])
    expect(points.at(-1)?.name).toMatch(/^the target runs JVM/)
    expect(text).not.toContain('made-up')
  })

  test('JVM: a debug port for all, and management without a password', async () => {
    const proc = captured('jvm-debug', process.pid)
    writeFileSync(join(proc, '1/maps'), '7f0000000000-7f0000001000 r-xp 00000000 fe:00 1 /opt/java/lib/server/libjvm.so\n')
    const jdwp = '-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=*:5005'
    writeFileSync(join(proc, '1/cmdline'), ['java', jdwp, 'Main'].join('\0'))
    listens(proc, '00000000', 5005)
    expect(findings((await check(pod, `--proc=${proc}`, '--target-pid=1', 'runtime')).points)).toMatchObject([
      { id: 'runtime/debug-port/5005', name: expect.stringContaining('JDWP port 5005') },
    ])
    const jmx = ['-Dcom.sun.management.jmxremote.port=9010', '-Dcom.sun.management.jmxremote.authenticate=false']
    writeFileSync(join(proc, '1/cmdline'), ['java', ...jmx, 'Main'].join('\0'))
    listens(proc, '00000000', 9010)
    expect(findings((await check(pod, `--proc=${proc}`, '--target-pid=1', 'runtime')).points)).toMatchObject([{ id: 'runtime/management-port/9010' }])
  })

  test.each([
    ['python', '/usr/local/lib/libpython3.12.so.1.0', /^the target runs Python 3\.12/],
    ['ruby', '/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2', /^the target runs Ruby 3\.1\.2$/],
    ['dotnet', '/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.4/libcoreclr.so', /^the target runs \.NET 8\.0\.4$/],
    ['php', '/usr/lib/apache2/modules/libphp8.2.so', /^the target runs PHP 8\.2/],
    ['musl', '/lib/ld-musl-x86_64.so.1', /^the target runs native program on musl/],
    ['nothing', '/app', /^the target runs native program without a shared C library$/],
  ])('is told by what is mapped: %s', async (name, file, title) => {
    const proc = captured(name, process.pid)
    rmSync(join(proc, '1/exe'))
    symlinkSync('/app', join(proc, '1/exe'))
    writeFileSync(join(proc, '1/maps'), `7f0000000000-7f0000001000 r-xp 00000000 fe:00 1 ${file}\n`)
    const { points } = await check(pod, `--proc=${proc}`, '--target-pid=1', 'runtime')
    expect(points).toMatchObject([{ ok: true, name: expect.stringMatching(title) }])
  })

  test('what the kernel does not show is skipped', async () => {
    expect((await check(pod, '--no-target', 'runtime', 'threads')).points.map(({ skip }) => skip !== undefined)).toEqual([true, true])
  })
})

describe('Go', () => {
  const busybox = needs('busybox')
  const pod = new Diagnostics('busybox', busybox)
  const temporary = mkdtempSync(join(tmpdir(), 'go-'))
  const go = needs('go')
  const programs = new Programs()
  afterAll(() => {
    programs.stop()
    pod.remove()
    rmSync(temporary, { recursive: true })
  })

  test('tells version and module by the build info, and goroutines by pprof', async () => {
    const binary = join(temporary, 'shop')
    cpSync(program('gopher/main.go'), join(temporary, 'main.go'))
    writeFileSync(join(temporary, 'go.mod'), 'module example.com/shop\n\ngo 1.22\n')
    execFileSync(go, ['build', '-o', binary, '.'], { cwd: temporary, env: { ...process.env, CGO_ENABLED: '0' } })
    const port = await freePort()
    const pid = await programs.start(binary, [`debug 127.0.0.1:${port}`, 'orders 1200', 'stock 30'])
    const { points, text } = await check(pod, `--target-pid=${pid}`, 'runtime', 'threads')
    expect(findings(points)).toEqual([])
    expect(text).toMatch(/Go 1\.\d+(\.\d+)?, program example\.com\/shop, module example\.com\/shop \(devel\)|Go 1\.\d+/)
    await expect
      .poll(async () => findings((await check(pod, `--target-pid=${pid}`, 'go')).points), { timeout: 15_000 })
      .toEqual([
        { id: 'go/mutex', severity: 'warn', name: expect.stringMatching(/^29 goroutines .* wait for a mutex, 29 of them in main\.reserve/) },
        {
          id: 'go/goroutine-leak',
          severity: 'error',
          name: expect.stringMatching(/^1200 of 12\d\d goroutines .* main\.confirm \(main\.go:\d+\): a goroutine leak$/),
        },
      ])
    const heap = await check(pod, '--no-target', `go=${port},heap`)
    expect(heap.points.at(-1)).toMatchObject({ ok: true, name: expect.stringMatching(/^\d+ bytes of the sampled heap/) })
  })

  test('a port without pprof is skipped', async () => {
    expect((await check(pod, '--no-target', `go=${await freePort()}`)).points).toMatchObject([{ ok: true, skip: expect.stringContaining('refused') }])
  })
})

describe('a thread dump', () => {
  const busybox = needs('busybox')
  const programs = ['finding', 'jvm-threads'].flatMap((name) => ['-f', fileURLToPath(new URL(`../../diagnostics/lib/${name}.awk`, import.meta.url))])
  const read = (name: string): string =>
    execFileSync(busybox, ['awk', ...programs, '-v', 'check=jvm-threads', '-v', 'who=process 1 (java)', fixture(`jvm/${name}.txt`)], {
      encoding: 'utf8',
    })

  test.each([
    [
      'monitor-deadlock',
      'jvm-threads/deadlock',
      '2 threads of process 1 (java) are deadlocked: payment-in waits for payment-out, payment-out waits for',
    ],
    [
      'lock-deadlock',
      'jvm-threads/deadlock',
      '2 threads of process 1 (java) are deadlocked: ledger-a waits for ledger-b, ledger-b waits for ledger-a',
    ],
    [
      'monitor-held',
      'jvm-threads/lock-held',
      '11 threads of process 1 (java) wait for one lock (java.lang.Object), which thread order-0 holds in Shop.',
    ],
    [
      'lock-held',
      'jvm-threads/lock-held',
      '6 threads of process 1 (java) wait for one lock (java.util.concurrent.locks.ReentrantLock$NonfairSync), which thread wor',
    ],
  ])('of HotSpot 17 tells %s', (name, id, title) => {
    const text = read(name)
    expect(text).toContain(`not ok - ${title}`)
    expect(text.match(/^ {2}id: .*$/gm)).toEqual([`  id: "${id}"`])
  })

  test('is not needed for the heap: HotSpot counts in a file', () => {
    const counters = fileURLToPath(new URL('../../diagnostics/lib/hsperf.awk', import.meta.url))
    const line = (bytes: Buffer): string => {
      const numbers = execFileSync(busybox, ['od', '-An', '-v', '-tu1'], { input: bytes })
      return execFileSync(busybox, ['awk', '-f', counters], { input: numbers, encoding: 'utf8' })
    }
    const file = readFileSync(fixture('jvm/hsperfdata'))
    expect(line(file)).toBe('16773712 16777216 2558272741 1000000000\n')
    expect(line(Buffer.concat([Buffer.from('torn'), file]))).toBe('')
    expect(line(file.subarray(0, 3000))).toBe('')
    // A length that leads nowhere ends it.
    expect(line(Buffer.concat([file.subarray(0, 32), Buffer.alloc(32768, 255)]))).toBe('')
  })

  test('of idle pools tells nothing', () => {
    expect(read('lock-idle')).toMatch(/^# threads of Java: .*\nok - /)
  })
})
