import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it, vi } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const leftovers: (() => void)[] = []
afterEach(() => {
  for (const remove of leftovers.splice(0)) remove()
})

/** Runs the demo without a terminal. `output` grows while it runs. */
function startDemo({ args = [] as string[], env = {} as Record<string, string> } = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts', ...args], {
    cwd: root,
    env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1', ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that it can be sent ^C as by a terminal.
    detached: true,
  })
  const demo = { child, output: '', ended: once(child, 'close').then(([code]) => code as number | null) }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (demo.output += text))
  leftovers.push(() => {
    kill(child, 'SIGKILL')
    const directory = directoryOf(demo.output)
    if (directory) rmSync(directory, { recursive: true, force: true })
  })
  return demo
}

/** Waits until it says so, or has ended without. */
async function tells(demo: ReturnType<typeof startDemo>, text: string) {
  await Promise.race([vi.waitFor(() => expect(demo.output).toContain(text), 50_000), demo.ended])
  expect(demo.output).toContain(text)
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid ?? 0), signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const directoryOf = (output: string) => {
  const name = /\.demo\/([\w-]+)/.exec(output)?.[1]
  return name ? join(root, '.demo', name) : undefined
}
const pathOf = (output: string, label: string) => join(root, new RegExp(`^ {3}${label} +(\\S+)$`, 'm').exec(output)?.[1] ?? `no ${label} is told`)

/** Processes that the demo started, or that those started: all of them have its directory in their environment. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(directory)
      } catch {
        return false
      }
    })
}

/** A PATH that holds what a minimal Debian has: no busybox, nc, nslookup or curl. */
function barePath(without?: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'bare-'))
  leftovers.push(() => rmSync(directory, { recursive: true }))
  const names =
    'awk basename cat chmod cut date dd df dirname echo env expr find fold getconf grep head id kill ln ls mkdir nice nproc printf pwd readlink renice rm sed seq setsid sh sleep sort stat tail tee test timeout touch tr true uname uniq wc'
  for (const name of names.split(' ')) {
    if (name === without) continue
    const found = (process.env.PATH ?? '').split(delimiter).find((folder) => existsSync(join(folder, name)))
    if (found) symlinkSync(join(found, name), join(directory, name))
  }
  return directory
}

function expectResult(output: string) {
  expect(output).toMatch(/not ok \d+ - .*http:\/\/localhost:\d+\/v1\/prices.* 500 Internal Server Error/)
  expect(output).toMatch(/Found: .*500 Internal Server Error/)
  const [log, bundle, report] = ['log', 'bundle', 'report'].map((label) => pathOf(output, label))
  expect(readFileSync(log ?? '', 'utf8')).toContain('500 Internal Server Error')
  expect(readFileSync(report ?? '', 'utf8')).toContain('500 Internal Server Error')
  expect(bundle).toMatch(/\.tar\.gz$/)
  const files = execFileSync('tar', ['-tzf', bundle ?? ''], { encoding: 'utf8' })
    .trim()
    .split('\n')
  const held = files
    .filter((file) => /\.(log|txt|tap)$/.test(file))
    .map((file) => execFileSync('tar', ['-xzOf', bundle ?? '', file], { encoding: 'utf8' }))
  expect(held.some((text) => text.includes('TAP version 14') && text.includes('500 Internal Server Error'))).toBe(true)
}

it('finds the fault and leaves log, bundle and report', { timeout: 60_000 }, async () => {
  const demo = startDemo()
  expect(await demo.ended, demo.output).toBe(0)
  expectResult(demo.output)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour is what must not be there
  expect(demo.output).not.toMatch(/\u001b/)
  expect(processesOf(directoryOf(demo.output) ?? '')).toEqual([])
})

it('finds the fault with the tools of a bare Debian, and says what is missing', { timeout: 60_000 }, async () => {
  const demo = startDemo({ env: { PATH: barePath() } })
  expect(await demo.ended, demo.output).toBe(0)
  expect(demo.output).toMatch(/busybox is missing.*apt-get install busybox/)
  expectResult(demo.output)
})

it('fails with the reason when the fault is not found', { timeout: 60_000 }, async () => {
  const demo = startDemo({ env: { PATH: barePath('awk') } })
  expect(await demo.ended, demo.output).toBe(1)
  expect(demo.output).toMatch(/missing: awk/)
  expect(demo.output).toMatch(/The demo failed: \S/)
})

it('ends by ^C without leaving a process', { timeout: 60_000 }, async () => {
  const demo = startDemo()
  await tells(demo, 'TAP version 14')
  const directory = directoryOf(demo.output) ?? 'none is told'
  expect(processesOf(directory)).not.toEqual([])
  kill(demo.child, 'SIGINT')
  kill(demo.child, 'SIGINT')
  expect(await demo.ended).toBe(1)
  expect(demo.output).toContain('stopped by SIGINT')
  expect(processesOf(directory)).toEqual([])
})

it('leaves no process when it is killed', { timeout: 60_000 }, async () => {
  const demo = startDemo()
  await tells(demo, 'TAP version 14')
  kill(demo.child, 'SIGKILL')
  await vi.waitFor(() => expect(processesOf(directoryOf(demo.output) ?? '')).toEqual([]), 20_000)
})

it('keeps the service when asked to, until ^C', { timeout: 60_000 }, async () => {
  const demo = startDemo({ args: ['--keep'] })
  await tells(demo, 'config')
  const page = /page +(\S+)/.exec(demo.output)?.[1] ?? ''
  expect((await fetch(page, { redirect: 'manual' })).status).toBeLessThan(500)
  kill(demo.child, 'SIGINT')
  expect(await demo.ended).toBe(0)
  await expect(fetch(page)).rejects.toThrow()
})
