import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { needs } from '../needs.ts'
import { listen, stopServers } from './diagnostics-servers.ts'
import { Diagnostics, type Printed, printed, proveEnd, type Userland } from './diagnostics-userland.ts'

const checks = {
  // As a check of someone else's may be written, without lib/check.sh.
  plain: 'sleep 60',
  nested: `. "\${0%/*}/../lib/check.sh"; x=$(printf %s "$( (sleep 60; echo a) | (cat; sleep 60) | awk "{ print }")"); pass "$x"`,
}

/** Waits 2 s in a pipeline: it samples a cgroup that was captured. */
const cgroup = `cgroup=${fileURLToPath(new URL('../fixtures/diagnostics/cgroup-v2-healthy', import.meta.url))}`

/**
 * The runner comes into the process namespace of its target from outside, as by the container runtime. The target is a program that
 * never reaps: what the runner leaves behind stays a zombie of process 1.
 */
describe.each<Userland>(['busybox', 'debian'])('runner under %s beside a target that reaps nothing', (userland) => {
  const busybox = needs('busybox')
  const unshare = needs('unshare')
  const nsenter = needs('nsenter')
  const pod = new Diagnostics(userland, busybox, checks)
  const root = process.getuid?.() === 0
  const sockets: Socket[] = []
  let namespace: ChildProcess | undefined
  let target = ''
  let silent = 0
  let redirecting = 0

  beforeAll(async () => {
    silent = await listen(createServer((socket) => sockets.push(socket.on('error', () => {}))))
    const late = createHttpServer((_, response) => {
      setTimeout(() => response.writeHead(302, { location: `https://127.0.0.1:${silent}/` }).end(), 2000)
    })
    redirecting = await listen(late)
    if (!root || !unshare || !nsenter) return
    namespace = spawn(unshare, ['--pid', '--fork', '--kill-child', '--mount-proc', 'sleep', '300'], { stdio: 'ignore' })
    await vi.waitFor(
      () => {
        target = childrenOf(namespace?.pid)[0] ?? ''
        expect(read(`/proc/${target}/comm`)).toBe('sleep\n')
      },
      { timeout: 5000 },
    )
  })
  afterAll(() => {
    namespace?.kill()
    for (const socket of sockets) socket.destroy()
    stopServers()
    pod.remove()
  })

  async function run(args: readonly string[], during?: (child: ChildProcess) => Promise<void>): Promise<Printed> {
    const enter = ['--target', target, '--pid', '--mount', `${pod.home}/runner`, ...args]
    const child = spawn(nsenter, enter, { env: { PATH: pod.path }, cwd: pod.home, stdio: ['ignore', 'pipe', 'pipe'] })
    const result = printed(child)
    await during?.(child)
    proveEnd((await result).text)
    return result
  }

  test('leaves no zombie when a check is late', async (context) => {
    if (!root) return context.skip('because only root may make a process namespace')
    const network = userland === 'busybox' ? [`http=https://127.0.0.1:${silent}/`, `http=http://127.0.0.1:${redirecting}/`] : []
    for (const check of [cgroup, 'plain', 'nested', ...network]) {
      const { text } = await run(['--deadline=1', check])
      if (!check.startsWith('http')) expect(text).toContain('did not end within 1 s and was stopped')
      await expect.poll(() => childrenOf(target), { timeout: 2000, message: text }).toEqual([])
    }
  })

  test('leaves no zombie when it is stopped', async (context) => {
    if (!root) return context.skip('because only root may make a process namespace')
    for (const check of [cgroup, 'nested']) {
      const { text } = await run(['--deadline=20', check], async (child) => {
        await expect.poll(() => runsIn(pod, /^(busybox )?sleep [26]/), { timeout: 5000, interval: 10 }).toBe(true)
        process.kill(Number(childrenOf(child.pid)[0]), 'SIGTERM')
      })
      expect(text).toContain('# autodiagnose stopped by TERM')
      await expect.poll(() => childrenOf(target), { timeout: 2000, message: check }).toEqual([])
    }
  })
})

/** The processes whose parent this is, zombies included. */
function childrenOf(parent: string | number | undefined): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+ \(.*\) \S (\d+) /s.exec(read(`/proc/${pid}/stat`))?.[1] === String(parent))
}

const runsIn = (pod: Diagnostics, command: RegExp): boolean =>
  readdirSync('/proc').some(
    (pid) => read(`/proc/${pid}/environ`).includes(pod.home) && command.test(read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')),
  )

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
