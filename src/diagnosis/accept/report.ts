import type { Tracker } from '../../ports/tracker/tracker.ts'
import type { ReportRef } from '../diagnosis.ts'

export type Trackers = ReadonlyMap<string, Pick<Tracker, 'keyOfUrl' | 'complainAboutKey'>>

/** Reads `tracker:key` or the URL of a report; a text is what is wrong with it. Asks no tracker. */
export function parseReport(text: string, trackers: Trackers): ReportRef | string {
  const names = [...trackers.keys()]
  const configured = names.length > 0 ? `configured are ${names.join(', ')}` : 'none is configured'
  if (/^https?:\/\//i.test(text)) {
    for (const [tracker, port] of trackers) {
      const key = port.keyOfUrl(text)
      if (key !== undefined) return { tracker, key }
    }
    return `no tracker knows this URL as one of its reports; ${configured}`
  }
  const colon = text.indexOf(':')
  if (colon < 1) return `expected tracker:key or the URL of the report; trackers: ${configured}`
  const tracker = text.slice(0, colon)
  const key = text.slice(colon + 1)
  const port = trackers.get(tracker)
  if (!port) return `unknown tracker "${tracker}"; ${configured}`
  return port.complainAboutKey(key) ?? { tracker, key }
}
