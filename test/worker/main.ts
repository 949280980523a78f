import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'

/** The Worker of the tests in workerd. Its run does what the test says. */
export class Diagnosis extends WorkflowEntrypoint {
  override async run({ instanceId, payload }: Readonly<WorkflowEvent<unknown>>, step: WorkflowStep): Promise<unknown> {
    return runs.get(instanceId)?.(step, payload)
  }
}

/** What runs do, by their ids: set by tests, which share this isolate. */
export const runs = new Map<string, (step: WorkflowStep, payload: unknown) => Promise<unknown>>()

/** Who answers the requests that name them in this header: set by tests, too. */
export const appHeader = 'x-app-under-test'
export const apps = new Map<string, { fetch(request: Request): Response | Promise<Response> }>()

export default {
  fetch(request) {
    const id = request.headers.get(appHeader) ?? ''
    const app = apps.get(id)
    apps.delete(id)
    return app?.fetch(request) ?? new Response(`There is no app "${id}"`, { status: 500 })
  },
} satisfies ExportedHandler
