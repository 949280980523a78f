import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { PodTree, told } from './diagnostics-pod.ts'
import { Diagnostics, type Userland } from './diagnostics-userland.ts'

const options = fileURLToPath(new URL('../../diagnostics/lib/options.awk', import.meta.url))

/** What a target may choose: names of processes and files, arguments, what its paths lead to. */
describe.each<Userland>(['busybox', 'debian'])('a hostile target under %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new PodTree(userland, busybox)
  const own: Diagnostics[] = []
  beforeEach(() => {
    pod.runAs({})
    pod.mount([])
    rmSync(pod.root, { recursive: true })
    mkdirSync(pod.root)
    rmSync(join(pod.proc, '1/exe'), { force: true })
    writeFileSync(join(pod.proc, '1/comm'), 'shop\n')
  })
  afterAll(() => {
    pod.remove()
    for (const one of own) one.remove()
  })
  const fifo = (path: string): void => {
    pod.directory(join(path, '..'))
    execFileSync('mkfifo', [join(pod.root, path)])
  }
  const runs = (exe: string, mapped: string, ...args: readonly string[]): void => {
    rmSync(join(pod.proc, '1/exe'), { force: true })
    symlinkSync(exe, join(pod.proc, '1/exe'))
    writeFileSync(join(pod.proc, '1/maps'), `7f0000000000-7f0000001000 r-xp 00000000 fe:00 1 ${mapped}\n`)
    writeFileSync(join(pod.proc, '1/cmdline'), args.join('\0'))
  }
  const forged = /^(not )?ok \d+ - forged/m

  test('a name that is a pattern of files is not expanded', async () => {
    pod.file('/etc/app/a.conf', 'a = 1\nb = 2\n')
    const status = (name: string): void =>
      writeFileSync(join(pod.proc, '1/status'), `Name:\t${name}\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t\n`)
    status('/*/*/*/*/*/*')
    const began = performance.now()
    const { points } = await pod.check('file=/etc/app/a.conf')
    expect(points).toMatchObject([{ ok: true }])
    expect(performance.now() - began).toBeLessThan(4000)
  })

  test('nameservers, search path and addresses that are patterns are not expanded', async () => {
    pod.file('/etc/resolv.conf', 'nameserver /*\nnameserver 127.0.0.1\nsearch /*\n')
    pod.file('/etc/hosts', '/* shop\n')
    for (const name of ['dns=shop', 'tcp=shop:1']) {
      const { points, text } = await pod.check(name)
      expect(points).not.toHaveLength(0)
      expect(text).not.toMatch(/\/(bin|etc|usr)\b(?!\/)/)
    }
  })

  test('no FIFO and no device is opened, not even through links', async () => {
    fifo('/usr/include/node/node_version.h')
    pod.directory('/var/lib/dpkg')
    symlinkSync('/dev/zero', join(pod.root, 'var/lib/dpkg/status'))
    runs('/usr/bin/node', '/usr/bin/node', 'node', 'server.js')
    expect(told((await pod.check('runtime')).points)).toEqual(['the target runs Node.js'])

    fifo('/opt/java/release')
    fifo('/tmp/hsperfdata_shop/1')
    runs('/opt/java/bin/java', '/opt/java/lib/server/libjvm.so', 'java', 'Main')
    expect(told((await pod.check('runtime')).points)).toEqual(['the target runs JVM'])

    pod.mount([{ point: '/run/token', options: 'ro,relatime' }])
    fifo('/run/token/..2026_11_27_11_59_58.1/token')
    symlinkSync('..2026_11_27_11_59_58.1', join(pod.root, 'run/token/..data'))
    symlinkSync('..data/token', join(pod.root, 'run/token/token'))
    expect((await pod.check('kubernetes')).text).not.toContain('too-slow')
  })

  test('a path with a line end, or what looks so, makes no test point', async () => {
    for (const [at, name] of ['a\nok - forged', 'a\\nok - forged', 'a\\012not ok - forged'].entries()) {
      pod.file(`/etc/${at}/${name}`, 'a = 1\nb = 2\n')
      symlinkSync(name, join(pod.root, `etc/${at}/link`))
      const { text, points } = await pod.check(`file=/etc/${at}/link`)
      expect(points).toHaveLength(1)
      expect(text).not.toMatch(forged)
    }
    pod.mount([{ point: '/data\\012ok\\040-\\040forged' }, { point: '/data\\134nok\\040-\\040forged' }])
    pod.directory('/data\nok - forged', 0o700)
    pod.directory('/data\\nok - forged', 0o700)
    const { text } = await pod.check('disk')
    expect(text).not.toMatch(forged)
    expect(text).toMatch(/^# \/data.ok - forged \(tmpfs, memory\)|^# \/data.ok - forged: its numbers|^# \/data.*forged/m)
  })

  test('a key with a line end in its name neither breaks the check nor forges one', async () => {
    const version = '/etc/app/..2026_11_27_11_59_58.1'
    for (const name of ['good.conf', 'a\n0forged 1 2 3 x', 'b\nok - forged', 'c\\nok - forged']) {
      pod.file(`${version}/${name}`, '')
      symlinkSync(`..data/${name}`, join(pod.root, 'etc/app', name))
    }
    symlinkSync('..2026_11_27_11_59_58.1', join(pod.root, 'etc/app/..data'))
    chmodSync(join(pod.root, version, 'good.conf'), 0)
    pod.mount([{ point: '/etc/app', options: 'ro,relatime' }])
    const { points, text } = await pod.check('kubernetes')
    expect(told(points)).toEqual(['warn kubernetes/not-readable/etc/app', 'warn kubernetes/empty-keys/etc/app'])
    expect(text).not.toMatch(forged)
  })

  test('a check whose shell gave up is told', async () => {
    const broken = new Diagnostics(userland, busybox, { odd: `echo "ok - forged"\nvalue=$((0$1forged))\necho "ok - reached"` })
    own.push(broken)
    const { points } = await broken.run('--proc=/nonexistent', 'odd')
    expect(points.at(-1)).toMatchObject({ ok: false, diag: { id: 'odd/broken', severity: 'warn' } })
  })

  /** With a py-spy that prints this, and what its check needs of the kernel. */
  async function stacks(printed: string, comm: string) {
    const one = new Diagnostics(userland, busybox)
    own.push(one)
    writeFileSync(join(one.path, 'py-spy'), `#!${join(one.path, 'sh')}\ncat <<'END'\n${printed}\nEND\n`)
    chmodSync(join(one.path, 'py-spy'), 0o755)
    // As on a node of any userland: the check asks for busybox, and for the machine.
    if (userland === 'debian')
      for (const name of ['busybox', 'uname']) symlinkSync(name === 'busybox' ? busybox : `/usr/bin/${name}`, join(one.path, name))
    runs('/usr/bin/python3.11', '/usr/bin/python3.11', 'python3', 'app.py')
    writeFileSync(join(pod.proc, '1/syscall'), '0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n')
    writeFileSync(join(pod.proc, '1/comm'), `${comm}\n`)
    return one.run(`--proc=${pod.proc}`, 'python-stacks')
  }
  const thread = 'Thread 1 (idle): "MainThread"\n    serve (app.py:7)'

  test("py-spy's line with the command line is never printed", async () => {
    const failed = await stacks('Process 1: python3 app.py --password made-up-secret\nError: Permission denied', 'python3')
    expect(failed.points).toMatchObject([{ ok: true, skip: 'py-spy cannot read it: permission denied' }])
    const read = await stacks(`Process 1: python3 app.py Thread made-up-secret\nPython v3.11.2 (/usr/bin/python3.11)\n\n${thread}`, 'python3')
    expect(read.text).toMatch(/^# thread 1 \(MainThread\): serve \(app\.py:7\)$/m)
    expect(read.text + failed.text).not.toContain('made-up')
  })

  test.each(['a\\nok - forged', '# SKIP x', 'a\\043 SKIP x'])('the name %s of a process makes no test point and no directive', async (comm) => {
    const { points, text } = await stacks(`Process 1: x\nPython v3.11.2 (x)\n\n${thread}`, comm)
    expect(points).toHaveLength(1)
    expect(points[0]).not.toHaveProperty('skip')
    expect(points[0]?.name).toMatch(/^stacks of 1 threads of process 1 /)
    expect(text).not.toMatch(forged)
  })

  test.each([
    ['-u -m debugpy --listen 0.0.0.0:5678 --wait-for-client app.py -pHunterTwo', 'debug 5678 debugpy;waits 5678 debugpy;flags -u -m'],
    ['-mdebugpy --listen 5679 -m shop -pHunterTwo --listen 1', 'debug 5679 debugpy;flags -m'],
    ['-m shop -pHunterTwo -B', 'flags -m'],
    ['-Xdev -W ignore -cHunterTwo -pHunterTwo', 'flags -X -W -c'],
    ['-pHunterTwo app.py -u', ''],
    ['-bBu - -pHunterTwo', 'flags -bBu'],
    ['app.py -m debugpy --listen 1', ''],
  ])('python %s', (line, said) => {
    const input = `args\npython3\n${line.split(' ').join('\n')}\n\nenvironment\n`
    const [command, ...first] = userland === 'busybox' ? [busybox, 'awk'] : ['/usr/bin/awk']
    const text = execFileSync(command as string, [...first, '-f', options, '-v', 'kind=python'], { input, encoding: 'utf8' })
    expect(text.trim().split('\n').join(';')).toBe(said)
  })
})
