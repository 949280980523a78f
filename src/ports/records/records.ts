import type { Diagnosis, DiagnosisRequest, Outcome, State } from '../../diagnosis/diagnosis.ts'
import type { IntakeRecords } from './intake.ts'

/** The database: diagnoses, their states, the links on bug reports; alerts and what became of them. Implementations: SQLite and D1; later Postgres. */
export interface Records extends IntakeRecords {
  /**
   * Makes the record of an accepted diagnosis, unless `key` (who asked and their Idempotency-Key) is taken.
   * `fingerprint` is a digest of the request's body: a taken key with another fingerprint is a `conflict`.
   * The very same request, its id included, is `accepted` again: its first answer may have been lost. Throws if another one has its id.
   */
  accept(request: DiagnosisRequest, idempotency?: Idempotency): Promise<Accepted>
  get(id: string): Promise<Diagnosis | undefined>
  /** Newest first. `after` is the id of the last one of the page before. */
  list(filter: DiagnosisFilter, page: { readonly limit: number; readonly after?: string }): Promise<readonly Diagnosis[]>
  /** Sets the fields that are given and `updatedAt`, in one transaction; returns what is stored then. Throws if there is no such id. */
  update(id: string, change: DiagnosisChange): Promise<Diagnosis>
  /** Sets the flag that planning and listening observe; false if the diagnosis is unknown, or past listening: its outcome is fixed then. */
  requestCancel(id: string): Promise<boolean>
  /**
   * Moves an accepted diagnosis to `gathering`, unless `limit` of them are between `gathering` and `sealing` already. True if it is past
   * `accepted` now, whoever moved it; false if there is no room, or no such id.
   */
  begin(id: string, limit: number): Promise<boolean>
  /** Marks that a durable run exists, for the sweeper. Idempotent. */
  markStarted(id: string): Promise<void>
  /** Ids of accepted diagnoses that have no durable run, oldest first. */
  unstarted(limit: number): Promise<readonly string[]>
  /**
   * Ids of diagnoses that have a run, are not `done`, and were updated last before `before` (RFC 3339 in UTC, with milliseconds);
   * those at work before those that are only accepted, the longest idle first.
   */
  idle(before: string, limit: number): Promise<readonly string[]>
  /** How many diagnoses are not `done`. */
  countActive(): Promise<number>
  /** A small JSON value kept under a name (cached ids of an image, whether injection is paused), or undefined. */
  getValue<T>(key: string): Promise<T | undefined>
  /** Sets or, with undefined, removes a value. */
  setValue(key: string, value: unknown): Promise<void>
  /**
   * Reads, changes and writes a value, as if in one transaction; returns the new one. Where `change` returns undefined, the value is
   * removed. `change` is called again when others were first, and on its own result when the answer of the database was lost: it
   * should find its change made then.
   */
  changeValue<T, R extends T | undefined = T>(key: string, change: (before: T | undefined) => R): Promise<R>
  /** Throws when the database cannot be used now. */
  check(): Promise<void>
  close(): Promise<void>
}

/** The database did not do it this time; the same call may succeed later. SQLite, which is in the process, never throws it. */
export class RecordsUnavailable extends Error {
  override readonly name = 'RecordsUnavailable'
}

export interface Idempotency {
  readonly key: string
  readonly fingerprint: string
}

export type Accepted =
  | { readonly kind: 'accepted'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'repeated'; readonly diagnosis: Diagnosis }
  | { readonly kind: 'conflict' }

/** Everything given must match. `visible` is what the caller's policy lets it read: any one of these must match. */
export interface DiagnosisFilter {
  readonly state?: State
  readonly outcome?: Outcome
  readonly cluster?: string
  readonly namespace?: string
  readonly pod?: string
  readonly requester?: string
  readonly report?: string
  readonly visible?: readonly { readonly clusters: readonly string[]; readonly namespaces: readonly string[] }[]
}

export type DiagnosisChange = Partial<
  Pick<
    Diagnosis,
    | 'state'
    | 'outcome'
    | 'explanation'
    | 'refusal'
    | 'pod'
    | 'containers'
    | 'findings'
    | 'redactions'
    | 'bundle'
    | 'report'
    | 'reported'
    | 'finishedAt'
    | 'comparison'
  >
>
