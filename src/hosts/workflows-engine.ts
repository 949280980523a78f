import type { WorkflowStep, WorkflowStepConfig } from 'cloudflare:workers'
import type { Step } from '../deps.ts'

/**
 * What may pass is tried again by the steps themselves; this is for outages that outlast them. The pauses grow by 5 s: 200 of them
 * are more than the day after which the story itself gives up. A step may last a turn and the patience of its stage.
 */
const stepConfig: WorkflowStepConfig = { retries: { limit: 200, delay: '5 seconds', backoff: 'linear' }, timeout: '20 minutes' }

/** Durable steps by Cloudflare Workflows. Its rules: names are unique in a run, results are at most 1 MiB. */
export function durableStep(step: WorkflowStep): Step {
  return {
    async run<T>(name: string, effect: () => Promise<T>): Promise<T> {
      // As JSON, which is what the other engine keeps: undefined fields are left out.
      const kept = await step.do(name, stepConfig, async () => JSON.stringify((await effect()) ?? null))
      return JSON.parse(kept) ?? undefined
    },
    sleep: (name, ms) => step.sleep(name, Math.ceil(ms)),
  }
}
