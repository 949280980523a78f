import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import configured from 'virtual:config'
import { createApp } from '../app.ts'
import { diagnose } from '../diagnose.ts'
import { type Bindings, openWorker, type WorkerConfig } from './worker-parts.ts'
import { missingParts } from './worker-problems.ts'
import { sweep, waitForRoom } from './worker-runs.ts'
import { durableStep } from './workflows-engine.ts'

/** The service on Cloudflare Workers. */

const worker = configured as WorkerConfig

/** One diagnosis as a durable run. */
export class Diagnosis extends WorkflowEntrypoint<Bindings, { readonly id: string }> {
  override async run({ payload: { id } }: Readonly<WorkflowEvent<{ readonly id: string }>>, step: WorkflowStep): Promise<void> {
    const deps = openWorker(worker, this.env)
    const durable = durableStep(step)
    await waitForRoom(id, durable, deps)
    await diagnose(id, durable, deps)
  }
}

export default {
  /** What a request opens belongs to it, because the runtime lets no other one wait for it: so each has an app of its own, which takes 1 ms. */
  async fetch(request, env) {
    const wrong = missingParts(worker.config, worker.secrets, env)
    if (wrong.length === 0) {
      try {
        return await createApp(openWorker(worker, env)).fetch(request)
      } catch (error) {
        // The app answers its own errors; a secret may be of no use.
        wrong.push(error instanceof Error ? error.message : String(error))
      }
    }
    console.error(JSON.stringify({ level: 'error', message: 'The Worker cannot serve', wrong }))
    return new Response('The service is not set up: its log (npx wrangler tail) says what is wrong\n', { status: 500 })
  },

  async scheduled(_, env) {
    await sweep(env.DIAGNOSIS, openWorker(worker, env))
  },
} satisfies ExportedHandler<Bindings>
