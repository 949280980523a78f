import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Diagnosis, DiagnosisRequest, Outcome, State } from '../../diagnosis/diagnosis.ts'
import { reportOfText, reportText } from '../../diagnosis/report-ref.ts'
import type { AlertOutcome, NewTelling, Suppression } from './intake.ts'
import type { DiagnosisChange, Idempotency } from './records.ts'

/** The tables as the last of the migrations leaves them. */
export interface Schema {
  readonly diagnoses: DiagnosesTable
  readonly kept: { key: string; value: string }
  readonly alerts: AlertsTable
  readonly troubles: TroublesTable
  readonly tellings: TellingsTable
}

/** What lists filter by has a column; `request` and the results are JSON, each written whole and alone. */
interface DiagnosesTable {
  id: string
  created_at: string
  updated_at: string
  finished_at: string | null
  requester: string
  cluster: string
  namespace: string
  /** The pod asked for; for a workload or a selector the pod that was chosen, once gathered. */
  pod_name: string | null
  /** `tracker:key` */
  report: string | null
  state: State
  outcome: Outcome | null
  explanation: string | null
  cancel_requested: number
  started: number
  idempotency_key: string | null
  fingerprint: string | null
  request: string
  refusal: string | null
  pod: string | null
  containers: string
  findings: string
  redactions: string
  bundle: string | null
  reported: string | null
  comparison: string | null
}

export interface AlertsTable {
  id: string
  key: string
  received_at: string
  resolved_at: string | null
  state: 'received' | 'settled'
  due_at: string
  source: string
  fingerprint: string
  name: string
  /** The alert as it was first delivered, JSON. */
  alert: string
  cluster: string | null
  namespace: string | null
  workload: string | null
  pod: string | null
  trouble: string | null
  outcome: AlertOutcome | null
  suppression: Suppression | null
  message: string | null
  diagnosis: string | null
}

export interface TroublesTable {
  id: string
  cluster: string
  namespace: string
  workload: string
  name: string
  opened_at: string
  updated_at: string
  resolved_at: string | null
  round: number
  /** The alert that opened this round. */
  opened_by: string
  /** `tracker:key` */
  report: string | null
}

export interface TellingsTable {
  id: string
  kind: NewTelling['kind']
  trouble: string | null
  report: string | null
  /** JSON */
  note: string | null
  state: 'due' | 'told' | 'given-up'
  due_at: string
  attempts: number
  version: number
  created_at: string
  /** Names the call that put it down last, by chance. */
  call: string
  message: string | null
}

/** The row of a diagnosis that was just accepted. */
export function rowOf(request: DiagnosisRequest, idempotency: Idempotency | undefined, now: string): Insertable<DiagnosesTable> {
  return {
    id: request.id,
    created_at: request.createdAt,
    updated_at: now,
    requester: request.requester,
    cluster: request.cluster,
    namespace: request.target.namespace,
    pod_name: request.target.kind === 'pod' ? request.target.name : null,
    report: request.report ? reportText(request.report) : null,
    state: 'accepted',
    cancel_requested: 0,
    started: 0,
    idempotency_key: idempotency?.key ?? null,
    fingerprint: idempotency?.fingerprint ?? null,
    request: JSON.stringify(request),
    containers: '[]',
    findings: '[]',
    redactions: '{}',
  }
}

/** The columns that a change sets; what it leaves out keeps its value. */
export function columnsOf(change: DiagnosisChange): Updateable<DiagnosesTable> {
  return {
    ...(change.state !== undefined && { state: change.state }),
    ...(change.outcome !== undefined && { outcome: change.outcome }),
    ...(change.explanation !== undefined && { explanation: change.explanation }),
    ...(change.finishedAt !== undefined && { finished_at: change.finishedAt }),
    ...(change.refusal !== undefined && { refusal: JSON.stringify(change.refusal) }),
    ...(change.pod !== undefined && { pod: JSON.stringify(change.pod), pod_name: change.pod.name }),
    ...(change.containers !== undefined && { containers: JSON.stringify(change.containers) }),
    ...(change.findings !== undefined && { findings: JSON.stringify(change.findings) }),
    ...(change.redactions !== undefined && { redactions: JSON.stringify(change.redactions) }),
    ...(change.bundle !== undefined && { bundle: JSON.stringify(change.bundle) }),
    ...(change.report !== undefined && { report: reportText(change.report) }),
    ...(change.reported !== undefined && { reported: JSON.stringify(change.reported) }),
    ...(change.comparison !== undefined && { comparison: JSON.stringify(change.comparison) }),
  }
}

export function diagnosisOf(row: Selectable<DiagnosesTable>): Diagnosis {
  return {
    ...(JSON.parse(row.request) as DiagnosisRequest),
    ...(row.report !== null && { report: reportOfText(row.report) }),
    updatedAt: row.updated_at,
    state: row.state,
    ...(row.outcome !== null && { outcome: row.outcome }),
    ...(row.explanation !== null && { explanation: row.explanation }),
    ...(row.refusal !== null && { refusal: JSON.parse(row.refusal) }),
    cancelRequested: row.cancel_requested === 1,
    ...(row.pod !== null && { pod: JSON.parse(row.pod) }),
    containers: JSON.parse(row.containers),
    findings: JSON.parse(row.findings),
    redactions: JSON.parse(row.redactions),
    ...(row.bundle !== null && { bundle: JSON.parse(row.bundle) }),
    ...(row.reported !== null && { reported: JSON.parse(row.reported) }),
    // Absent until the migrations of D1 are applied.
    ...(row.comparison && { comparison: JSON.parse(row.comparison) }),
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
  }
}
