import { z } from '@hono/zod-openapi'
import { type Diagnosis, outcomes, profiles, refusalCodes, severities, states } from '../diagnosis/diagnosis.ts'
import { urlsOf } from '../routes.ts'

const text = z.string()
const time = z.string().openapi({ format: 'date-time' })

const findingSchema = z
  .object({
    id: text.openapi({ description: 'The same trouble has the same id in every diagnosis.', example: 'http/status-500' }),
    check: text,
    severity: z.enum(severities),
    title: text,
    evidence: text.optional(),
    cause: text.optional(),
    next: text.optional(),
    source: z.enum(['evidence', 'container']),
    alsoOn: text.optional().openapi({ description: 'The healthy replica on which the same was found.' }),
  })
  .openapi('Finding')

const containerSchema = z
  .object({
    name: text,
    profile: z.enum(profiles).exclude(['auto']).optional(),
    image: text,
    ids: z.object({ uid: z.number(), gid: z.number() }).optional(),
    startedAt: time.optional(),
    finishedAt: time.optional(),
    exitCode: z.number().optional(),
    imageId: text.optional(),
    lines: z.number().optional(),
    bytes: z.number().optional(),
    proven: z.boolean().optional().openapi({ description: 'Whether the end line proved that everything was read.' }),
    gaps: z.array(text).optional(),
    skipped: z
      .array(z.object({ check: text, why: text }))
      .optional()
      .openapi({ description: 'Checks that could not look, or not at everything.' }),
  })
  .openapi('DiagnosticContainer')

const comparisonSchema = z
  .object({
    twin: z
      .object({ name: text, uid: text, node: text.optional(), container: text.optional() })
      .optional()
      .openapi({ description: 'The healthy replica, where there is one.' }),
    explanation: text.optional().openapi({ description: 'Why there is no replica, or not all of it was looked at.' }),
    refusal: z
      .object({ code: z.enum(refusalCodes), message: text })
      .optional()
      .openapi({ description: 'Why no container was added to the replica.' }),
    containers: z.array(containerSchema),
    specs: z
      .array(z.object({ what: text, target: text, twin: text }))
      .openapi({ description: 'What the two pods were told to be, where that differs.' }),
    facts: z
      .array(z.object({ check: text, target: z.array(text), twin: z.array(text) }))
      .openapi({ description: 'What a check printed of one of the two alone.' }),
    findings: z
      .array(z.object({ id: text, check: text, severity: z.enum(severities), title: text }))
      .openapi({ description: 'What was found in the replica alone.' }),
  })
  .openapi('Comparison')

const adoptedSchema = z
  .object({
    container: text,
    podUid: text,
    image: text,
    profile: z.enum(profiles).exclude(['auto']),
    ids: z.object({ uid: z.number(), gid: z.number() }).optional(),
    listenSeconds: z.number(),
  })
  .openapi('AdoptedContainer')

const targetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pod'), namespace: text, name: text }),
  z.object({ kind: z.literal('workload'), namespace: text, workload: text, name: text }),
  z.object({ kind: z.literal('selector'), namespace: text, selector: text }),
])

const alertRefSchema = z
  .object({
    trouble: text,
    source: text,
    name: text,
    startsAt: time,
    labels: z.record(text, text),
    annotations: z.record(text, text),
    links: z.array(z.object({ label: text, url: text })),
  })
  .openapi('AlertOfDiagnosis')

const reportedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('written'), noteId: text, url: text.optional(), at: time }),
  z.object({ kind: z.literal('delayed'), message: text, at: time }),
  z.object({ kind: z.literal('rejected'), message: text, at: time }),
])

/** A diagnosis as the API shows it: as the records have it, with links. */
export const diagnosisSchema = z
  .object({
    id: text.openapi({ example: 'ad-01jd2zk8w0q7x2m4n6p8' }),
    createdAt: time,
    updatedAt: time,
    finishedAt: time.optional(),
    requester: text,
    reason: text.optional(),
    cluster: text,
    target: targetSchema,
    container: text.optional(),
    profile: z.enum(profiles),
    toolset: text.optional().openapi({ description: 'The image with its tools.' }),
    checks: z.array(z.object({ name: text, param: text.optional() })),
    report: z.object({ tracker: text, key: text }).optional(),
    route: z
      .object({ tracker: text, project: text, labels: z.array(text), type: text.optional() })
      .optional()
      .openapi({ description: 'Where the report is found or opened, for an alert that names none.' }),
    compare: z.literal(true).optional().openapi({ description: 'A healthy replica is looked at, too.' }),
    adopted: adoptedSchema.optional().openapi({ description: 'The container that somebody added by hand; nothing else was added.' }),
    alert: alertRefSchema.optional().openapi({ description: 'The alert that it was made for.' }),
    state: z.enum(states),
    outcome: z.enum(outcomes).optional(),
    explanation: text.optional().openapi({ description: 'Why the outcome is what it is.' }),
    refusal: z.object({ code: z.enum(refusalCodes), message: text }).optional(),
    cancelRequested: z.boolean(),
    pod: z.object({ name: text, uid: text, node: text.optional(), container: text.optional() }).optional(),
    containers: z.array(containerSchema),
    findings: z.array(findingSchema),
    redactions: z.record(text, z.number()).openapi({ description: 'How many secrets were removed, by rule.' }),
    bundle: z.object({ key: text, bytes: z.number(), filename: text }).optional(),
    reported: reportedSchema.optional(),
    comparison: comparisonSchema.optional(),
    links: z.object({ self: text, page: text, log: text, twinLog: text.optional(), bundle: text.optional(), report: text.optional() }),
  })
  .openapi('Diagnosis')

export type View = Diagnosis & {
  readonly links: {
    readonly self: string
    readonly page: string
    readonly log: string
    readonly twinLog?: string
    readonly bundle?: string
    readonly report?: string
  }
}

/** Links lead only to what is there. */
export function viewOf(diagnosis: Diagnosis, publicUrl: string): View {
  const { bundle, ...links } = urlsOf(publicUrl, diagnosis.id)
  const report = diagnosis.reported?.kind === 'written' ? diagnosis.reported.url : undefined
  const twinLog = diagnosis.comparison?.containers.length ? { twinLog: `${links.log}?twin` } : {}
  return { ...diagnosis, links: { ...links, ...twinLog, ...(diagnosis.bundle ? { bundle } : {}), ...(report === undefined ? {} : { report }) } }
}
