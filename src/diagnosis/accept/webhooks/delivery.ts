import type { Alert } from '../../alert.ts'

/** What a webhook brought. */
export interface Delivery {
  /** Each on its own, whatever the sender groups by. */
  readonly alerts: readonly Alert[]
  /** For the log: what is missing or was left out, one sentence each, without values of the sender's. */
  readonly notes: readonly string[]
  /** The body of a request for a diagnosis, not looked at yet. */
  readonly request?: unknown
}

export interface Around {
  /** Name of the source in the configuration. */
  readonly source: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What is there of the object; undefined if the value is none. */
export function mapOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

/**
 * RFC 3339 with any number of digits and any offset → UTC with milliseconds. Undefined for what is none, and for Go's zero time, which
 * stands for "no time": https://pkg.go.dev/time#Time.IsZero
 */
export function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)$/.test(value) || value.startsWith('0001-')) return undefined
  const time = Date.parse(value.toUpperCase())
  const text = Number.isNaN(time) ? '' : new Date(time).toISOString()
  return text.length === 24 ? text : undefined
}
