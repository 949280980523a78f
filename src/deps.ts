import type { Config } from './config.ts'
import type { Redactor } from './diagnosis/redact/redactor.ts'
import type { Cluster } from './ports/cluster/cluster.ts'
import type { Records } from './ports/records/records.ts'
import type { Store } from './ports/store/store.ts'
import type { Tracker } from './ports/tracker/tracker.ts'

/** The outside world. Each function takes the `Pick` of it that it uses; each host fills it once. */
export interface Deps {
  readonly config: Config
  readonly clusters: ReadonlyMap<string, Cluster>
  readonly store: Store
  readonly records: Records
  readonly trackers: ReadonlyMap<string, Tracker>
  readonly redactor: Redactor
  readonly clock: Clock
  readonly log: Log
  readonly runs: Runs
  /** Whether a message to a webhook source is genuine. */
  readonly verifyWebhook: VerifyWebhook
  /**
   * Something was put down that is to be looked at soon: alerts, or what reports are to be told. Returns at once. What is lost of it, a sweeper
   * that looks every few seconds (on Workers every minute) does.
   */
  readonly wake: () => void
  /** Aborts when this process is about to end: whoever waits for a diagnosis is told and let go. */
  readonly stopping: AbortSignal
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Structured operational log, one JSON object a line on Node. Never given a secret or a line of a pod's log. */
export type Log = (level: 'info' | 'warn' | 'error', message: string, data?: Readonly<Record<string, unknown>>) => void

/** `source` is the name of a configured one. `id` is the sender's own for the message, where there is one. */
export type VerifyWebhook = (source: string, message: WebhookMessage) => Promise<VerifiedWebhook>

export interface WebhookMessage {
  readonly headers: Headers
  /** As it came. */
  readonly body: Uint8Array
}

export type VerifiedWebhook =
  | { readonly kind: 'ok'; readonly id?: string }
  | { readonly kind: 'rejected'; readonly status: 400 | 401; readonly message: string }

/** The durable engine, as far as intake needs it. */
export interface Runs {
  /** Starts the durable run with this id, or finds it started; wakes the worker. */
  start(id: string): Promise<void>
}

/** One durable step interface that both engines satisfy. What `run` returns is plain JSON and at most 1 MiB. */
export interface Step {
  /** Runs once, at least: after a crash between effect and save it runs again. A throw is retried with backoff. */
  run<T>(name: string, effect: () => Promise<T>): Promise<T>
  /** Waits without holding anything: the run goes on after `ms`, in whatever process. */
  sleep(name: string, ms: number): Promise<void>
}
