import { z } from '@hono/zod-openapi'
import { parseCheck } from '../check-request.ts'
import { type CheckRequest, type DiagnosisRequest, knownChecks, type Profile, profiles, type Target } from '../diagnosis.ts'
import type { Redactor } from '../redact/redactor.ts'
import { type FieldError, fieldError, fieldErrors, type Parsed } from './field-error.ts'
import { parseReport, type Trackers } from './report.ts'
import {
  complainAboutSelector,
  labelPattern,
  podPattern,
  podTarget,
  selectorPattern,
  selectorTarget,
  workloadKinds,
  workloadPattern,
  workloadTarget,
} from './target.ts'

const reason = z.string().min(1, 'must not be empty; leave it out').max(500, 'a reason has at most 500 characters')
const pod = z.string().regex(podPattern, 'expected namespace/name such as shop/cart-57bcf49487-ddmpn')
const workload = z
  .string()
  .regex(workloadPattern, `expected namespace/kind/name such as shop/deployment/cart; the kinds are ${workloadKinds.join(', ')}`)
const selector = z.union([
  z.string().regex(selectorPattern, 'expected namespace/selector such as shop/app=cart'),
  z.strictObject({
    namespace: z.string().regex(labelPattern, 'expected the name of a namespace'),
    labels: z.record(z.string(), z.string()),
  }),
])

/** The body of a request for a diagnosis, JSON or form alike. */
export const requestSchema = z
  .strictObject({
    pod: pod
      .optional()
      .openapi({ description: 'The pod, as namespace/name. Exactly one of pod, workload and selector.', example: 'shop/cart-57bcf49487-ddmpn' }),
    workload: workload
      .optional()
      .openapi({ description: `Its least healthy pod, as namespace/kind/name; the kinds are ${workloadKinds.join(', ')}.` }),
    selector: selector.optional().openapi({ description: 'The least healthy pod of those with these labels, as namespace/selector, or an object.' }),
    container: z.string().regex(labelPattern, 'expected the name of a container').optional().openapi({ description: 'The container to look into.' }),
    profile: z.enum(profiles).optional().openapi({ description: 'Security profile; auto is the least that still sees the target.', default: 'auto' }),
    toolset: z
      .string()
      .regex(labelPattern, 'expected the name of a toolset')
      .optional()
      .openapi({ description: "Image with more tools: one of the configured toolsets; default: the pod's annotation, else core." }),
    checks: z
      .array(z.string())
      .max(20, 'at most 20 checks')
      .optional()
      .openapi({
        description: 'Checks as name or name=parameter; in a form, the field repeated. Default: the default checks, and what the evidence hints at.',
        example: ['http=http://cart:8080'],
      }),
    cluster: z.string().optional().openapi({ description: 'Needed where several clusters are configured.' }),
    report: z.string().optional().openapi({ description: 'The bug report, as tracker:key or its URL.', example: 'redmine:12' }),
    compare: z
      .union([z.boolean(), z.enum(['true', 'false'])], 'expected true or false')
      .optional()
      .openapi({
        type: 'boolean',
        description: 'Whether a healthy replica is looked at by the same checks, and what differs is told first.',
        default: false,
      }),
    reason: reason.optional().openapi({ description: 'Why; told in the bug report.' }),
  })
  .openapi('DiagnosisRequest')

type Body = z.infer<typeof requestSchema>
/** A request but for who asks, its id and its time. */
export type Intake = Omit<DiagnosisRequest, 'id' | 'createdAt' | 'requester'>

export interface Surroundings {
  /** Names of the clusters that the caller may use. */
  readonly clusters: readonly string[]
  readonly extraChecks: readonly string[]
  /** Those configured beside `core`. */
  readonly toolsets: Readonly<Record<string, { readonly profile: Profile }>>
  readonly trackers: Trackers
  readonly redactor: Pick<Redactor, 'text'>
}

