import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawContainerState, RawContainerStatus } from '../ports/cluster/cluster.ts'
import { secondTime } from './clock.ts'
import { ContainerLog } from './container-log.ts'
import type { Lifeline } from './lifeline.ts'

/** A command to run as a container's process. */
export interface Program {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly imageId: string
}

export interface ContainerOptions {
  readonly name: string
  readonly image: string
  /** The program, or the reason and message of a container that cannot start. */
  readonly program: () => Program | { readonly reason: string; readonly message: string }
  readonly logPath: (restart: number) => string
  readonly lifeline: Lifeline
  readonly restarts: (exitCode: number) => boolean
  /** Called after every change of the status. */
  readonly changed: (event: 'created' | 'started' | 'exited' | 'failed') => void
}

/** A container that is a real process with a group of its own, whose output goes to a log. */
export class Container {
  readonly #options: ContainerOptions
  readonly #logs: ContainerLog[] = []
  readonly #stopping = new AbortController()
  #state: RawContainerState = { waiting: { reason: 'ContainerCreating' } }
  #lastState: RawContainerState = {}
  #id = ''
  #child: ChildProcess | undefined
  #started = false
  #final = false
  #imageId = ''
  /** Settles when the container has run for the last time. */
  #finished: Promise<void> = Promise.resolve()

  constructor(options: ContainerOptions) {
    this.#options = options
  }

  /** The process that stands where PID 1 of a real container does; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#state.running ? this.#child?.pid : undefined
  }

  get state(): RawContainerState {
    return this.#state
  }

  /** Whether it ran for the last time. */
  get final(): boolean {
    return this.#final
  }

  get everRan(): boolean {
    return this.#logs.length > 0
  }

  get status(): RawContainerStatus {
    const { name, image } = this.#options
    const running = this.#state.running !== undefined
    const [uid, gid] = [process.getuid?.(), process.getgid?.()]
    return {
      name,
      image,
      imageID: this.#imageId,
      ...(this.#id ? { containerID: `emulator://${this.#id}` } : {}),
      state: this.#state,
      lastState: this.#lastState,
      ready: running,
      restartCount: Math.max(0, this.#logs.length - 1),
      started: running,
      ...(running && uid !== undefined && gid !== undefined ? { user: { linux: { uid, gid } } } : {}),
    }
  }

  /** The log of this run, or of the one before. */
  log(previous: boolean): ContainerLog | undefined {
    return this.#logs.at(previous ? -2 : -1)
  }

  /** Runs it, and again as its restart policy wants. Once started, nothing happens. */
  start(): void {
    if (!this.#started) this.#finished = this.#live()
    this.#started = true
  }

  /** TERM to the process, KILL to its group after the grace period. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    const pid = this.#child?.pid
    if (pid !== undefined) {
      signal(pid, 'SIGTERM')
      const inTime = new AbortController()
      await Promise.race([this.#finished, sleep(graceMs, undefined, { signal: inTime.signal }).catch(() => {})])
      inTime.abort()
      if (this.#child) signal(-pid, 'SIGKILL')
    }
    await this.#finished
  }

  async #live(): Promise<void> {
    const { changed, restarts } = this.#options
    const program = this.#options.program()
    if (!('argv' in program)) {
      this.#state = { waiting: program }
      return changed('failed')
    }
    this.#imageId = program.imageId
    for (let restart = 0; !this.#stopping.signal.aborted; restart++) {
      const exitCode = await this.#run(program, restart)
      this.#final = !restarts(exitCode) || this.#stopping.signal.aborted
      changed('exited')
      if (this.#final) return
      await this.#backOff(restart)
    }
  }

  async #run({ argv, env }: Program, restart: number): Promise<number> {
    const { changed, logPath, lifeline } = this.#options
    const log = new ContainerLog(logPath(restart))
    this.#logs.push(log)
    this.#id = randomBytes(32).toString('hex')
    changed('created')
    // A group of its own, so that everything it started can be ended with it.
    const child = spawn(argv[0], argv.slice(1), { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    if (child.pid !== undefined) lifeline.started(child.pid)
    child.stdout.on('data', (bytes: Buffer) => log.write('stdout', bytes))
    child.stderr.on('data', (bytes: Buffer) => log.write('stderr', bytes))
    const startedAt = secondTime()
    child.once('spawn', () => {
      this.#state = { running: { startedAt } }
      changed('started')
    })
    const { exitCode, error } = await exit(child)
    this.#child = undefined
    if (child.pid !== undefined) lifeline.ended(child.pid)
    log.end()
    const reason = error ? 'StartError' : exitCode === 0 ? 'Completed' : 'Error'
    const message = error ? { message: `failed to start process: ${error.message}` } : {}
    const terminated = { exitCode, reason, ...message, startedAt, finishedAt: secondTime(), containerID: `emulator://${this.#id}` }
    this.#state = { terminated }
    return exitCode
  }

  /** The first restart comes at once, then after 10 s, 20 s … 5 min, as from the kubelet. */
  async #backOff(restart: number): Promise<void> {
    this.#lastState = this.#state
    if (restart === 0) return
    const seconds = Math.min(10 * 2 ** (restart - 1), 300)
    const told = seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
    this.#state = { waiting: { reason: 'CrashLoopBackOff', message: `back-off ${told} restarting failed container=${this.#options.name}` } }
    this.#options.changed('failed')
    await sleep(seconds * 1000, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {})
  }
}

interface Exit {
  readonly exitCode: number
  readonly error?: Error
}

async function exit(child: ChildProcess): Promise<Exit> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  try {
    const [code, name] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    // Whatever the process left behind goes with it, as a PID namespace goes with its first process.
    if (child.pid !== undefined) signal(-child.pid, 'SIGKILL')
    // `close` comes after the last byte of output; who left the group and holds the pipe does not delay the end.
    await Promise.race([closed, sleep(1000, undefined, { ref: false })])
    return { exitCode: code ?? 128 + (name ? constants.signals[name] : 0) }
  } catch (error) {
    return { exitCode: 128, error: error as Error }
  }
}

/** Sends a signal to a process, or to a group by its negative id; one that is gone, or only a zombie (EPERM on macOS), is no failure. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
