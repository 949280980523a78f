import type { Deps, Step } from '../deps.ts'

/** What a run is to do: a diagnosis, or the end of one whose run is lost. */
export interface RunParams {
  readonly id: string
  /** Why it is ended, in a sentence. */
  readonly lost?: string
}

export type DiagnosisWorkflow = Workflow<RunParams>

const minute = 60_000
/** A record that does not change for so long may have a run that the engine lost. */
const idleMs = 10 * minute
/** So many are looked after at once, that the sweeper stays far below what one invocation may ask for. */
const startedAtOnce = 100
const lookedAfter = 1000

/** Starts a run, which has the id of its diagnosis; nothing happens where there is one, for `create` throws then. */
export async function startRun(workflow: DiagnosisWorkflow, id: string, params: RunParams = { id }): Promise<void> {
  try {
    await workflow.create({ id, params })
  } catch (error) {
    if (!(await find(workflow, id))) throw error
  }
}

/**
 * Waits until fewer than `diagnosis.concurrent` others are at work. The engine starts whatever it is given; here as on Node, what is too
 * much for the clusters waits.
 */
export async function waitForRoom(id: string, step: Step, { records, config }: Pick<Deps, 'records' | 'config'>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (await step.run(`begin-${attempt}`, () => records.begin(id, config.diagnosis.concurrent))) return
    await step.sleep(`begin-${attempt}-pause`, Math.min(20_000, 2000 * attempt))
  }
}

type SweepDeps = Pick<Deps, 'records' | 'runs' | 'clock' | 'log'>

/**
 * What a crash left: accepted diagnoses without a run get one, and those whose run is lost are ended: see `endLost`. Where one cannot be
 * looked after, the others are all the same.
 */
export async function sweep(workflow: DiagnosisWorkflow, deps: SweepDeps): Promise<void> {
  const { records, runs, clock, log } = deps
  const each = async (ids: readonly string[], does: (id: string) => Promise<void>): Promise<void> => {
    for (const id of ids) {
      try {
        await does(id)
      } catch (error) {
        log('error', 'Cannot look after a diagnosis', { id, error: String(error) })
      }
    }
  }
  await each(await records.unstarted(startedAtOnce), (id) => runs.start(id))
  const before = new Date(clock.now() - idleMs).toISOString()
  await each(await records.idle(before, lookedAfter), (id) => lookAfter(id, workflow, deps))
}

async function lookAfter(id: string, workflow: DiagnosisWorkflow, { records, log }: SweepDeps): Promise<void> {
  const run = await find(workflow, id)
  // Asking alone makes the engine look after a run that it forgot.
  const { status, error } = (await run?.status()) ?? { status: 'unknown', error: undefined }
  if (run && status !== 'errored' && status !== 'terminated') return
  const why = error === undefined ? status : `${status}: ${error.message}`
  log('error', 'The run of a diagnosis is lost', { id, why })
  const diagnosis = await records.get(id)
  // Nothing was done yet. One that an operator terminated is not begun again.
  if (diagnosis?.state === 'accepted' && status !== 'terminated') return run ? run.restart() : startRun(workflow, id)
  await startRun(workflow, `${id}-end`, { id, lost: `The durable run of the diagnosis ended by itself (${why}); what was stored until then is here` })
}

/** Undefined where there is none; throws where that cannot be known. */
async function find(workflow: DiagnosisWorkflow, id: string): Promise<WorkflowInstance | undefined> {
  try {
    return await workflow.get(id)
  } catch (error) {
    if (/not[_ ]found/i.test(String(error))) return undefined
    throw error
  }
}
