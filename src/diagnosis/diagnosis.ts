import type { CheckFacts } from './check-facts.ts'
import { checkList } from './check-list.ts'
import type { Comparison } from './comparison.ts'

/** The nouns that every stage shares. All of them are plain JSON: they cross durable steps, the records and the API. */

/** Where a diagnosis stands; the order is the order of the stages. */
export const states = ['accepted', 'gathering', 'injecting', 'listening', 'sealing', 'sharing', 'done'] as const
export type State = (typeof states)[number]

/** How a diagnosis ended. `complete`: all that the container printed was read, proved by its end line. */
export const outcomes = ['complete', 'incomplete', 'refused', 'failed', 'cancelled'] as const
export type Outcome = (typeof outcomes)[number]

/** Security profiles of kubectl debug, and `auto`: the least privilege that still sees the target. */
export const profiles = ['auto', 'restricted', 'baseline', 'general', 'netadmin', 'sysadmin'] as const
export type Profile = (typeof profiles)[number]
export type ConcreteProfile = Exclude<Profile, 'auto'>

/** What is to be looked into: exactly one pod, workload or label selector of one namespace. */
export type Target =
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'workload'; readonly namespace: string; readonly workload: string; readonly name: string }
  | { readonly kind: 'selector'; readonly namespace: string; readonly selector: string }

/** A bug report: `tracker` names one of the configured trackers, `key` an issue in it. */
export interface ReportRef {
  readonly tracker: string
  readonly key: string
}

/** Where the report of a trouble is found again, or else opened. */
export interface ReportRoute {
  /** One of the configured trackers. */
  readonly tracker: string
  /** What the tracker calls it: `owner/repository`, the path of a project, the key of a project. */
  readonly project: string
  readonly labels: readonly string[]
  /** Of issue, where the tracker has several: Jira's issue type, Redmine's tracker. Default: the tracker's own. */
  readonly type?: string
}

/** The alert that a diagnosis was made for. All text in it has passed the redactor and is bounded. */
export interface AlertRef {
  /** Id of the trouble: the same for the same cluster, workload and name of alert. */
  readonly trouble: string
  /** Name of the webhook source. */
  readonly source: string
  readonly name: string
  /** RFC 3339. */
  readonly startsAt: string
  readonly labels: Readonly<Record<string, string>>
  /** What the rule's author wrote: summary, description and the like, in that order. */
  readonly annotations: Readonly<Record<string, string>>
  /** Runbook, where the rule is, and what else the sender links to. */
  readonly links: readonly { readonly label: string; readonly url: string }[]
}

/** One check to run and its parameter, as in `http=http://backend:8080`. The parameter is data, never code. */
export interface CheckRequest {
  readonly name: string
  readonly param?: string
}

const namesOf = (checks: readonly CheckFacts[]): readonly string[] => checks.map(({ name }) => name)
/** The checks that run where none is asked for, in this order; what the evidence hints at follows. See docs/checks.md. */
export const defaultChecks = namesOf(checkList.filter(({ byDefault }) => byDefault))
/** All that our image holds. */
export const knownChecks = namesOf(checkList)
/** Those that look into the target's processes, and see nothing of another user's. */
export const targetChecks = namesOf(checkList.filter(({ seesTarget }) => seesTarget))
/** Whether one of these checks would see more in a second container; without any, the runner would run its default set. */
export const lookInside = (checks: readonly string[]): boolean => checks.some((check) => targetChecks.includes(check))

/** What was asked for, after admission; never changes. */
export interface DiagnosisRequest {
  /** `ad-` and 20 characters of lower-case Crockford base32: 10 of time, 10 of chance. Fits in a container name. */
  readonly id: string
  /** RFC 3339 in UTC, milliseconds. */
  readonly createdAt: string
  /** Name of the principal who asked. */
  readonly requester: string
  readonly cluster: string
  readonly target: Target
  /** The container to look into; absent: the pod's `kubectl.kubernetes.io/default-container`, else its first. */
  readonly container?: string
  readonly profile: Profile
  /** The image with its tools: one of `diagnosis.toolsets`; absent: the pod's annotation, else `core`. */
  readonly toolset?: string
  /** Checks asked for by name; empty: the default set with what the evidence hints at. */
  readonly checks: readonly CheckRequest[]
  readonly report?: ReportRef
  /** Where the report is found or opened when `report` is not known yet. */
  readonly route?: ReportRoute
  readonly alert?: AlertRef
  readonly reason?: string
  /** A healthy replica is looked at by the same checks, and what differs is told first. Absent: no. */
  readonly compare?: true
  /** Nothing is added: the log of this container, which somebody added by hand, is what is diagnosed. */
  readonly adopted?: Adopted
}

