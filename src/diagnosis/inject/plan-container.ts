import type { Config } from '../../config.ts'
import { bytesOf } from '../../config-facts.ts'
import type { Raw } from '../../ports/cluster/cluster.ts'
import {
  type CheckRequest,
  type ConcreteProfile,
  type DiagnosisRequest,
  defaultChecks,
  type Ids,
  knownChecks,
  type Profile,
  type Refusal,
  targetChecks,
} from '../diagnosis.ts'
import type { Gathered } from '../gathered.ts'
import { chooseProfiles } from './choose-profile.ts'
import { containerSpec } from './container-spec.ts'

/** The forms of one container to try in this order, or why there will be none. `expires`: as in its arguments, in seconds since the epoch. */
export type Plan =
  | { readonly kind: 'inject'; readonly candidates: readonly Candidate[]; readonly checks: readonly CheckRequest[]; readonly expires: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export interface Candidate {
  readonly profile: ConcreteProfile
  readonly image: string
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
  if (gathered.nodePressure !== undefined)
    return refused(
      'node-pressure',
      `${gathered.nodePressure}: a container more could get others evicted, so only the evidence is told; ask again when it has passed`,
    )
  const harm = headroomRefusal(gathered, config)
  if (harm) return { kind: 'refused', refusal: harm }
  const ids = input.foundIds ?? gathered.ids
  const checks = checksFor(request, gathered, input.attempt)
  const tools = toolsOf(request, gathered, config)
  if (typeof tools === 'string') return refused('invalid', tools)
  const expires = Math.ceil(input.now / 1000) + config.diagnosis.startDeadlineSeconds + config.diagnosis.deadlineSeconds
  // A second container that sees no more than the first is none to add for good.
  const choices = chooseProfiles(tools.profile, ids, gathered.knownUid).slice(0, input.attempt === 1 ? undefined : 1)
  const candidates = choices.map(({ profile, ids: who }): Candidate => {
    const plan = {
      name: input.containerName,
      profile,
      expires,
      checks,
      image: tools.image,
      mountChecks: mountsChecks(checks, profile, gathered),
      ...(gathered.headroom.kind === 'known' ? { freeBytes: gathered.headroom.freeBytes } : {}),
      ...(who ? { ids: who } : {}),
      ...(gathered.targetRunning && gathered.container !== undefined ? { target: gathered.container } : {}),
      ...(gathered.sharedProcesses && gathered.targetId !== undefined ? { targetId: gathered.targetId } : {}),
    }
    return { profile, image: tools.image, ...(who ? { ids: who } : {}), spec: containerSpec(plan, config, bytesOf(config.diagnosis.outputBytes)) }
  })
  return { kind: 'inject', candidates, checks, expires }
}

interface Tools {
  readonly image: string
  readonly profile: Profile
}

/** What the request names, else what the pod's owners chose, else `core`. A text is what is wrong. */
function toolsOf({ toolset, profile }: DiagnosisRequest, { chosen }: Gathered, { diagnosis }: Config): Tools | string {
  const name = toolset ?? chosen?.toolset ?? 'core'
  const wanted = profile === 'auto' ? chosen?.profile : profile
  if (name === 'core') return { image: diagnosis.image, profile: wanted ?? 'auto' }
  const found = Object.hasOwn(diagnosis.toolsets, name) ? diagnosis.toolsets[name] : undefined
  if (!found) return `Toolset "${name}" is not configured any more (diagnosis.toolsets)`
  return { image: found.image, profile: wanted ?? found.profile }
}

/**
 * Whoever may write a ConfigMap shall not thereby get more than a pod of theirs has: never under a profile above baseline, and only where
 * one of its checks is to run.
 */
function mountsChecks(checks: readonly CheckRequest[], profile: ConcreteProfile, { checksVolume }: Gathered): boolean {
  return checksVolume === true && (profile === 'restricted' || profile === 'baseline') && checks.some(({ name }) => !knownChecks.includes(name))
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
