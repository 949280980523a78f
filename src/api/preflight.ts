import { createRoute, z } from '@hono/zod-openapi'
import type { Deps } from '../deps.ts'
import { requestSchema } from '../diagnosis/accept/request.ts'
import { boundDeclared } from '../diagnosis/admit/policy.ts'
import { type DiagnosisRequest, profiles, type Refusal, refusalCodes } from '../diagnosis/diagnosis.ts'
import { gather } from '../diagnosis/gather/gather.ts'
import { type Preflight, preflight } from '../diagnosis/inject/preflight.ts'
import { ClusterForbidden, ClusterUnavailable } from '../ports/cluster/cluster.ts'
import { preflightTwin, type TwinPreflight } from '../preflight-twin.ts'
import { routes } from '../routes.ts'
import type { App } from './env.ts'
import { readAdmitted } from './intake.ts'
import { Problem, problemResponses } from './problem.ts'

const timeoutMs = 20_000

const preflightSchema = z
  .object({
    ok: z.boolean(),
    refusal: z
      .object({ code: z.enum(refusalCodes), message: z.string() })
      .optional()
      .openapi({ description: 'Why nothing would be injected.' }),
    warnings: z.array(z.string()),
    profile: z.enum(profiles).openapi({ description: 'The one that would be used; the one asked for, where none would.' }),
    checks: z.array(z.object({ name: z.string(), param: z.string().optional() })),
    twin: z
      .object({
        ok: z.boolean(),
        pod: z.string().optional(),
        explanation: z.string().optional(),
        refusal: z.object({ code: z.enum(refusalCodes), message: z.string() }).optional(),
      })
      .optional()
      .openapi({ description: 'With compare: the healthy replica, and whether a container would be added to it, too.' }),
    container: z.record(z.string(), z.unknown()).optional().openapi({ description: 'The ephemeral container as it would be sent.' }),
  })
  .openapi('Preflight')

const route = createRoute({
  method: 'post',
  path: routes.preflight,
  summary: 'Would it work?',
  description: 'Takes the body of a request for a diagnosis, reads the evidence and asks the cluster by a dry run. Adds nothing, keeps nothing.',
  security: [{ token: [] }],
  request: {
    body: {
      required: true,
      content: { 'application/json': { schema: requestSchema }, 'application/x-www-form-urlencoded': { schema: requestSchema } },
    },
  },
  responses: {
    200: { description: 'Whether, and if not the exact reason', content: { 'application/json': { schema: preflightSchema } } },
    ...problemResponses(
      'malformed-request',
      'unauthorized',
      'forbidden',
      'body-too-large',
      'unsupported-media-type',
      'invalid-request',
      'unavailable',
    ),
  },
})

export function preflightDiagnosis(app: App, deps: Deps): void {
  app.openAPIRegistry.registerPath(route)
  app.post(routes.preflight, async (c) => {
    const request = await readAdmitted(c.req.raw, c.get('principal'), deps)
    return c.json(await ask(request, deps, c.req.raw.signal))
  })
}

type Answer = Preflight & { readonly twin?: TwinPreflight }

async function ask(request: DiagnosisRequest, deps: Deps, requestSignal: AbortSignal): Promise<Answer> {
  const cluster = deps.clusters.get(request.cluster)
  if (!cluster) throw new Problem('unavailable', `Cluster "${request.cluster}" is not connected`)
  const timeout = new AbortController()
  const signal = AbortSignal.any([timeout.signal, requestSignal])
  const asked = new AbortController()
  // What the API server and admission say may quote anything, as in a diagnosis.
  const hidden = <T extends { readonly refusal?: Refusal }>(answer: T): T =>
    answer.refusal ? { ...answer, refusal: { ...answer.refusal, message: deps.redactor.text('message', answer.refusal.message).text } } : answer
  const redacted = (answer: Answer): Answer => hidden(answer.twin ? { ...answer, twin: hidden(answer.twin) } : answer)
  void deps.clock.sleep(timeoutMs, asked.signal).then(() => timeout.abort())
  try {
    const { config, redactor, clock } = deps
    const { gathered } = await gather(request, { cluster, config, redactor, clock, bounds: boundDeclared(config.policy, request) }, signal)
    const answer = await preflight(request, gathered, deps, signal)
    return redacted(request.compare ? { ...answer, twin: await preflightTwin(request, { gathered, answer }, deps, signal) } : answer)
  } catch (error) {
    const nothing = { ok: false, warnings: [], profile: request.profile, checks: request.checks }
    if (error instanceof ClusterForbidden) return redacted({ ...nothing, refusal: { code: 'rbac', message: error.message } })
    if (!(error instanceof ClusterUnavailable) && !timeout.signal.aborted) throw error
    deps.log('warn', 'A preflight could not ask the cluster', { cluster: request.cluster, error: String(error) })
    const why = timeout.signal.aborted ? `did not answer within ${timeoutMs / 1000} s` : 'cannot be reached now'
    throw new Problem('unavailable', `Cluster "${request.cluster}" ${why}; try again`, { headers: { 'retry-after': '10' } })
  } finally {
    asked.abort()
  }
}
