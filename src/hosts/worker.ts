import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import configured from 'virtual:config'
import { createApp } from '../app.ts'
import type { Deps } from '../deps.ts'
import { type Bindings, openWorker, type WorkerConfig } from './worker-parts.ts'
import { type RunParams, sweep } from './worker-runs.ts'
import { runDiagnosis } from './worker-story.ts'

/** The service on Cloudflare Workers. */

const worker = configured as WorkerConfig

/** One diagnosis as a durable run. */
export class Diagnosis extends WorkflowEntrypoint<Bindings, RunParams> {
  override run({ payload }: Readonly<WorkflowEvent<RunParams>>, step: WorkflowStep): Promise<void> {
    return runDiagnosis(payload, step, () => openWorker(worker, this.env, (work) => this.ctx.waitUntil(work)))
  }
}

export default {
  /** What a request opens belongs to it, because the runtime lets no other one wait for it: so each has an app of its own, which takes 1 ms. */
  async fetch(request, env, context) {
    let deps: Deps
    try {
      deps = openWorker(worker, env, (work) => context.waitUntil(work))
    } catch (error) {
      console.error(JSON.stringify({ level: 'error', message: 'The Worker cannot serve', error: String(error) }))
      return new Response('The service is not set up: its log (npx wrangler tail) says what is wrong\n', { status: 500 })
    }
    return createApp(deps).fetch(request)
  },

  async scheduled(_, env, context) {
    const deps = openWorker(worker, env, (work) => context.waitUntil(work))
    // First what a person may wait for: an invocation has only so many queries of D1.
    try {
      await sweep(env.DIAGNOSIS, deps)
    } finally {
      deps.wake()
    }
  },
} satisfies ExportedHandler<Bindings>
