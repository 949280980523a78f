import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type Diagnostics, type Point, proveEnd } from './diagnostics-userland.ts'

/** A file of the lab's images. */
export const program = (name: string): string => fileURLToPath(new URL(`../lab/images/${name}`, import.meta.url))

/** Starts real programs, and forgets none of them. */
export class Programs {
  private readonly running: ChildProcess[] = []

  /** Its PID, once it has printed a line. */
  async start(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, ...env } })
    this.running.push(child)
    if (child.pid === undefined) throw new Error(`Cannot start "${command}"`)
    await new Promise((resolve, reject) => {
      child.stdout?.once('data', resolve)
      child.stderr?.once('data', resolve)
      child.once('exit', (code) => reject(new Error(`"${command}" ended with ${code} before it printed a line`)))
    })
    child.stderr?.resume()
    child.stdout?.resume()
    return child.pid
  }

  stop(): void {
    for (const child of this.running) child.kill('SIGKILL')
  }
}

/** Runs checks, and proves that the report is whole and that nothing but test points was printed. */
export async function check(pod: Diagnostics, ...args: string[]): Promise<{ points: readonly Point[]; text: string }> {
  const { text, points, stderr } = await pod.run(...args)
  proveEnd(text)
  expect(stderr).toBe('')
  expect(text).not.toContain('# | ')
  return { points, text }
}

/** What is wrong, in its order. */
export const findings = (points: readonly Point[]) =>
  points.filter(({ ok }) => !ok).map(({ name, diag }) => ({ id: diag?.id, severity: diag?.severity, name }))

/** Of localhost; nobody listens on it. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
