import type { PodEvent } from './readings.ts'

export type { PodEvent }

/** Those of one container, the oldest first. */
export function eventsOf(events: readonly PodEvent[], container: string): readonly PodEvent[] {
  return events.filter((event) => containerOf(event) === container).toSorted((a, b) => lastSeen(a) - lastSeen(b))
}

/** The container that an event is about, init containers included; '' where it is about the pod. */
export function containerOf({ involvedObject }: PodEvent): string {
  return /^spec\.(?:initC|c)ontainers\{(.+)\}$/.exec(involvedObject?.fieldPath ?? '')?.[1] ?? ''
}

export function countOf({ series, count }: PodEvent): number {
  return series?.count ?? count ?? 1
}

/** Milliseconds since the epoch; 0 where no time is given. */
export function lastSeen({ series, lastTimestamp, eventTime, firstTimestamp }: PodEvent): number {
  return Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? '') || 0
}

/** As lines of evidence. */
export function words(events: readonly PodEvent[]): string {
  return events
    .map((event) =>
      `${event.lastTimestamp ?? event.eventTime ?? ''} ${event.reason}: ${event.message}${countOf(event) > 1 ? ` (x${countOf(event)})` : ''}`.trim(),
    )
    .join('\n')
}
