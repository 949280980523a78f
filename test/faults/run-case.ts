import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { kubectl } from '../../scripts/bench-lab.ts'
import type { View } from '../../src/api/view.ts'
import { holdCase } from './case-lock.ts'
import type { FaultCase } from './corpus.ts'
import { type Judged, judge } from './judge.ts'
import { type Api, awaitReady, podsOf } from './ready.ts'
import type { FaultService } from './service.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../lab/faults/fault', import.meta.url))

export interface Result extends Judged {
  readonly one: FaultCase
  /** From the time when nobody else had it up. */
  readonly seconds: number
  /** Absent where it came to none. */
  readonly diagnosis?: View
}

export interface World {
  /** The folder of the cases. */
  readonly folder: string
  readonly service: Pick<FaultService, 'diagnose'>
  readonly api: Api
  /** Lets so many diagnose at once. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>
  /** Leave what was brought up. */
  readonly keep: boolean
  readonly signal: AbortSignal
}

/** As `fault wait` has it. */
const readySeconds = 90

/** Brings one case up, diagnoses it, judges that, and takes it down again, whatever becomes of it. Throws only when aborted. */
export async function runCase(one: FaultCase, world: World): Promise<Result> {
  const release = await holdCase(one.namespace, 600)
  const began = performance.now()
  const result = (judged: Judged, diagnosis?: View): Result => ({
    one,
    seconds: (performance.now() - began) / 1000,
    ...judged,
    ...(diagnosis ? { diagnosis } : {}),
  })
  try {
    world.signal.throwIfAborted()
    const { pod, late } = await bringUp(one, world)
    if (pod !== undefined && one.inject) await measured(one, pod, world)
    const diagnosis = await world.turn(() => world.service.diagnose(requestFor(one, pod), world.signal))
    return result(judge(one, diagnosis, late), diagnosis)
  } catch (error) {
    world.signal.throwIfAborted()
    return result({ verdict: 'NOT UP', note: messageOf(error) })
  } finally {
    // Its end takes seconds, and nobody waits for it but the next that wants it up.
    if (!world.keep) await fault(world, 'down', one.name).catch((error: unknown) => process.stderr.write(`${one.name}: ${messageOf(error)}\n`))
    await release()
  }
}

/** The pod's name, once its trouble shows; `late` says why it does not, where there is a pod all the same. */
async function bringUp(one: FaultCase, world: World): Promise<{ readonly pod?: string; readonly late?: string }> {
  await clear(one.namespace, world)
  await fault(world, 'up', one.name, world.signal)
  const missing = await awaitReady(world.api, one, readySeconds, world.signal)
  const pod = (await podsOf(world.api, one.namespace, one.selector)).at(0)?.metadata.name
  if (pod === undefined && one.workload === undefined) throw new Error(`no pod has the labels ${one.selector}`)
  return {
    ...(pod === undefined ? {} : { pod }),
    ...(missing === undefined ? {} : { late: `after ${readySeconds} s not yet: ${missing}` }),
  }
}

/** What an earlier run left is taken away; only then the case can be as its file says. */
async function clear(namespace: string, { api }: World): Promise<void> {
  if ((await api.text(`/api/v1/namespaces/${namespace}`)) === undefined) return
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s'])
}

/** Waits until metrics.k8s.io has measured all that runs in the pod since it was started: before, nobody knows what room is left. */
async function measured(one: FaultCase, pod: string, { api, signal }: World): Promise<void> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${one.namespace}/pods/${pod}`
  const [{ status, spec } = {}] = (await podsOf(api, one.namespace, one.selector)).filter(({ metadata }) => metadata.name === pod)
  const states = (status?.containerStatuses ?? []).map(({ state }) => state?.running)
  // Unlimited memory needs no room, and what does not run is not measured.
  if (states.includes(undefined) || !spec?.containers.every(({ resources }) => resources?.limits?.memory !== undefined)) return
  const since = Math.max(...states.map((running) => Date.parse(running?.startedAt ?? '')))
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(1000, undefined, { signal })) {
    const { timestamp, containers = [] } = JSON.parse((await api.text(path)) ?? '{}') as { timestamp?: string; containers?: unknown[] }
    if (timestamp !== undefined && Date.parse(timestamp) >= since && containers.length >= states.length) return
  }
}

function requestFor(one: FaultCase, pod: string | undefined): object {
  const target =
    one.workload !== undefined || pod === undefined ? { workload: `${one.namespace}/${one.workload}` } : { pod: `${one.namespace}/${pod}` }
  return { ...target, ...('pod' in target && one.container ? { container: one.container } : {}), ...one.asked }
}

async function fault(world: Pick<World, 'folder'>, command: string, name: string, signal?: AbortSignal): Promise<string> {
  const options = { env: { ...process.env, FAULTS: world.folder }, maxBuffer: 16 * 1024 * 1024, ...(signal ? { signal } : {}) }
  return (await run(program, [command, name], options)).stdout
}

/** What a program said last, where one failed. */
function messageOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : ''
  return said || (error instanceof Error ? error.message : String(error))
}
