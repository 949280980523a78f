import type { Alert } from '../../diagnosis/alert.ts'
import type { Note } from '../tracker/tracker.ts'

/** The part of the records that is about what webhooks deliver: alerts, the troubles they are about, and what reports are still to be told. */
export interface IntakeRecords {
  /**
   * Keeps alerts that are not known by their key, in state `received`, due at once. A resolved one marks the known one resolved, which is still to be
   * settled if it was; where none is known it is kept, settled as `ignored`. An alert has one firing at a time: one that has ended, or begins anew,
   * ends all of its source and fingerprint that began earlier. Repeating it changes nothing and answers the same. Any number of alerts.
   */
  receiveAlerts(alerts: readonly NewAlert[]): Promise<Received>
  /** Those in state `received` whose `dueAt` has come, the longest due first. */
  dueAlerts(now: string, limit: number): Promise<readonly AlertRecord[]>
  /** What became of an alert: state `settled`, unless it is settled already. */
  settleAlert(id: string, settlement: Settlement): Promise<void>
  /** The same for any number of them: a commit, and what D1 counts, for all. */
  settleAlerts(settlements: readonly (Settlement & { readonly id: string })[]): Promise<void>
  /** Those of the alerts that do not fire any more, by id. */
  resolvedAmong(ids: readonly string[]): Promise<readonly string[]>
  /** Looked at again at `dueAt`; `message` says why. Nothing if it is settled. */
  delayAlert(id: string, dueAt: string, message: string): Promise<void>
  getAlert(id: string): Promise<AlertRecord | undefined>
  /** Newest first. `after` is the id of the last one of the page before. */
  listAlerts(filter: AlertFilter, page: { readonly limit: number; readonly after?: string }): Promise<readonly AlertRecord[]>

  /** The trouble, made or opened again if it was resolved: then `round` grows by one. The same alert twice opens one round. */
  openTrouble(seed: TroubleSeed): Promise<Trouble>
  getTrouble(id: string): Promise<Trouble | undefined>
  /**
   * Resolves it, if none of its alerts fires any more, nor the one that opened it and is not settled yet; the trouble as it is then, and the
   * same again for the same `at`. Undefined if something fires, it is not known, or it was resolved at another time.
   */
  resolveTrouble(id: string, at: string): Promise<Trouble | undefined>
  /** Its bug report, `tracker:key`. */
  setTroubleReport(id: string, report: string): Promise<void>
  /** The alerts that the diagnoses of a trouble stand for without being of their own, by name and reason, most first; at most 50 groups. */
  suppressedFor(trouble: string): Promise<readonly SuppressedGroup[]>
  /** The alerts of a cluster that were suppressed for this reason and received at `since` or later, grouped likewise. */
  suppressedBy(suppression: Suppression, cluster: string, since: string): Promise<readonly SuppressedGroup[]>

  /** Puts down what a report is to be told, or, with the same id, that it is to be told again: due at `dueAt`, attempts 0, created now. */
  tell(telling: NewTelling): Promise<void>
  /** Those that are neither told nor given up and whose `dueAt` has come, the longest due first. */
  dueTellings(now: string, limit: number): Promise<readonly Telling[]>
  /** Told, or given up with why. Nothing if it was put down again since `version`, or ended already. */
  endTelling(id: string, version: number, end: { readonly state: 'told' | 'given-up'; readonly message?: string }): Promise<void>
  /** Tried again at `dueAt`, which must be later than it was due; counts an attempt. Nothing if it was put down again since `version`, or ended. */
  delayTelling(id: string, version: number, dueAt: string, message: string): Promise<void>
}

export interface NewAlert extends Alert {
  /** `al-` and what sorts by time: see `makeId`. */
  readonly id: string
  readonly key: string
}

export interface Received {
  /** Ids of those that were not known. */
  readonly fresh: readonly string[]
  /** How many of those that fire were known. */
  readonly repeated: number
  /** Troubles of the alerts that are ended by this or were before: each may be resolved now. */
  readonly troubles: readonly string[]
}

/** How an alert ended up. `ignored`: it was resolved before it was seen firing, or the source drops such alerts. `failed`: nothing could be found out for a day. */
export const alertOutcomes = ['diagnosed', 'suppressed', 'no-target', 'denied', 'ignored', 'failed'] as const
export type AlertOutcome = (typeof alertOutcomes)[number]

/** Why an alert has no diagnosis of its own. */
export const suppressions = ['same-trouble', 'pod-cooldown', 'workload-limit', 'storm', 'resolved'] as const
export type Suppression = (typeof suppressions)[number]

/** `status` and `endsAt` are as of now. */
export interface AlertRecord extends NewAlert {
  /** RFC 3339 in UTC, milliseconds, as all times here. */
  readonly receivedAt: string
  /** When it ended as its sender says, else when that was told; the same as `endsAt`. */
  readonly resolvedAt?: string
  readonly state: 'received' | 'settled'
  readonly dueAt: string
  readonly cluster?: string
  readonly namespace?: string
  /** `kind/name`, such as `deployment/web`. */
  readonly workload?: string
  readonly pod?: string
  readonly trouble?: string
  readonly outcome?: AlertOutcome
  readonly suppression?: Suppression
  /** One sentence. */
  readonly message?: string
  /** The diagnosis that was started for it, or that stands for it. */
  readonly diagnosis?: string
}

export type Settlement = Pick<AlertRecord, 'cluster' | 'namespace' | 'workload' | 'pod' | 'trouble' | 'suppression' | 'message' | 'diagnosis'> & {
  readonly outcome: AlertOutcome
}

/** Everything given must match. `visible` as for diagnoses; alerts without a cluster or namespace match where both patterns are `*` alone. */
export interface AlertFilter {
  readonly source?: string
  readonly outcome?: AlertOutcome
  readonly suppression?: Suppression
  readonly name?: string
  readonly namespace?: string
  readonly cluster?: string
  readonly trouble?: string
  readonly visible?: readonly { readonly clusters: readonly string[]; readonly namespaces: readonly string[] }[]
}

export interface TroubleSeed {
  readonly id: string
  readonly cluster: string
  readonly namespace: string
  readonly workload: string
  readonly name: string
  /** The alert that opens it. */
  readonly alert: string
}

export interface Trouble extends Omit<TroubleSeed, 'alert'> {
  /** When this round began. */
  readonly openedAt: string
  readonly updatedAt: string
  readonly resolvedAt?: string
  /** 1, and one more each time that it comes back. */
  readonly round: number
  /** `tracker:key` */
  readonly report?: string
}

export interface SuppressedGroup {
  readonly name: string
  readonly suppression: Suppression
  readonly count: number
  /** Some of the pods, by name, at most 20; without those that are not known. */
  readonly pods: readonly string[]
}

export interface NewTelling {
  /** The marker of its note. */
  readonly id: string
  /** `resolved`: of a trouble; `more`: what the trouble's diagnoses stand for; `reply`: to a command, with its note; `storm`: what was not looked at. */
  readonly kind: 'resolved' | 'recurred' | 'more' | 'reply' | 'storm'
  readonly trouble?: string
  /** `tracker:key`; else that of the trouble, once it has one. */
  readonly report?: string
  readonly note?: Note
  readonly dueAt: string
}

export interface Telling extends NewTelling {
  readonly attempts: number
  /** Grows with each `tell`. */
  readonly version: number
  /** Of the last `tell`. */
  readonly createdAt: string
}
