import { fieldError, type Parsed } from '../field-error.ts'
import { readAlerts, truncation } from './alert-list.ts'
import { type Around, type Delivery, mapOf } from './delivery.ts'

/**
 * The webhook of Grafana Alerting, version 1:
 * https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/#default-json-payload
 *
 * Alerts named DatasourceNoData and DatasourceError are alerts as all others: they keep the labels that their rule gives, and seldom have
 * any that lead to a pod. An alert's own `values` become the annotation `values`, unless the rule has one of that name.
 */
export function parseGrafana(body: unknown, around: Around): Parsed<Delivery> {
  const message = mapOf(body)
  if (message?.version === '4')
    return refused('version', message.version, 'this is a message of an Alertmanager; make a source of the kind alertmanager, and send it there')
  if (message && ('ruleId' in message || 'evalMatches' in message))
    return refused('version', message.version, "this is a message of Grafana's legacy alerting, which ended with version 11; use Grafana Alerting")
  if (!message || (!('version' in message) && !('alerts' in message)))
    return refused('body', body, "this is not Grafana's message; take the custom payload out of the contact point")
  if (message.version !== '1')
    return refused('version', message.version, 'expected "1"; if the contact point has a custom payload, take it out: the whole message is needed')
  if (!Array.isArray(message.alerts)) return refused('alerts', message.alerts, 'expected a list')
  const read = readAlerts(message.alerts, around, [['Grafana', message.externalURL]])
  if (!read.ok) return read
  const missing = truncation(message.truncatedAlerts, 'set Max Alerts of the contact point to 0')
  return { ok: true, value: { ...read.value, notes: [...missing, ...read.value.notes] } }
}

function refused(field: string, value: unknown, message: string): Parsed<never> {
  return { ok: false, errors: [fieldError(field, value, message)] }
}
