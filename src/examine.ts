import type { Step } from './deps.ts'
import { type End, start } from './diagnosis/cursor.ts'
import type { ContainerRecord, Finding, Ids, Refusal } from './diagnosis/diagnosis.ts'
import type { RedactionCounts } from './diagnosis/redact/redactor.ts'
import type { SeenTarget } from './diagnosis/seal/tap-findings.ts'
import type { GatherOutcome } from './stage-context.ts'
import type { Stages } from './stages.ts'

export interface Examination {
  readonly attempt: number
  readonly gathered: GatherOutcome
  /** What the first container found out, for the second. */
  readonly foundIds?: Ids
}

/** What became of one diagnostic container. */
export interface Examined {
  readonly container?: ContainerRecord
  readonly refusal?: Refusal
  /** One sentence: what failed, though it was not refused. */
  readonly failure?: string
  readonly end?: End
  readonly checks: readonly string[]
  readonly findings: readonly Finding[]
  readonly seen?: SeenTarget
  readonly redactions?: RedactionCounts
  /** Whether a second container with the ids that this one saw would see more. */
  readonly retryWithIds: boolean
}

const nothing = { checks: [], findings: [], retryWithIds: false } as const

/** Adds one container and listens to its end. The whole spec is persisted by the first step before the second sends it. */
export async function examine(examination: Examination, step: Step, stages: Stages): Promise<Examined> {
  const n = examination.attempt
  const planned = await step.run(`plan-${n}`, () => stages.plan(examination))
  if (planned.kind !== 'planned')
    return {
      ...nothing,
      ...(planned.kind === 'refused'
        ? { refusal: planned.refusal }
        : planned.kind === 'cancelled'
          ? { end: 'cancelled' }
          : { failure: planned.message }),
    }

  const injected = await step.run(`inject-${n}`, () => stages.inject(planned, examination))
  if (injected.kind !== 'injected')
    return { ...nothing, ...(injected.kind === 'refused' ? { refusal: injected.refusal } : { failure: injected.message }) }

  const started = await step.run(`start-${n}`, () => stages.start(planned, examination.gathered, injected.at))
  let cursor = start
  for (let turn = 1; started.kind === 'started' && !cursor.end; turn++) {
    cursor = await step.run(`listen-${n}-${turn}`, () => stages.listen(planned, examination.gathered, injected.at, cursor))
  }
  return step.run(`end-${n}`, () => stages.end(planned, examination, started, cursor))
}
