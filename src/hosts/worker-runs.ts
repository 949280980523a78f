import type { Deps, Step } from '../deps.ts'

/** What a run is to do: a diagnosis, or the end of one whose run is lost. */
export interface RunParams {
  readonly id: string
  /** Why it is ended, in a sentence. */
  readonly lost?: string
}

export type DiagnosisWorkflow = Workflow<RunParams>

const minute = 60_000
const day = 24 * 60 * minute
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

async function lookAfter(id: string, workflow: DiagnosisWorkflow, { records, log, clock }: SweepDeps): Promise<void> {
  const run = await find(workflow, id)
  // Asking alone makes the engine look after a run that it forgot.
  const lost = await lostReason(run)
  const diagnosis = await records.get(id)
  if (lost === undefined || !diagnosis || diagnosis.state === 'done') return
  log('error', 'The run of a diagnosis is lost', { id, why: lost })
  const age = clock.now() - Date.parse(diagnosis.createdAt)
  // Nothing was done yet. One that an operator terminated is not begun again.
  if (diagnosis.state === 'accepted' && lost !== 'terminated' && age < day) return run ? run.restart() : startRun(workflow, id)
  const explanation = `The durable run of the diagnosis ended by itself (${lost}); what was stored until then is here`
  const end = await find(workflow, `${id}-end`)
  if (!end) return startRun(workflow, `${id}-end`, { id, lost: explanation })
  const endLost = await lostReason(end)
  if (endLost === undefined) return
  // Sealing and telling may be done again, but not for ever: it has a place among those at work.
  if (age < 2 * day) return end.restart()
  const outcome = diagnosis.outcome ?? 'failed'
  await records.update(id, {
    state: 'done',
    outcome,
    explanation: diagnosis.explanation ?? explanation,
    finishedAt: new Date(clock.now()).toISOString(),
  })
}

/** Why a run will do nothing any more; undefined where it will. */
async function lostReason(run: WorkflowInstance | undefined): Promise<string | undefined> {
  if (!run) return 'unknown'
  const { status, error } = await run.status()
  if (status === 'errored') return error === undefined ? status : `${status}: ${error.message}`
  return status === 'terminated' || status === 'complete' ? status : undefined
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
