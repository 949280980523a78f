import { bytesOf, type Config } from '../../config.ts'
import type { Raw } from '../../ports/cluster/cluster.ts'
import { type CheckRequest, type ConcreteProfile, type DiagnosisRequest, defaultChecks, type Ids, type Refusal, targetChecks } from '../diagnosis.ts'
import type { Gathered } from '../gathered.ts'
import { chooseProfiles } from './choose-profile.ts'
import { containerSpec } from './container-spec.ts'

/** The forms of one container to try in this order, or why there will be none. `expires`: as in its arguments, in seconds since the epoch. */
export type Plan =
  | { readonly kind: 'inject'; readonly candidates: readonly Candidate[]; readonly checks: readonly CheckRequest[]; readonly expires: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export interface Candidate {
  readonly profile: ConcreteProfile
  readonly ids?: Ids
  readonly spec: Raw
}

export interface PlanInput {
  readonly request: DiagnosisRequest
  readonly gathered: Gathered
  /** 1, or 2 where the first container saw too little. */
  readonly attempt: number
  readonly containerName: string
  /** Ids that an earlier container, or one in another pod of this image, found out. */
  readonly foundIds?: Ids
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly paused: boolean
  readonly config: Config
}

/** Decides whether and how to inject. Pure: what it returns is persisted before anything is sent. */
export function planContainer(input: PlanInput): Plan {
  const { request, gathered, config } = input
  const refused = (code: Refusal['code'], message: string): Plan => ({ kind: 'refused', refusal: { code, message } })
  if (gathered.refusal) return { kind: 'refused', refusal: gathered.refusal }
  if (input.paused)
    return refused(
      'paused',
      'Injection is paused: an operator resumes it with POST /v1/injection {"paused": false}, unless harm.paused is set in the configuration; the evidence is in the bundle',
    )
  const { containersPerPod } = config.diagnosis
  if (gathered.ephemeralCount >= containersPerPod) {
    return refused(
      'budget',
      `The pod has ${gathered.ephemeralCount} ephemeral containers of at most ${containersPerPod} (diagnosis.containersPerPod); they can never be removed: delete the pod, so that a new one starts without, or raise the limit`,
    )
  }
  const harm = headroomRefusal(gathered, config)
  if (harm) return { kind: 'refused', refusal: harm }
  const ids = input.foundIds ?? gathered.ids
  const checks = checksFor(request, gathered, input.attempt)
  const expires = Math.ceil(input.now / 1000) + config.diagnosis.startDeadlineSeconds + config.diagnosis.deadlineSeconds
  // A second container that sees no more than the first is none to add for good.
  const choices = chooseProfiles(request.profile, ids, gathered.knownUid).slice(0, input.attempt === 1 ? undefined : 1)
  const candidates = choices.map(({ profile, ids: who }): Candidate => {
    const plan = {
      name: input.containerName,
      profile,
      expires,
      checks,
      ...(who ? { ids: who } : {}),
      ...(gathered.targetRunning && gathered.container !== undefined ? { target: gathered.container } : {}),
      ...(gathered.sharedProcesses && gathered.targetId !== undefined ? { targetId: gathered.targetId } : {}),
    }
    return { profile, ...(who ? { ids: who } : {}), spec: containerSpec(plan, config, bytesOf(config.diagnosis.outputBytes)) }
  })
  return { kind: 'inject', candidates, checks, expires }
}

/** The checks asked for, else the default set; what the evidence hints at is added in both cases, the default set first. */
function checksFor(request: DiagnosisRequest, gathered: Gathered, attempt: number): readonly CheckRequest[] {
  const asked = request.checks.length > 0 ? request.checks : [...defaultChecks.map((name) => ({ name })), ...gathered.hints]
  // The second container only looks where the first was blind.
  return attempt === 1 ? asked : asked.filter(({ name }) => targetChecks.includes(name))
}

function headroomRefusal({ headroom }: Gathered, config: Config): Refusal | undefined {
  const least = bytesOf(config.harm.minHeadroom)
  if (headroom.kind === 'known' && headroom.freeBytes < least) {
    return {
      code: 'headroom',
      message: `The pod has ${mebibytes(headroom.freeBytes)} of its ${mebibytes(headroom.limitBytes)} memory limit left, and a container in it could get the target killed: at least ${mebibytes(least)} is wanted (harm.minHeadroom); raise the memory limit of the pod, or lower that`,
    }
  }
  if (headroom.kind === 'unknown' && config.harm.unknownHeadroom === 'evidence') {
    return {
      code: 'headroom-unknown',
      message: `The pod has a memory limit and what is left of it is not known (${headroom.why}); harm.unknownHeadroom: inject allows it all the same`,
    }
  }
  return undefined
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`
}
