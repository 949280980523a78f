import { fieldError, type Parsed } from '../field-error.ts'
import { readAlert } from './alert-list.ts'
import { type Around, type Delivery, mapOf } from './delivery.ts'

/** As many as the body of a request may have that comes without a webhook. */
const maxRequestLength = 65_536

const types = ['alert.firing', 'alert.resolved', 'diagnosis.requested']

/**
 * A message of Standard Webhooks, `{type, timestamp, data}`. `alert.firing` and `alert.resolved`: `data` is one alert as Alertmanager has
 * it, without `status`. `diagnosis.requested`: `data` is the body of a request for a diagnosis. Other types are refused.
 */
export function parseStandard(body: unknown, around: Around): Parsed<Delivery> {
  const message = mapOf(body)
  if (!message) return refused('body', body, 'expected an object with type and data')
  const { type, data } = message
  if (typeof type !== 'string' || !types.includes(type)) return refused('type', type, `expected one of ${types.join(', ')}`)
  const map = mapOf(data)
  if (!map) return refused('data', data, 'expected an object')
  if (type === 'diagnosis.requested') {
    const { length } = JSON.stringify(map)
    if (length <= maxRequestLength) return { ok: true, value: { alerts: [], notes: [], request: map } }
    return refused('data', undefined, `the request has ${length} characters, at most ${maxRequestLength} are taken`)
  }
  const alert = readAlert({ ...map, status: type === 'alert.firing' ? 'firing' : 'resolved' }, around, 'data')
  return alert.ok ? { ok: true, value: { alerts: [alert.value], notes: [] } } : alert
}

function refused(field: string, value: unknown, message: string): Parsed<never> {
  return { ok: false, errors: [fieldError(field, value, message)] }
}
