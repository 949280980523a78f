import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { lastBegin, waitingOf } from './containers.ts'
import { lastSeen, type PodEvent, words } from './events.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { readySince } from './ready-since.ts'

const recentMs = 600_000
const maxOthers = 5

/** Told better by the container's own state, or by the findings about probes, volumes, hooks, nodes and scheduling. */
const toldElsewhere = new Set([
  'BackOff',
  'Failed',
  'Unhealthy',
  'FailedScheduling',
  'InspectFailed',
  'ErrImageNeverPull',
  'ProbeWarning',
  'FailedPostStartHook',
  'NodeNotReady',
  'Evicted',
  'ExceededGracePeriod',
])
/** While containers wait. */
const startsElsewhere = /^(FailedMount|FailedAttachVolume|FailedMapVolume|FailedCreatePodSandBox)$/

/** Other warnings of the last ten minutes, in the words of the event; of a pod that is ready, those since. `now` is in milliseconds. */
export function eventFindings(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  const waits = waitingOf(pod).length > 0
  const ready = (pod.status.containerStatuses ?? []).every((status) => status.ready)
  const begun = readySince(pod)
  return (
    events
      .filter(
        ({ type, reason = '', involvedObject }) =>
          type === 'Warning' &&
          !toldElsewhere.has(reason) &&
          !(waits && startsElsewhere.test(reason)) &&
          !/ephemeralContainers/.test(involvedObject?.fieldPath ?? ''),
      )
      .filter((event) => now - lastSeen(event) < recentMs && lastSeen(event) > begun)
      // No container begins before volumes and sandbox are there.
      .filter((event) => !startsElsewhere.test(event.reason ?? '') || lastSeen(event) > lastBegin(pod))
      .toSorted((a, b) => lastSeen(b) - lastSeen(a))
      .slice(0, maxOthers)
      .map((event) => {
        const { reason = 'Warning', message = '' } = event
        const severity = waits ? 'error' : ready ? 'info' : 'warn'
        return evidenceFinding('event', reason, severity, `${reason}: ${message}`, { evidence: words([event]) })
      })
  )
}
