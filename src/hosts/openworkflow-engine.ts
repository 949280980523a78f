import { OpenWorkflow } from 'openworkflow'
import { BackendSqlite } from 'openworkflow/sqlite'
import type { Log, Runs, Step } from '../deps.ts'

export interface Engine extends Runs {
  /** Takes up what an earlier process left. Before {@link open}, and before anything is started. */
  recover(): Promise<void>
  /** Begins to work. */
  open(): Promise<void>
  /** Takes no more work and waits for what is at work, at most `graceMs`; what is left goes on after the next start. */
  close(graceMs: number): Promise<void>
}

/** What may pass is tried again by the steps themselves; this is for outages that outlast them, so it may grow slow, and never gives up. */
const retryPolicy = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m', maximumAttempts: 0 } as const

/**
 * OpenWorkflow on the embedded database. Its worker polls (100 ms to 1 s when idle); `start` wakes it by `tick()`, so that a
 * request is acted on at once, by the same code path.
 */
export function openWorkflowEngine(
  options: { readonly file: string; readonly concurrency: number; readonly log: Log },
  work: (id: string, step: Step) => Promise<void>,
): Engine {
  const backend = BackendSqlite.connect(options.file)
  const client = new OpenWorkflow({ backend })
  const workflow = client.defineWorkflow<{ id: string }, null>({ name: 'diagnose', retryPolicy }, async ({ input, step }) => {
    await work(input.id, {
      run: <T>(name: string, effect: () => Promise<T>) => step.run({ name, retryPolicy }, effect) as Promise<T>,
      sleep: (name, ms) => step.sleep(name, `${Math.ceil(ms)}ms`),
    })
    return null
  })
  const worker = client.newWorker({ concurrency: options.concurrency })

  return {
    recover: () => releaseLeases(backend),
    open: () => worker.start(),
    async start(id) {
      await workflow.run({ id }, { idempotencyKey: id })
      await worker.tick()
    },
    async close(graceMs) {
      let timer: NodeJS.Timeout | undefined
      const grace = new Promise((resolve) => {
        timer = setTimeout(resolve, graceMs)
      })
      await Promise.race([worker.stop(), grace])
      clearTimeout(timer)
      await backend.stop()
    },
  }
}

/**
 * A killed worker's lease lasts 30 s. The state directory is locked by this process, so whoever held a lease is gone: what it
 * had at work is made available now instead.
 */
async function releaseLeases(backend: BackendSqlite): Promise<void> {
  for (let after: string | undefined; ; ) {
    const page = await backend.listWorkflowRuns({ status: 'running', ...(after === undefined ? {} : { after }) })
    for (const { id, workerId } of page.data) {
      if (workerId !== null) await backend.sleepWorkflowRun({ workflowRunId: id, workerId, availableAt: new Date() })
    }
    if (page.pagination.next === null || page.pagination.next === undefined) return
    after = page.pagination.next
  }
}
