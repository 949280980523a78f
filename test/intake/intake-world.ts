import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'
import { platform } from '#platform'
import type { ConfigInput } from '../../src/config.ts'
import type { Clock, Deps, Step } from '../../src/deps.ts'
import { diagnose } from '../../src/diagnose.ts'
import type { Diagnosis } from '../../src/diagnosis/diagnosis.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { housekeeper } from '../../src/hosts/housekeeper.ts'
import type { RawPod, Transport } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import type { AlertRecord } from '../../src/ports/records/intake.ts'
import { local } from '../../src/ports/tracker/local.ts'
import type { IssueDraft, Note } from '../../src/ports/tracker/tracker.ts'
import { eventually, setUp } from '../app/setup.ts'
import { bearer } from '../app/webhook-world.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { type AlertInput, alertBody, fruitPods, type PodInput } from './alerts.ts'

/** Goes with the clock of this machine, and on when told. */
class MovedClock implements Clock {
  #ahead = 0
  now(): number {
    return wallClock.now() + this.#ahead
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return wallClock.sleep(ms, signal)
  }
  pass(seconds: number): void {
    this.#ahead += seconds * 1000
  }
}

/** Keeps what each step of a run gave, as an engine does, so that another process goes on with it; pauses move the clock. */
class KeptSteps {
  readonly pauses: number[] = []
  readonly #saved = new Map<string, unknown>()
  readonly #clock: MovedClock

  constructor(clock: MovedClock) {
    this.#clock = clock
  }

  of(id: string): Step {
    return {
      run: async <T>(name: string, effect: () => Promise<T>): Promise<T> => {
        const key = `${id} ${name}`
        if (!this.#saved.has(key)) this.#saved.set(key, await this.#tried(effect))
        return this.#saved.get(key) as T
      },
      sleep: async (_, ms) => {
        this.pauses.push(ms)
        this.#clock.pass(ms / 1000)
      },
    }
  }

  async #tried<T>(effect: () => Promise<T>): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await effect()
        return result === undefined ? undefined : JSON.parse(JSON.stringify(result))
      } catch (error) {
        if (attempt === 3) throw error
      }
    }
  }
}

export interface LocalIssue extends IssueDraft {
  readonly key: string
  readonly open: boolean
  readonly notes: readonly Note[]
}

export const apples = { tracker: 'bugs', project: 'apples' }
export const alertmanager = { kind: 'alertmanager' as const, auth: { bearer: [{ env: 'ALERT_TOKEN' }] } }

/**
 * From a webhook to a report: the app, records, store, the cluster's emulator, a tracker of files, all real. Nothing is injected into a pod
 * unless `harm.paused` is false: what a diagnosis finds is in the evidence. `settle` is a round of the housekeeper.
 */
