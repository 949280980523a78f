import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { platform } from '#platform'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import type { Deps, Step } from '../../src/deps.ts'
import { diagnose } from '../../src/diagnose.ts'
import type { Diagnosis, DiagnosisRequest } from '../../src/diagnosis/diagnosis.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { local } from '../../src/ports/tracker/local.ts'
import type { Note } from '../../src/ports/tracker/tracker.ts'
import { wallClock } from '../contract/wall-clock.ts'

export const id = 'ad-0123456789abcdefghjk'
const signal = new AbortController().signal

/** Saves what an effect gives as JSON, as an engine does, and tries a failed one again. */
export class MemoryStep implements Step {
  readonly names: string[] = []
  readonly failures: string[] = []
  /** What was saved of each step. */
  readonly saved = new Map<string, unknown>()
  readonly #times: number
  readonly #before: (name: string) => Promise<unknown>

  /** Every effect runs so many `times`, as after a crash before its result was saved. */
  constructor(times: number, before: (name: string) => Promise<unknown> = async () => undefined) {
    this.#times = times
    this.#before = before
  }

  async run<T>(name: string, effect: () => Promise<T>): Promise<T> {
    this.names.push(name)
    await this.#before(name)
    let result: T | undefined
    for (let time = 1; time <= this.#times; time++) result = await this.#untilItSucceeds(name, effect)
    const saved: unknown = result === undefined ? undefined : JSON.parse(JSON.stringify(result))
    this.saved.set(name, saved)
    return saved as T
  }

  /** The pauses that the story asked for, none of which is kept. */
  readonly pauses: [name: string, ms: number][] = []

  async sleep(name: string, ms: number): Promise<void> {
    this.pauses.push([name, ms])
  }

  async #untilItSucceeds<T>(name: string, effect: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await effect()
      } catch (error) {
        this.failures.push(`${name}: ${(error as Error).message}`)
        if (attempt === 5) throw error
      }
    }
  }
}

/** The demo's cluster with its failing pod, and real records, store and tracker, which nobody else uses. */
export async function storyWorld(change: Partial<ConfigInput> = {}, wrap: (deps: Deps) => Partial<Deps> = () => ({})) {
  const emulator = await platform.openEmulator()
  const cluster = kubernetesCluster({ name: 'main', transport: emulator.transport, clock: wallClock })
  const records = await platform.openRecords(wallClock)
  const trackers = await mkdtemp(join(tmpdir(), 'story-'))
  onTestFinished(async () => {
    await emulator.close()
    await rm(trackers, { recursive: true })
  })
  const real: Deps = {
    config: configSchema.parse({
      publicUrl: 'https://d.example',
      clusters: { main: { inCluster: true } },
      store: { kind: 'files', directory: 'unused' },
      ...change,
    }),
    clusters: new Map([['main', cluster]]),
    store: await platform.openStore(),
    records,
    trackers: new Map([['bugs', local({ directory: trackers })]]),
    redactor: makeRedactor(),
    clock: wallClock,
    log: () => undefined,
    runs: { start: () => Promise.reject(new Error('Nothing is started here')) },
    verifyWebhook: () => Promise.reject(new Error('Nothing is delivered here')),
    wake: () => undefined,
    stopping: new AbortController().signal,
  }
  const deps = { ...real, ...wrap(real) }
  return {
    deps,
    url: emulator.backend,
    transport: emulator.transport,
    cluster,
    async tell(request: Partial<DiagnosisRequest> = {}, step = new MemoryStep(1)): Promise<Diagnosis> {
      const accepted: DiagnosisRequest = {
        id,
        createdAt: new Date(wallClock.now()).toISOString(),
        requester: 'alice',
        cluster: 'main',
        target: { kind: 'pod', ...demoPod },
        profile: 'auto',
        checks: [{ name: 'http', param: emulator.backend }],
        report: { tracker: 'bugs', key: 'bug-1' },
        ...request,
      }
      await records.accept(accepted)
      await diagnose(accepted, step, deps)
      const told = await records.get(id)
      if (!told) throw new Error('The record is gone')
      return told
    },
    /** The notes on the one bug report. */
    async notes(): Promise<readonly Note[]> {
      const folder = join(trackers, 'bug-1')
      const names = await readdir(folder).catch(() => [])
      return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Note))
    },
    async containers(): Promise<readonly string[]> {
      const pod = await cluster.getPod(demoPod, signal)
      return (pod?.spec.ephemeralContainers ?? []).map(({ name }) => name)
    },
  }
}
