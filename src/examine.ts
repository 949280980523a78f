import type { AdoptedStages } from './adopted-stages.ts'
import type { ContainerStages, InjectOutcome, Planned } from './container-stages.ts'
import type { Step } from './deps.ts'
import { type End, start } from './diagnosis/cursor.ts'
import type { CheckRequest, ContainerRecord, Finding, Ids, Refusal } from './diagnosis/diagnosis.ts'
import type { RedactionCounts } from './diagnosis/redact/redactor.ts'
import type { SeenTarget } from './diagnosis/seal/tap-findings.ts'
import type { GatherOutcome } from './stage-context.ts'

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
  /** The checks with their parameters, as they were planned. */
  readonly asked?: readonly CheckRequest[]
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

async function add(examination: Examination, step: Step, stages: ContainerStages): Promise<Added> {
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

/** The first container, and where it saw too little the second. */
export async function examineBoth(gathered: GatherOutcome, step: Step, stages: ContainerStages): Promise<readonly Examined[]> {
  const first = await examine({ attempt: 1, gathered }, step, stages)
  const second = sawTooLittle(first) ? await examine({ attempt: 2, gathered, foundIds: first.seen.ids }, step, stages) : undefined
  return second ? [first, second] : [first]
}

/** The first container ran as somebody else than the target, and found out who that is. */
function sawTooLittle(first: Examined): first is Examined & Required<Pick<Examined, 'seen'>> {
  return first.end !== 'cancelled' && first.seen !== undefined && !first.seen.visible && first.retryWithIds
}

/** Listens to a container that somebody added by hand, from its beginning on; nothing is added. */
export async function examineAdopted(gathered: GatherOutcome, step: Step, stages: ContainerStages & AdoptedStages): Promise<readonly Examined[]> {
  const found = await step.run('find', () => stages.find(gathered))
  if (found.kind === 'refused') return [{ ...nothing, refusal: found.refusal }]
  if (found.kind === 'cancelled') return [{ ...nothing, end: 'cancelled' }]
  if (found.kind === 'failed') return [{ ...nothing, failure: found.message }]
  return [await hear({ attempt: 1, gathered }, found, found.at, step, stages)]
}

/** Adds one container and listens to its end. The whole spec is persisted by the first step before the second sends it. */
export async function examine(examination: Examination, step: Step, stages: ContainerStages): Promise<Examined> {
  const added = await add(examination, step, stages)
  if (added.kind !== 'added') return added.examined
  return hear(examination, added.planned, added.injected.at, step, stages)
}

/** `at`: from when on its deadlines count. */
async function hear(examination: Examination, planned: Planned, at: number, step: Step, stages: ContainerStages): Promise<Examined> {
  const n = examination.attempt
  const started = await step.run(`start-${n}`, () => stages.start(planned, examination.gathered, at))
  let cursor = start
  for (let turn = 1; started.kind === 'started' && !cursor.end; turn++) {
    cursor = await step.run(`listen-${n}-${turn}`, () => stages.listen(planned, examination.gathered, at, cursor))
  }
  return step.run(`end-${n}`, () => stages.end(planned, examination, started, cursor))
}
