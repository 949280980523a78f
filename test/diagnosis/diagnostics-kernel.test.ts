import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { listen, stopServers } from './diagnostics-servers.ts'
import { Diagnostics, parse, proveEnd, type Userland } from './diagnostics-userland.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const log = readFileSync(`${root}/test/fixtures/diagnostics/kernel-log/oom-of-pod`, 'utf8')

describe.each([
  ['busybox', ['busybox', 'awk']],
  ['debian', ['awk']],
])('the log of the kernel, as %s reads it', (_, [program = '', ...first]) => {
  needs('busybox')
  function read(uid: string, names: string, memory = 'memory MemTotal: 8000000 kB\nmemory MemAvailable: 4000000 kB\n') {
    const args = [
      ...first,
      '-f',
      `${root}/diagnostics/lib/finding.awk`,
      '-f',
      `${root}/diagnostics/lib/kernel.awk`,
      '-v',
      'check=kernel',
      '-v',
      `uid=${uid}`,
      '-v',
      `names=${names}`,
    ]
    return parse(`TAP version 14\n${execFileSync(program, args, { input: memory + log, encoding: 'utf8' })}`)
  }

  test('names who of this pod was killed, and nobody of another', () => {
    expect(read('44bd5380-b7fe-4c94-9c1f-0bdda4325bb2', '/sh/')).toMatchObject([
      {
        ok: false,
        name: 'the kernel killed a process of this pod for lack of memory (OOM): perl, which held 62 MiB',
        diag: { id: 'kernel/oom-kill', severity: 'error' },
      },
    ])
    expect(read('00000000-b7fe-4c94-9c1f-0bdda4325bb2', '/sh/')).toEqual([])
    expect(read('', '/sh/')).toEqual([])
  })

  test('names a crash and a hang of a process that is named as one of the target', () => {
    expect(read('', '/cart/stock/').map(({ diag }) => diag?.id)).toEqual(['kernel/segfault', 'kernel/hung-task'])
  })

  test('warns of a node that is short of memory', () => {
    const short = 'memory MemTotal: 8000000 kB\nmemory MemAvailable: 100000 kB\n'
    expect(read('', '', short)).toMatchObject([{ name: 'the node is short of memory: 97 MiB available of 7812 MiB' }])
  })
})

describe.each<Userland>(['busybox', 'debian'])('checks of kernel and time under %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new Diagnostics(userland, busybox)
  const target = spawn('/bin/sleep', ['60'], { stdio: 'ignore' })
  afterAll(() => {
    target.kill('SIGKILL')
    pod.remove()
    stopServers()
  })

  test('kernel shows who would be killed first, and says whether the log is open', async () => {
    const { text, points } = await pod.run(`--target-pid=${target.pid}`, 'kernel')
    proveEnd(text)
    expect(text).toMatch(new RegExp(`^# +\\d+ -?\\d+ ${target.pid} \\d+ sleep$`, 'm'))
    expect(points.at(-1)).toMatchObject({ ok: true, name: expect.stringContaining('the log of the kernel') })
  })

  test('time tells the clock, and compares it with that of a server', async (context) => {
    const { text, points } = await pod.run(`--target-pid=${process.pid}`, 'time')
    proveEnd(text)
    expect(points).toMatchObject([{ ok: true, name: expect.stringMatching(/^the clock is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/) }])
    expect(text).toMatch(/^# time zone of the target: /m)
    if (userland === 'debian') return context.skip('because http needs busybox')
    const late = createServer((_, response) => response.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end())
    const port = await listen(late)
    const compared = await pod.run('--no-target', `time=http://127.0.0.1:${port}/`)
    expect(compared.points[0]).toMatchObject({ ok: true, name: expect.stringContaining('compared below') })
    expect(compared.points.map(({ diag }) => diag?.id)).toContain(`http/127.0.0.1:${port}/skew`)
  })
})