export async function intakeWorld(
  change: Partial<ConfigInput> = {},
  parts: { readonly transport?: Transport; readonly wrap?: (deps: Deps) => Partial<Deps> } = {},
) {
  const clock = new MovedClock()
  const steps = new KeptSteps(clock)
  fruit ??= openFruit()
  const transport = parts.transport ?? (await fruit).transport
  const directory = await mkdtemp(join(tmpdir(), 'intake-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const waiting = new Set<string>()
  const begun: string[] = []
  let wake = (): void => undefined
  const setup = await setUp(
    {
      trackers: { bugs: { kind: 'local', directory: 'unused' }, other: { kind: 'local', directory: 'unused' } },
      sources: { prometheus: alertmanager },
      reports: { routes: [apples] },
      harm: { paused: true },
      ...change,
      policy: [
        { principals: ['prometheus'], namespaces: ['fruit', 'demo', 'kube-system'], reports: ['bugs:*'] },
        { principals: ['alice'], namespaces: ['fruit'], reports: ['bugs:*'] },
        { principals: ['olga'], namespaces: ['*'] },
        ...(change.policy ?? []),
      ],
    },
    {
      clock,
      redactor: makeRedactor(),
      clusters: new Map([['main', kubernetesCluster({ name: 'main', transport, clock: wallClock })]]),
      trackers: new Map([
        ['bugs', local({ directory })],
        ['other', local({ directory: join(directory, 'other') })],
      ]),
      wake: () => wake(),
    },
  )
  const deps: Deps = {
    ...setup.deps,
    runs: {
      async start(id) {
        begun.push(id)
        waiting.add(id)
        await setup.deps.records.markStarted(id)
      },
    },
  }
  const used: Deps = { ...deps, ...parts.wrap?.(deps) }
  const house = housekeeper(used)
  const { records } = deps

  const world = {
    ...setup,
    deps: used,
    /** Without what `wrap` made of them. */
    real: deps,
    clock,
    steps,
    directory,
    begun,
    /** What a process would do by itself soon after. */
    async settle(): Promise<void> {
      const before = wake
      wake = () => house.wake()
      wake()
      await house.done()
      wake = before
    },
    /** Has `wake` settle in the background, as in production. */
    settleWhenWoken(): void {
      wake = () => house.wake()
    },
    done: () => house.done(),
    deliver: (alerts: readonly AlertInput[], source = 'prometheus'): Promise<Response> => world.post(source, alertBody(alerts)),
    post: (source: string, body: unknown, headers: Readonly<Record<string, string>> = bearer): Promise<Response> =>
      platform.ask(setup.app, `/v1/webhooks/${source}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    /** Runs the diagnoses that were started, to their end. */
    async diagnose(by: Deps = used): Promise<void> {
      for (const id of waiting) {
        const request = await records.get(id)
        if (!request) throw new Error(`There is no record of ${id}`)
        await diagnose(request, steps.of(id), by)
        waiting.delete(id)
      }
    },
    /** A delivery, and all that follows it at once. */
    async fire(...alerts: readonly AlertInput[]): Promise<void> {
      await world.deliver(alerts)
      await world.settle()
      await world.diagnose()
    },
    /** The time goes by, and the housekeeper looks. */
    async pass(seconds: number): Promise<void> {
      clock.pass(seconds)
      await world.settle()
    },
    /** Oldest first. */
    alerts: async (): Promise<readonly AlertRecord[]> => (await records.listAlerts({}, { limit: 1000 })).toReversed(),
    diagnoses: async (): Promise<readonly Diagnosis[]> => (await records.list({}, { limit: 1000 })).toReversed(),
    async issues(): Promise<readonly LocalIssue[]> {
      const names = (await readdir(directory)).toSorted()
      const found = await Promise.all(names.map((key) => readIssue(directory, key)))
      return found.filter((issue) => issue !== undefined)
    },
    /** A person closes it. */
    async closeByHand(key: string): Promise<void> {
      const path = join(directory, key, 'issue.json')
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), open: false }))
    },
  }
  return world
}

/** An issue that a person made has notes only. */
async function readIssue(directory: string, key: string): Promise<LocalIssue | undefined> {
  const files: readonly string[] = await readdir(join(directory, key)).catch(() => [])
  const read = async (file: string) => JSON.parse(await readFile(join(directory, key, file), 'utf8'))
  if (key === 'other' || files.length === 0) return undefined
  const notes = (await Promise.all(files.filter((file) => file !== 'issue.json').map(read))) as Note[]
  const issue = files.includes('issue.json') ? await read('issue.json') : {}
  return { ...issue, key, notes: notes.toSorted((a, b) => (a.at < b.at ? -1 : 1)) }
}

let fruit: ReturnType<typeof openFruit> | undefined
afterAll(async () => {
  await (await fruit)?.close()
})

/** A cluster with some pods of fruit; all tests of a file have the same one. */
async function openFruit() {
  const emulator = await platform.openShellEmulator()
  await createPods(emulator.transport, fruitPods)
  // Only what has ended has something to tell.
  await eventually('quince has ended', async () => {
    const read = await emulator.transport(new Request('http://cluster.example/api/v1/namespaces/fruit/pods/quince'))
    const { status } = (await read.json()) as RawPod
    return status.containerStatuses?.some(({ restartCount, state }) => (restartCount ?? 0) > 0 || state?.terminated)
  })
  return emulator
}

async function createPods(transport: Transport, pods: readonly PodInput[]): Promise<void> {
  for (const { namespace = 'fruit', name, replicaSet, script = 'exec sleep 1000' } of pods) {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: replicaSet, uid: 'made-up', controller: true }
    const hash = replicaSet?.split('-').at(-1)
    const manifest = {
      metadata: { name, ...(replicaSet === undefined ? {} : { labels: { 'pod-template-hash': hash }, ownerReferences: [owner] }) },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'localhost/shell:1', args: [script] }] },
    }
    const path = `http://cluster.example/api/v1/namespaces/${namespace}/pods`
    const made = await transport(
      new Request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(manifest) }),
    )
    if (made.status !== 201) throw new Error(`Cannot make pod ${name}: ${made.status} ${await made.text()}`)
  }
}
