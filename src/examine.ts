import type { InjectOutcome, Planned } from './container-stages.ts'
import type { Step } from './deps.ts'
import { type End, start } from './diagnosis/cursor.ts'
import type { ContainerRecord, Finding, Ids, Refusal } from './diagnosis/diagnosis.ts'
import type { RedactionCounts } from './diagnosis/redact/redactor.ts'
import type { SeenTarget } from './diagnosis/seal/tap-findings.ts'
import type { GatherOutcome } from './stage-context.ts'
import type { Stages } from './stages.ts'

type Injected = Extract<InjectOutcome, { kind: 'injected' }>

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

type Added =
  | { readonly kind: 'added'; readonly planned: Planned; readonly injected: Injected }
  | { readonly kind: 'none'; readonly examined: Examined }

/** A plan that grew old before it was sent, because the service was away, is made anew. */
const mostPlans = 3

async function add(examination: Examination, step: Step, stages: Stages): Promise<Added> {
  const none = (why: Pick<Examined, 'refusal' | 'failure' | 'end'>): Added => ({ kind: 'none', examined: { ...nothing, ...why } })
  for (let plan = 1; plan <= mostPlans; plan++) {
    const name = plan === 1 ? examination.attempt : `${examination.attempt}-again-${plan - 1}`
    const planned = await step.run(`plan-${name}`, () => stages.plan(examination))
    if (planned.kind === 'refused') return none({ refusal: planned.refusal })
    if (planned.kind === 'cancelled') return none({ end: 'cancelled' })
    if (planned.kind === 'failed') return none({ failure: planned.message })
    const injected = await step.run(`inject-${name}`, () => stages.inject(planned, examination))
    if (injected.kind === 'refused') return none({ refusal: injected.refusal })
    if (injected.kind === 'failed') return none({ failure: injected.message })
    if (injected.kind === 'injected') return { kind: 'added', planned, injected }
  }
  return none({ failure: `Cannot add the container: ${mostPlans} times the service was away between planning and adding it` })
}

/** Adds one container and listens to its end. The whole spec is persisted by the first step before the second sends it. */
export async function examine(examination: Examination, step: Step, stages: Stages): Promise<Examined> {
  const n = examination.attempt
  const added = await add(examination, step, stages)
  if (added.kind !== 'added') return added.examined
  const { planned, injected } = added
  const started = await step.run(`start-${n}`, () => stages.start(planned, examination.gathered, injected.at))
  let cursor = start
  for (let turn = 1; started.kind === 'started' && !cursor.end; turn++) {
    cursor = await step.run(`listen-${n}-${turn}`, () => stages.listen(planned, examination.gathered, injected.at, cursor))
  }
  return step.run(`end-${n}`, () => stages.end(planned, examination, started, cursor))
}
