import { markShared, onTwinAlone } from './diagnosis/compare/findings.ts'
import type { Comparison } from './diagnosis/comparison.ts'
import type { ContainerRecord, Diagnosis, Finding, Outcome } from './diagnosis/diagnosis.ts'
import type { Redactor } from './diagnosis/redact/redactor.ts'
import { mergeFindings } from './diagnosis/seal/conclude.ts'
import type { Examined } from './examine.ts'
import type { GatherOutcome } from './stage-context.ts'
import type { Compared } from './twin-stages.ts'

/** The final fields of a diagnosis; plain JSON. */
export type Conclusion = Pick<Diagnosis, 'findings' | 'containers' | 'redactions'> &
  Required<Pick<Diagnosis, 'outcome' | 'finishedAt'>> &
  Partial<Pick<Diagnosis, 'explanation' | 'refusal' | 'pod' | 'comparison'>>

export interface ConcludeInput {
  readonly outcome: GatherOutcome
  readonly examined: readonly Examined[]
  readonly harm: readonly Finding[]
  readonly now: number
  readonly redactor: Redactor
  /** Whether somebody asked for it, also where that came too late. */
  readonly cancelled?: boolean
  /** What became of the healthy replica, where one was asked for. */
  readonly compared?: Compared
}

/** Sums up: pure, so that it may be repeated. Everything in it passes the redactor once more, whatever it was made of. */
export function concludeFrom(input: ConcludeInput): Conclusion {
  const { outcome, examined } = input
  const gathered = outcome.kind === 'gathered' ? outcome.gathered : undefined
  const containers = examined.flatMap(({ container }, at) => (container ? [withoutRepeated(container, examined[at + 1]?.checks ?? [])] : []))
  const evidence = [...input.harm, ...(input.compared?.harm ?? []), ...(gathered?.findings ?? [])]
  const { findings, comparison } = besideTwin(mergeFindings(evidence, examined), input.compared)
  const [first] = examined
  const refusal = first?.refusal
  const verdict = judge(input)
  const redactions = examined.reduce<Record<string, number>>(
    (sum, { redactions = {} }) => add(sum, redactions),
    add(outcome.kind === 'gathered' ? { ...outcome.redactions } : {}, input.compared?.redactions ?? {}),
  )
  const pod = gathered?.podRef && gathered.uid !== undefined ? podOf(gathered) : undefined
  const { value, counts } = input.redactor.json('autodiagnose/diagnosis.json', {
    containers,
    findings,
    comparison,
    explanation: verdict.explanation,
    ...(refusal ? { refusal } : {}),
  })
  return {
    outcome: verdict.outcome,
    finishedAt: new Date(input.now).toISOString(),
    containers: value.containers,
    findings: value.findings,
    redactions: add(redactions, counts),
    ...(value.explanation === undefined ? {} : { explanation: value.explanation }),
    ...(value.refusal ? { refusal: value.refusal } : {}),
    ...(value.comparison ? { comparison: value.comparison } : {}),
    ...(pod ? { pod } : {}),
  }
}

/** With a healthy replica, what the target has alone comes first. */
function besideTwin(
  findings: readonly Finding[],
  compared: Compared | undefined,
): { readonly findings: readonly Finding[]; readonly comparison?: Comparison } {
  if (!compared) return { findings }
  const target = { findings, names: compared.names.target }
  const twin = { findings: compared.found, names: compared.names.twin }
  const marked = compared.comparison.twin ? markShared(target, twin, compared.comparison.twin.name) : findings
  return { findings: marked, comparison: { ...compared.comparison, findings: onTwinAlone(target, twin) } }
}

type Judged = Pick<ConcludeInput, 'outcome' | 'examined' | 'cancelled'>

/** How it ended, and why, one sentence. */
/** What the next container looked at again was not left out. */
function withoutRepeated(container: ContainerRecord, again: readonly string[]): ContainerRecord {
  const { skipped = [], ...rest } = container
  const left = skipped.filter(({ check }) => !again.includes(check))
  return left.length > 0 ? { ...rest, skipped: left } : rest
}

export function judge({ outcome, examined, cancelled: asked }: Judged): { readonly outcome: Outcome; readonly explanation?: string } {
  const [first, second] = examined
  const nothingAdded = !examined.some(({ container }) => container)
  const failure = outcome.kind === 'failed' ? outcome.message : first?.failure
  if (asked && nothingAdded && failure !== undefined)
    return { outcome: 'cancelled', explanation: `cancelled before a container was added; until then: ${failure}` }
  if (outcome.kind === 'failed') return { outcome: 'failed', explanation: outcome.message }
  if (examined.some(({ end }) => end === 'cancelled')) return { outcome: 'cancelled', explanation: cancelled(examined) }
  if (first?.refusal) return { outcome: 'refused', explanation: first.refusal.message }
  if (first?.failure !== undefined) return { outcome: 'failed', explanation: first.failure }
  const missing = examined.flatMap(({ container, end }) => {
    const gaps = container?.gaps ?? []
    return gaps.length > 0 || end === undefined || end === 'proven' ? gaps : [why[end]]
  })
  // The first one could not see the target, so what was to be looked at again is missing.
  const blind = second?.refusal?.message ?? second?.failure
  if (blind !== undefined) missing.push(`the processes of the target could not be seen, and a second container was of no help: ${blind}`)
  const [most] = missing
  return most === undefined ? { outcome: 'complete' } : { outcome: 'incomplete', explanation: most }
}

function cancelled(examined: readonly Examined[]): string {
  const containers = examined.flatMap(({ container }) => (container ? [container] : []))
  if (containers.length === 0) return 'cancelled before a container was added'
  return containers.some(({ exitCode }) => exitCode === undefined)
    ? 'cancelled; the container runs until its own deadline'
    : 'cancelled; the container had ended, and no other was added'
}

/** Where no gap says it better. */
const why = {
  terminated: 'the container ended without its end line',
  gone: 'the pod or its log went away',
  cut: 'the log was cut at its byte cap',
  late: 'the container did not end in time',
  cancelled: 'cancelled',
} as const

function podOf({ podRef, uid, node, container }: Extract<GatherOutcome, { kind: 'gathered' }>['gathered']): NonNullable<Diagnosis['pod']> {
  return { name: podRef?.name ?? '', uid: uid ?? '', ...(node ? { node } : {}), ...(container ? { container } : {}) }
}

function add(sum: Record<string, number>, more: Readonly<Record<string, number>>): Record<string, number> {
  for (const [rule, count] of Object.entries(more)) sum[rule] = (sum[rule] ?? 0) + count
  return sum
}
