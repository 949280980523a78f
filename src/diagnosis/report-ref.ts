import type { ReportRef } from './diagnosis.ts'

/** `tracker:key`, as people name a report. */
export const reportText = ({ tracker, key }: ReportRef): string => `${tracker}:${key}`

/** The same read: the name of a tracker has no colon, a key may have some. */
export function reportOfText(text: string): ReportRef {
  const colon = text.indexOf(':')
  return { tracker: text.slice(0, colon), key: text.slice(colon + 1) }
}
