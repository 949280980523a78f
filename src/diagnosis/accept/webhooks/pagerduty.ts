import { fieldError, type Parsed } from '../field-error.ts'
import { readAlert } from './alert-list.ts'
import { type Around, type Delivery, mapOf, timeOf } from './delivery.ts'
import { pairsOf } from './pairs.ts'

const statuses = new Map([
  ['incident.triggered', 'firing'],
  ['incident.reopened', 'firing'],
  ['incident.resolved', 'resolved'],
])

/**
 * An event of PagerDuty's webhook, version 3: https://github.com/PagerDuty/developer-docs/blob/main/docs/webhooks/01-Overview.md
 *
 * An incident is an alert with the incident's id as its fingerprint. It starts when the incident was made, or opened again last, so that
 * an incident that comes back is a new firing. Events of other types, of which there are more every year, bring no alert.
 *
 * Labels, each before those that follow: `title`, `pagerduty_service`, `urgency`, `priority`, `incident_key` of the incident; its custom
 * fields; the pairs in the details of its body. `alertname` is a custom field or pair of that name, else the title.
 */
export function parsePagerduty(body: unknown, around: Around): Parsed<Delivery> {
  const message = mapOf(body)
  if (message && Array.isArray(message.messages))
    return refused('body', undefined, 'this is a webhook of version 1 or 2; make a Generic Webhook (v3) subscription')
  const event = mapOf(message?.event)
  if (!event) return refused('event', message?.event, "expected an event of PagerDuty's webhooks, version 3")
  if (typeof event.event_type !== 'string') return refused('event.event_type', event.event_type, 'expected the type of the event')
  const status = statuses.get(event.event_type)
  if (status === undefined) return { ok: true, value: { alerts: [], notes: [] } }
  const incident = mapOf(event.data)
  if (!incident) return refused('event.data', event.data, 'expected an incident')
  if (typeof incident.id !== 'string' || incident.id === '') return refused('event.data.id', incident.id, 'expected the id of the incident')
  const reopenedAt = timeOf(incident.reopened_at) ?? (event.event_type === 'incident.reopened' ? timeOf(event.occurred_at) : undefined)
  const alert = {
    status,
    fingerprint: incident.id,
    labels: labelsOf(incident),
    annotations: {},
    startsAt: reopenedAt ?? incident.created_at,
    endsAt: incident.resolved_at ?? event.occurred_at,
  }
  const read = readAlert(alert, around, 'event.data', [['PagerDuty', incident.html_url]])
  return read.ok ? { ok: true, value: { alerts: [read.value], notes: [] } } : read
}

function labelsOf(incident: Readonly<Record<string, unknown>>): Record<string, string> {
  const fields = Array.isArray(incident.custom_fields) ? incident.custom_fields.map(mapOf) : []
  const custom = fields.flatMap((field) => {
    const text = typeof field?.value === 'number' || typeof field?.value === 'boolean' ? String(field.value) : field?.value
    return typeof field?.name === 'string' && typeof text === 'string' && text !== '' ? [[field.name, text] as const] : []
  })
  const own = [
    ['title', incident.title],
    ['pagerduty_service', mapOf(incident.service)?.summary],
    ['urgency', incident.urgency],
    ['priority', mapOf(incident.priority)?.summary],
    ['incident_key', incident.incident_key],
  ].filter((pair): pair is [string, string] => typeof pair[1] === 'string' && pair[1] !== '')
  const title = typeof incident.title === 'string' && incident.title !== '' ? { alertname: incident.title } : {}
  return { ...title, ...pairsOf(mapOf(incident.body)?.details), ...Object.fromEntries(custom), ...Object.fromEntries(own) }
}

function refused(field: string, value: unknown, message: string): Parsed<never> {
  return { ok: false, errors: [fieldError(field, value, message)] }
}
