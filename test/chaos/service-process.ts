import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { vi } from 'vitest'

/** `host` kills itself where it is told to; `main` is the service as it is shipped. */
type Program = 'host' | 'main'

/** Makes one file of each program, because they are started dozens of times. */
export async function bundlePrograms(directory: string): Promise<void> {
  await build({
    entryPoints: {
      host: fileURLToPath(new URL('./host.ts', import.meta.url)),
      main: fileURLToPath(new URL('../../src/hosts/main.ts', import.meta.url)),
    },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Dependencies in CommonJS call require() for modules of Node.
    banner: { js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);" },
  })
}

export interface StepEvent {
  readonly event: 'begun' | 'saved'
  readonly step: string
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

// A child whose stdin ends has lost the test that started it.
const lifeline = `data:text/javascript,process.stdin.resume().on('end',()=>process.kill(process.pid,'SIGKILL'))`
const startMs = 30_000

/** The service as a process. */
export class ServiceProcess {
  readonly exit: Promise<Exit>
  readonly events: StepEvent[] = []
  /** When it was seen to listen, in milliseconds since the epoch. */
  readyAt = 0
  log = ''
  readonly #child: ChildProcess
  #ended: Exit | undefined

  constructor(directory: string, program: Program, env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, ['--import', lifeline, join(directory, `${program}.mjs`)], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const { stdout, stderr } = this.#child
    if (stdout) createInterface(stdout).on('line', (line) => this.events.push(JSON.parse(line) as StepEvent))
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text
    })
    this.exit = once(this.#child, 'close').then(([code, signal]) => {
      this.#ended = { code, signal }
      return this.#ended
    })
  }

  /** Where it listens. Throws if it does not. */
  async url(): Promise<string> {
    const port = await vi.waitFor(
      () => {
        const found = /"message":"Listening".*"port":(\d+)/.exec(this.log)?.[1]
        if (found === undefined && !this.#ended) throw new Error(`the service does not listen: ${this.log.slice(-1500)}`)
        return found
      },
      { timeout: startMs, interval: 5 },
    )
    if (port === undefined) throw new Error(`the service ended: ${JSON.stringify(this.#ended)} ${this.log.slice(-1500)}`)
    this.readyAt ||= Date.now()
    return `http://127.0.0.1:${port}`
  }

  /** Resolves with the event when a step was begun or saved; throws if the process ends before. */
  async until(event: StepEvent['event'], step: string, timeout = 60_000): Promise<StepEvent> {
    const found = await vi.waitFor(
      () => {
        const one = this.events.find((candidate) => candidate.event === event && candidate.step === step)
        if (!one && !this.#ended)
          throw new Error(`step "${step}" was not ${event}: ${JSON.stringify(this.events.slice(-5))} ${this.log.slice(-1500)}`)
        return one
      },
      { timeout, interval: 20 },
    )
    if (!found) throw new Error(`the service ended before step "${step}" was ${event}: ${JSON.stringify(this.#ended)} ${this.log.slice(-1500)}`)
    return found
  }

  /** How it ended; throws when it has not after a while. */
  ended(timeout = 15_000): Promise<Exit> {
    return vi.waitFor(
      () => {
        if (!this.#ended) throw new Error(`the service lives: ${JSON.stringify(this.events.slice(-5))} ${this.log.slice(-1500)}`)
        return this.#ended
      },
      { timeout, interval: 10 },
    )
  }

  kill(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal)
    return this.exit
  }
}
