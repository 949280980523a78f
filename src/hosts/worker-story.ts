import type { WorkflowStep } from 'cloudflare:workers'
import type { Deps } from '../deps.ts'
import { diagnose, endLost } from '../diagnose.ts'
import { redactedStep } from './parts.ts'
import { type RunParams, waitForRoom } from './worker-runs.ts'
import { durableStep } from './workflows-engine.ts'

/**
 * One durable run. Workflows calls this anew after every pause and crash, with the steps that are saved, and a throw outside of a step ends
 * the run for good: so whatever may fail is in one.
 */
export async function runDiagnosis({ id, lost }: RunParams, workflowStep: WorkflowStep, open: () => Deps): Promise<void> {
  const deps = await openAtLast(workflowStep, open)
  const step = redactedStep(durableStep(workflowStep), deps.redactor)
  const request = await step.run('read', () => deps.records.get(id))
  if (!request) return deps.log('error', 'A run has no diagnosis', { id })
  if (lost !== undefined) return endLost(request, lost, step, deps)
  await waitForRoom(id, step, deps)
  await diagnose(request, step, deps)
}

/** A deployment may lack a secret or a binding for a while: diagnoses at work wait for the next one, about a day. */
const longestPauseMs = 15 * 60_000
const mostPauses = 100

async function openAtLast(step: WorkflowStep, open: () => Deps): Promise<Deps> {
  for (let pause = 1; ; pause++) {
    try {
      return open()
    } catch (error) {
      if (pause > mostPauses) throw error
      console.error(JSON.stringify({ level: 'error', message: 'A diagnosis at work waits for what is missing', error: String(error) }))
      await step.sleep(`not-set-up-${pause}`, Math.min(longestPauseMs, 30_000 * pause))
    }
  }
}
