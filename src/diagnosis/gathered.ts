import type { PodRef } from '../ports/cluster/cluster.ts'
import type { CheckRequest, Finding, Ids, Profile, Refusal } from './diagnosis.ts'

/** What the API told before anything was added to the pod. Plain JSON, well under 1 MiB: it crosses a durable step. */
export interface Gathered {
  /** When, in milliseconds since the epoch: what is older is read again before anything is added. */
  readonly at: number
  readonly podRef?: PodRef
  readonly uid?: string
  readonly node?: string
  /** The target container: as asked, else the pod's default container, else its first. */
  readonly container?: string
  readonly targetRunning: boolean
  /** The target's container id without scheme. */
  readonly targetId?: string
  /** The pod shares one process namespace, so PID 1 is not the target. */
  readonly sharedProcesses: boolean
  /** Who the target runs as, if the API tells both. */
  readonly ids?: Ids
  readonly knownUid?: number
  /** Under which the ids that a container found out are remembered: image digest and security context. */
  readonly idsCacheKey?: string
  readonly headroom: Headroom
  /** One sentence: the pod's node is short of memory or process ids; nothing is added there. Absent too where nodes may not be read. */
  readonly nodePressure?: string
  /** Ephemeral containers that the pod has, whoever added them. */
  readonly ephemeralCount: number
  readonly restarts: Restarts
  /** What the application's owners chose by annotations of the pod, inside what policy allows; a request that names its own comes first. */
  readonly chosen?: Chosen
  /** The pod has a volume `autodiagnose-checks` of a ConfigMap. */
  readonly checksVolume?: boolean
  /** Checks that the evidence hints at, the pod's annotations first. */
  readonly hints: readonly CheckRequest[]
  readonly findings: readonly Finding[]
  /** Why no container can help here. */
  readonly refusal?: Refusal
}

/** The volume of a pod whose ConfigMap holds checks of its owners: docs/contract.md. */
export const checksVolumeName = 'autodiagnose-checks'

export interface Chosen {
  readonly toolset?: string
  readonly profile?: Profile
}

export type Headroom =
  | { readonly kind: 'known'; readonly freeBytes: number; readonly limitBytes: number; readonly usedBytes: number }
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'unknown'; readonly why: string }

/** How often the target was restarted and how it last ended: compared with what is true after the diagnosis. */
export interface Restarts {
  readonly count: number
  readonly lastReason?: string
  readonly lastExitCode?: number
  readonly lastFinishedAt?: string
}

/** A file of the bundle, redacted. */
export interface EvidenceFile {
  readonly path: string
  readonly text: string
}
