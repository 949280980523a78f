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
/** It matters while containers wait for their images; those that have begun have them. */
const ofImages = 'FailedToRetrieveImagePullSecret'
/** While containers wait. */
const startsElsewhere = /^(FailedMount|FailedAttachVolume|FailedMapVolume|FailedCreatePodSandBox)$/

/** What stands behind a warning, and what to do. The first that fits its reason counts. */
const known: readonly (readonly [RegExp, string, string])[] = [
  [
    /^(FailedMount|FailedAttachVolume|FailedMapVolume)$/,
    'A volume is not mounted, or not brought up to date: what it refers to is gone, or cannot be reached',
    'Compare what the volume refers to with what there is',
  ],
  [
    /^(FailedCreatePodSandBox|NetworkNotReady)$/,
    'The network of the node, or its runtime, is not ready',
    "Look at the network plugin of the pod's node",
  ],
  [
    /^FailedPreStopHook$/,
    'What preStop runs or asks fails; the container is ended without it',
    'Run the command of lifecycle.preStop by hand in the image',
  ],
  [/^FailedToRetrieveImagePullSecret$/, 'A Secret that imagePullSecrets names is not there', 'Create it, or correct imagePullSecrets'],
  [
    /^DNSConfigForming$/,
    'The pod is given more nameservers or search domains than a resolver takes',
    'Shorten dnsConfig of the pod, or resolv.conf of its node',
  ],
  [
    /^(FailedKillPod|FailedSync|FailedStopPod)$/,
    'The kubelet and the runtime of the node do not agree',
    'Look at the kubelet and the runtime of the node',
  ],
]

function behind({ reason = '' }: PodEvent): readonly [string, string] {
  const [, cause, next] = known.find(([pattern]) => pattern.test(reason)) ?? []
  return cause && next
    ? [cause, next]
    : ['A component of the cluster warns of it, and nothing else tells why', 'kubectl describe pod: see which component, and what came before']
}

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
          (waits || reason !== ofImages) &&
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
        const [cause, next] = behind(event)
        return evidenceFinding('event', reason, severity, `${reason}: ${message}`, { evidence: words([event]), cause, next })
      })
  )
}
