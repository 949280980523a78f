import type { Deps, Step } from '../deps.ts'

export type DiagnosisWorkflow = Workflow<{ readonly id: string }>

const minute = 60_000
/** A record that does not change for so long may have a run that the engine gave up. */
const idleMs = 10 * minute
/** Until then a run that the engine gave up is begun again; the story itself tries nothing for longer than a day. */
const giveUpMs = 2 * 24 * 60 * minute
/** So many a minute, that the sweeper stays far below what one invocation may ask for. */
const sweptAtOnce = 100

/** Starts the run of a diagnosis, which has its id; nothing happens where there is one, for `create` throws then. */
export async function startRun(workflow: DiagnosisWorkflow, id: string): Promise<void> {
  try {
    await workflow.create({ id, params: { id } })
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
    await step.sleep(`begin-${attempt}-pause`, Math.min(minute, 5000 * attempt))
  }
}

/** What a crash left: accepted diagnoses without a run get one, and runs that the engine gave up are begun again, or given up for good. */
export async function sweep(
  workflow: DiagnosisWorkflow,
  { records, runs, clock, log }: Pick<Deps, 'records' | 'runs' | 'clock' | 'log'>,
): Promise<void> {
  for (const id of await records.unstarted(sweptAtOnce)) await runs.start(id)
  for (const id of await records.idle(new Date(clock.now() - idleMs).toISOString(), sweptAtOnce)) {
    const run = await find(workflow, id)
    // Asking alone makes the engine look after a run that it lost.
    const { status, error } = (await run?.status()) ?? { status: 'unknown', error: undefined }
    if (run && status !== 'errored' && status !== 'terminated') continue
    log('error', 'The engine gave up a diagnosis', { id, status, error: String(error?.message ?? error) })
    const diagnosis = await records.get(id)
    if (!diagnosis || clock.now() > Date.parse(diagnosis.createdAt) + giveUpMs) {
      const finishedAt = new Date(clock.now()).toISOString()
      const explanation = 'The durable engine gave up its run again and again; the log of the service says why'
      await records.update(id, { state: 'done', outcome: diagnosis?.outcome ?? 'failed', explanation, finishedAt })
    } else if (run) await run.restart()
    else await startRun(workflow, id)
  }
}

function find(workflow: DiagnosisWorkflow, id: string): Promise<WorkflowInstance | undefined> {
  return workflow.get(id).catch(() => undefined)
}
