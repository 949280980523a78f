import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import configured from 'virtual:config'
import { createApp } from '../app.ts'
import { diagnose } from '../diagnose.ts'
import { type Bindings, openWorker, type WorkerConfig } from './worker-parts.ts'
import { durableStep } from './workflows-engine.ts'

/** The service on Cloudflare Workers. Bindings and the configuration are looked at first: wrong ones answer nothing but that. */

const config = configured as WorkerConfig

export class Diagnosis extends WorkflowEntrypoint<Bindings, { readonly id: string }> {
  override async run({ payload: { id } }: Readonly<WorkflowEvent<{ readonly id: string }>>, step: WorkflowStep): Promise<void> {
    const { deps } = openWorker(config, this.env)
    await diagnose(id, durableStep(step), deps)
  }
}

export default {
  /** What one request opened belongs to it: the runtime lets no other one wait for it. */
  async fetch(request, env) {
    return createApp(openWorker(config, env).deps).fetch(request)
  },

  /** The sweeper: what was accepted and has no run gets one. */
  async scheduled(_, env) {
    await openWorker(config, env).sweep()
  },
} satisfies ExportedHandler<Bindings>