/** Reads the body of a request; all that is wrong with it is told at once. */
export function parseRequest(input: unknown, around: Surroundings): Parsed<Intake> {
  const parsed = requestSchema.safeParse(input)
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, input, Object.keys(requestSchema.shape)) }
  const body = parsed.data
  const errors: FieldError[] = []
  const complain = (field: string, value: unknown, message: string) => void errors.push(fieldError(field, value, message))

  const target = targetOf(body, complain)
  const cluster = clusterOf(body.cluster, around.clusters, complain)
  const checks = checksOf(body.checks ?? [], around, complain)
  const toolset = toolsetOf(body.toolset, around.toolsets, complain)
  const report = body.report === undefined ? undefined : parseReport(body.report, around.trackers)
  if (typeof report === 'string') complain('report', body.report, report)
  if (errors.length > 0 || !target || cluster === undefined || typeof report === 'string') return { ok: false, errors }
  const { container, reason } = body
  return {
    ok: true,
    value: {
      cluster,
      target,
      profile: body.profile ?? toolset?.profile ?? 'auto',
      ...(toolset ? { toolset: toolset.name } : {}),
      checks,
      ...(container === undefined ? {} : { container }),
      ...(report === undefined ? {} : { report }),
      ...(body.compare === true || body.compare === 'true' ? { compare: true as const } : {}),
      ...(reason === undefined ? {} : { reason: around.redactor.text('request/reason', reason).text }),
    },
  }
}

type Complain = (field: string, value: unknown, message: string) => void

function targetOf(body: Body, complain: Complain): Target | undefined {
  const given = (['pod', 'workload', 'selector'] as const).filter((field) => body[field] !== undefined)
  const one = 'expected exactly one of pod, workload and selector'
  if (given.length === 0) return void complain('pod', undefined, `${one}; none is given`)
  if (given.length > 1) {
    for (const field of given) complain(field, body[field], `${one}; given are ${given.join(' and ')}`)
    return undefined
  }
  if (body.pod !== undefined) return podTarget(body.pod)
  if (body.workload !== undefined) return workloadTarget(body.workload)
  if (body.selector === undefined) return undefined
  const target = selectorTarget(body.selector)
  const complaint = target.kind === 'selector' ? complainAboutSelector(target.selector) : undefined
  return complaint === undefined ? target : void complain('selector', body.selector, complaint)
}

function clusterOf(name: string | undefined, clusters: readonly string[], complain: Complain): string | undefined {
  const usable = clusters.length > 0 ? `you may use ${clusters.join(', ')}` : 'you may use none'
  if (name !== undefined) return clusters.includes(name) ? name : void complain('cluster', name, `unknown cluster; ${usable}`)
  return clusters.length === 1 ? clusters[0] : void complain('cluster', undefined, `name the cluster; ${usable}`)
}

/** What is named with a toolset's own profile, policy can look at. */
function toolsetOf(name: string | undefined, toolsets: Surroundings['toolsets'], complain: Complain): { name: string; profile: Profile } | undefined {
  if (name === undefined) return undefined
  if (name === 'core') return { name, profile: 'auto' }
  const found = Object.hasOwn(toolsets, name) ? toolsets[name] : undefined
  if (found) return { name, profile: found.profile }
  return void complain('toolset', name, `unknown toolset; known are ${['core', ...Object.keys(toolsets)].join(', ')}`)
}

function checksOf(texts: readonly string[], around: Surroundings, complain: Complain): CheckRequest[] {
  const known = [...knownChecks, ...around.extraChecks]
  const checks: CheckRequest[] = []
  for (const [at, text] of texts.entries()) {
    const check = parseCheck(text, known)
    if (typeof check === 'string') complain(`checks[${at}]`, text, check)
    else if (check.param !== undefined && around.redactor.text('request/check', check.param).text !== check.param) {
      // Not quoted: what looks like a secret is not sent back either.
      complain(`checks[${at}]`, undefined, 'the parameter holds what looks like a secret; all who can read the pod would see it')
    } else checks.push(check)
  }
  return checks
}
