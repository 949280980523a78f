import { fieldError, type Parsed } from '../field-error.ts'
import { readAlerts, truncation } from './alert-list.ts'
import { type Around, type Delivery, mapOf } from './delivery.ts'

/**
 * Alertmanager's webhook, version 4, which is that of all versions since 0.8; what newer ones add (`notification_reason`, `routeLabels`) is
 * passed over: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
 */
export function parseAlertmanager(body: unknown, around: Around): Parsed<Delivery> {
  const message = mapOf(body)
  if (message?.version === '1' && 'orgId' in message)
    return refused('version', message.version, 'this is a message of Grafana; make a source of the kind grafana, and send it there')
  if (!message || (!('version' in message) && !('alerts' in message)))
    return refused('body', body, "this is not Alertmanager's message; take payload out of the webhook_configs of this receiver")
  if (message.version !== '4')
    return refused('version', message.version, 'expected "4"; if webhook_configs has a payload of its own, take it out: the whole message is needed')
  if (!Array.isArray(message.alerts)) return refused('alerts', message.alerts, 'expected a list')
  const read = readAlerts(message.alerts, around, [['Alertmanager', message.externalURL]])
  if (!read.ok) return read
  const missing = truncation(message.truncatedAlerts, 'set max_alerts: 0 in webhook_configs')
  return { ok: true, value: { ...read.value, notes: [...missing, ...read.value.notes] } }
}

function refused(field: string, value: unknown, message: string): Parsed<never> {
  return { ok: false, errors: [fieldError(field, value, message)] }
}
