import { z } from '@hono/zod-openapi'
import type { Alert } from '../../alert.ts'
import { type FieldError, fieldErrors, type Parsed } from '../field-error.ts'
import { type Around, type Delivery, timeOf } from './delivery.ts'
import { fingerprintOf } from './fingerprint.ts'
import { linksOf } from './links.ts'

/** What an alert may have. Labels that are over it are never cut, for they name the target: the alert is left out, and that is told. */
export const bounds = {
  labels: 100,
  nameLength: 256,
  valueLength: 4096,
  /** The first ones are kept. */
  annotations: 50,
  /** The rest is cut. */
  annotationLength: 8192,
  fingerprintLength: 256,
  /** Of the whole alert as JSON in UTF-8. As text in JSON, it may have twice as many; D1 takes 2 MB as one value. */
  bytes: 500_000,
  notes: 20,
}

const value = z.string().max(bounds.valueLength, `expected at most ${bounds.valueLength} characters`)
const labels = z
  .record(z.string().max(bounds.nameLength, `expected a name of at most ${bounds.nameLength} characters`), value)
  .refine((map) => Object.keys(map).length <= bounds.labels, `expected at most ${bounds.labels} labels`)
/** What is not needed is passed over where it is of another type. */
const optional = z.string().optional().catch(undefined)

/** An alert of Alertmanager; from `silenceURL` on, what Grafana has besides. Unknown fields are passed over. */
const alertSchema = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: labels.nullish(),
  annotations: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  startsAt: z.string().refine((text) => timeOf(text) !== undefined, 'expected a time as in RFC 3339, such as 2026-11-27T10:00:00Z'),
  endsAt: optional,
  generatorURL: optional,
  fingerprint: z.string().max(bounds.fingerprintLength, `expected at most ${bounds.fingerprintLength} characters`).nullish(),
  silenceURL: optional,
  dashboardURL: optional,
  panelURL: optional,
  imageURL: optional,
  values: z.record(z.string(), z.unknown()).optional().catch(undefined),
  valueString: optional,
})

/** Reads one alert. `field` is where it stands; `more` are links that it does not name itself. */
export function readAlert(input: unknown, around: Around, field: string, more: readonly (readonly [string, unknown])[] = []): Parsed<Alert> {
  const parsed = alertSchema.safeParse(input)
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, input, []).map((error) => within(field, error)) }
  const raw = parsed.data
  const labels = texts(raw.labels ?? {})
  const annotations = annotationsOf(raw)
  const alert: Alert = {
    source: around.source,
    fingerprint: raw.fingerprint?.trim() ? raw.fingerprint.trim().toWellFormed() : fingerprintOf(labels),
    status: raw.status,
    startsAt: timeOf(raw.startsAt) ?? raw.startsAt,
    ...(raw.status === 'resolved' ? { endsAt: timeOf(raw.endsAt) ?? new Date(around.now).toISOString() } : {}),
    name: labels.alertname?.trim() || 'unnamed alert',
    labels,
    annotations,
    links: linksOf([
      ['Runbook', annotations.runbook_url],
      ['Runbook', annotations.runbook],
      ['Rule', raw.generatorURL],
      ['Dashboard', raw.dashboardURL],
      ['Panel', raw.panelURL],
      ['Silence', raw.silenceURL],
      ['Screenshot', raw.imageURL],
      ...more,
    ]),
  }
  const bytes = new TextEncoder().encode(JSON.stringify(alert)).length
  if (bytes > bounds.bytes) return { ok: false, errors: [{ field, message: `it has ${bytes} bytes, at most ${bounds.bytes} are taken` }] }
  return { ok: true, value: alert }
}

/**
 * Reads the alerts of a group, each on its own: what is wrong with one is a note, and the others are kept. An error only if none is left, so
 * that the sender shows it.
 */
export function readAlerts(inputs: readonly unknown[], around: Around, more: readonly (readonly [string, unknown])[]): Parsed<Delivery> {
  const read = inputs.map((input, at) => readAlert(input, around, `alerts[${at}]`, more))
  const alerts = read.flatMap((one) => (one.ok ? [one.value] : []))
  const errors = read.flatMap((one) => (one.ok ? [] : [one.errors]))
  if (alerts.length === 0 && errors.length > 0) return { ok: false, errors: errors.flat().slice(0, bounds.notes) }
  const notes = errors.map((of) => `An alert is left out: ${of.map(({ field, message }) => `${field}: ${message}`).join('; ')}`)
  return { ok: true, value: { alerts, notes: bounded(notes) } }
}

/** The note about alerts that the sender did not send. */
export function truncation(count: unknown, advice: string): string[] {
  return typeof count === 'number' && count > 0 ? [`truncatedAlerts: ${count} ${count === 1 ? 'alert is' : 'alerts are'} missing; ${advice}`] : []
}

function within(field: string, error: FieldError): FieldError {
  const path = error.field === 'body' ? field : `${field}.${error.field}`
  return { ...error, field: path.length > 200 ? `${path.slice(0, 199)}…` : path }
}

function bounded(notes: readonly string[]): string[] {
  const rest = notes.length - bounds.notes
  return rest > 0 ? [...notes.slice(0, bounds.notes), `${rest} more alerts are left out`] : [...notes]
}

/** JSON can hold halves of characters, which no database and no digest takes. */
function texts(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([name, text]) => [name.toWellFormed(), text.toWellFormed()]))
}

/** The rule's annotations, and as `values` the numbers that Grafana compared. */
function annotationsOf(raw: z.infer<typeof alertSchema>): Record<string, string> {
  const numbers = Object.entries(raw.values ?? {}).filter(([, number]) => typeof number === 'number')
  const values = numbers.length > 0 ? numbers.map(([name, number]) => `${name}=${number}`).join(', ') : raw.valueString
  const given = Object.entries(raw.annotations ?? {}).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text] as const] : []))
  const kept = given.filter(([name]) => name.length <= bounds.nameLength).slice(0, bounds.annotations)
  const shown = values?.trim() ? [['values', values] as const, ...kept] : kept
  return texts(Object.fromEntries(shown.map(([name, text]) => [name, cut(text)])))
}

function cut(text: string): string {
  return text.length > bounds.annotationLength ? `${text.slice(0, bounds.annotationLength - 1)}…` : text
}
