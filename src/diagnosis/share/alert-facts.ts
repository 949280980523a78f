import type { Note } from '../../ports/tracker/tracker.ts'
import type { AlertRef } from '../diagnosis.ts'

/** Annotations that are told first, in this order; what the others link to is among the links. */
const told = ['summary', 'description', 'message']

/** What a report says of an alert. */
export function alertFacts(alert: AlertRef): Note['facts'] {
  const labels = Object.entries(alert.labels).filter(([name]) => name !== 'alertname')
  const annotations = Object.entries(alert.annotations).filter(([name, value]) => !told.includes(name) && !/^https?:\/\/\S+$/.test(value))
  return [
    ['Alert', `${alert.name}, since ${readableTime(alert.startsAt)}, by ${alert.source}`],
    ...told.flatMap((name): Note['facts'] => {
      const value = alert.annotations[name]
      return value ? [[name.replace(/^./, (letter) => letter.toUpperCase()), value]] : []
    }),
    ...annotations.map(([name, value]) => [name, value] as const),
    ...(labels.length > 0 ? ([['Labels', labels.map(([name, value]) => `${name}=${value}`).join(', ')]] as const) : []),
  ]
}

export function alertLinks(alert: AlertRef): Note['links'] {
  return alert.links
}

/** `2026-11-23T12:00:00.000Z` → `2026-11-23 12:00:00 UTC` */
export function readableTime(time: string): string {
  return time.replace(/^(\S+)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/, '$1 $2 UTC')
}
