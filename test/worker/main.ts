import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'

/** The Worker of the tests in workerd. Its run does what the test says. */
export class Diagnosis extends WorkflowEntrypoint {
  override async run({ instanceId }: Readonly<WorkflowEvent<unknown>>, step: WorkflowStep): Promise<unknown> {
    return runs.get(instanceId)?.(step)
  }
}

/** What runs do, by their ids: set by tests, which share this isolate. */
export const runs = new Map<string, (step: WorkflowStep) => Promise<unknown>>()

export default { fetch: () => new Response('The tests ask the app itself') } satisfies ExportedHandler