/** An ephemeral container that this service did not add. */
export interface Adopted {
  readonly container: string
  readonly podUid: string
  readonly image: string
  /** What its security context amounts to. */
  readonly profile: ConcreteProfile
  readonly ids?: Ids
  /** One that does not end is listened to for so long. */
  readonly listenSeconds: number
}

export const severities = ['error', 'warn', 'info'] as const
export type Severity = (typeof severities)[number]

/** What is wrong, in one sentence, and what to do about it. All text in it has passed the redactor. */
export interface Finding {
  /** The same trouble gives the same id in every diagnosis: `<check>/<words that name the trouble>`. */
  readonly id: string
  /** The check that found it (`http`), or the part of the evidence (`exit-history`). */
  readonly check: string
  readonly severity: Severity
  /** One sentence without a final period. */
  readonly title: string
  /** The lines that prove it. */
  readonly evidence?: string
  readonly cause?: string
  readonly next?: string
  /** `evidence`: read from the API; `container`: printed by the diagnostic container. */
  readonly source: 'evidence' | 'container'
  /** The healthy replica on which the same was found, where one was looked at. */
  readonly alsoOn?: string
}

/** Why nothing was injected. The code is stable, the message tells what to do. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
}

export const refusalCodes = [
  'policy',
  'paused',
  'busy',
  'harmed',
  'pod-not-found',
  'pod-deleted',
  'pod-replaced',
  'pod-finished',
  'static-pod',
  'windows-pod',
  'container-not-found',
  'subresource-absent',
  'rbac',
  'pod-security',
  'admission',
  'invalid',
  'headroom',
  'headroom-unknown',
  'budget',
  'impossible-policy',
  'no-host',
  'node-pressure',
  'node-busy',
] as const
export type RefusalCode = (typeof refusalCodes)[number]

/** Who the processes of the target run as. */
export interface Ids {
  readonly uid: number
  readonly gid: number
}

/** A diagnostic container as it was planned, and what became of it. */
export interface ContainerRecord {
  readonly name: string
  /** Not known where the run was lost that chose it. */
  readonly profile?: ConcreteProfile
  readonly image: string
  readonly ids?: Ids
  /** RFC 3339 times as the kubelet gave them. */
  readonly startedAt?: string
  readonly finishedAt?: string
  readonly exitCode?: number
  readonly imageId?: string
  /** Lines and bytes read of its log. */
  readonly lines?: number
  readonly bytes?: number
  /** Whether the end line proved that everything was read. */
  readonly proven?: boolean
  /** What is missing or was cut, one sentence each. */
  readonly gaps?: readonly string[]
  /** Checks that could not look, or not at all of it; a few dozen at most. */
  readonly skipped?: readonly Skipped[]
}

/** `why`: in the words of the check. */
export interface Skipped {
  readonly check: string
  readonly why: string
}

/** A diagnosis adds at most this many containers: `<id>-1`, and `<id>-2` where the first saw too little. */
const maxContainers = 2

export function containerName(id: string, attempt: number): string {
  return `${id}-${attempt}`
}

/** The containers that a diagnosis may have in one pod, in the order of their logs. */
export function containersOf({ id, adopted }: Pick<DiagnosisRequest, 'id' | 'adopted'>): readonly string[] {
  return adopted ? [adopted.container] : Array.from({ length: maxContainers }, (_, at) => containerName(id, at + 1))
}

/** The state of a diagnosis as the records keep it and the API shows it. */
export interface Diagnosis extends DiagnosisRequest {
  readonly updatedAt: string
  readonly state: State
  readonly outcome?: Outcome
  /** Why the outcome is what it is, one sentence. */
  readonly explanation?: string
  readonly refusal?: Refusal
  readonly cancelRequested: boolean
  /** Known once gathered. */
  readonly pod?: { readonly name: string; readonly uid: string; readonly node?: string; readonly container?: string }
  readonly containers: readonly ContainerRecord[]
  readonly findings: readonly Finding[]
  /** How many secrets were removed, by rule. */
  readonly redactions: Readonly<Record<string, number>>
  readonly bundle?: { readonly key: string; readonly bytes: number; readonly filename: string }
  readonly reported?: ReportStatus
  readonly finishedAt?: string
  /** Where a comparison was asked for. */
  readonly comparison?: Comparison
}

/** What became of the link on the bug report. */
export type ReportStatus =
  | { readonly kind: 'written'; readonly noteId: string; readonly url?: string; readonly at: string }
  | { readonly kind: 'delayed'; readonly message: string; readonly at: string }
  | { readonly kind: 'rejected'; readonly message: string; readonly at: string }
