import type { Deps } from './deps.ts'
import { twinOf } from './diagnosis/comparison.ts'
import type { DiagnosisRequest, Refusal } from './diagnosis/diagnosis.ts'
import type { Gathered } from './diagnosis/gathered.ts'
import type { RedactionCounts } from './diagnosis/redact/redactor.ts'
import type { Cluster } from './ports/cluster/cluster.ts'
import type { DiagnosisChange } from './ports/records/records.ts'

/** What gathering gave, as far as later steps need it; the files themselves are in the store. */
export type GatherOutcome =
  | { readonly kind: 'gathered'; readonly gathered: Gathered; readonly redactions: RedactionCounts }
  | { readonly kind: 'failed'; readonly message: string }

export function evidenceKeyOf(part: string): string {
  return `diagnoses/${part}/evidence.json`
}

export type StageContext = ReturnType<typeof stageContext>

export const minute = 60_000
const day = 24 * 60 * minute

/**
 * What all stages of one diagnosis share: the request, the outside world, and the words of what went wrong, redacted. For the part of the healthy
 * replica, `of: 'twin'`, what is stored has keys of its own, and the record does not say how far it is.
 */
export function stageContext(request: DiagnosisRequest, deps: Deps, of: 'target' | 'twin' = 'target') {
  const { id } = request
  const part = of === 'twin' ? twinOf(id) : id
  const { records, clock, redactor } = deps
  const told = (message: string): string => cut(redactor.text('message', message).text)
  return {
    request,
    deps,
    id,
    /** Under which the store keeps evidence and segments. */
    part,
    evidenceKey: evidenceKeyOf(part),
    progress: async (change: DiagnosisChange): Promise<void> => {
      if (of === 'target') await records.update(id, change)
    },
    cluster: (): Cluster => {
      const found = deps.clusters.get(request.cluster)
      if (!found) throw new Error(`cluster "${request.cluster}" is not configured any more`)
      return found
    },
    failed: (message: string): { readonly kind: 'failed'; readonly message: string } => ({ kind: 'failed', message: told(message) }),
    refused: (refusal: Refusal): { readonly kind: 'refused'; readonly refusal: Refusal } => ({
      kind: 'refused',
      refusal: { ...refusal, message: told(refusal.message) },
    }),
    cancelled: async (): Promise<boolean> => (await records.get(id))?.cancelRequested ?? false,
    /** A day after the request nothing is tried again. */
    late: (): boolean => clock.now() > Date.parse(request.createdAt) + day,
  }
}

/** An API server, and whoever answers in its place, says what it likes. Only for what is redacted: half a secret is none that a rule knows. */
function cut(message: string): string {
  return message.length > maxMessage ? `${message.slice(0, maxMessage)}…` : message
}

const maxMessage = 4000

export function podOf(outcome: GatherOutcome) {
  if (outcome.kind === 'failed' || !outcome.gathered.podRef || outcome.gathered.uid === undefined) throw new TypeError('There is no pod')
  return { pod: outcome.gathered.podRef, uid: outcome.gathered.uid, gathered: outcome.gathered }
}
