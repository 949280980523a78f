import type { Finding } from '../diagnosis.ts'
import { lastSeen, type PodEvent, words } from './events.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { plainWords } from './runtime-words.ts'

const recentMs = 600_000

/** Volumes that cannot be attached or mounted, one finding each, in the last words that the kubelet had. `now` is in milliseconds. */
export function mountFindings(events: readonly PodEvent[], now: number): readonly Finding[] {
  const failed = events
    .filter(({ type, reason = '' }) => type === 'Warning' && /^(FailedMount|FailedAttachVolume|FailedMapVolume)$/.test(reason))
    .filter((event) => now - lastSeen(event) < recentMs)
    .toSorted((a, b) => lastSeen(b) - lastSeen(a))
  const told = new Map<string, PodEvent>()
  // Of what lasts, an event that names it tells more than those of waiting for it, however new they are.
  for (const event of failed.toSorted((a, b) => waitingOf(a) - waitingOf(b))) {
    const volumes = volumesOf(event)
    if (waitingOf(event) === 2 && volumes.some((volume) => told.has(volume))) continue
    for (const volume of volumes) if (!told.has(volume)) told.set(volume, event)
  }
  return [...told].map(([volume, event]) => {
    const said = saidIn(event)
    const what = event.reason === 'FailedAttachVolume' ? 'attached' : 'mounted'
    const [cause, next] = (causes.find(([pattern]) => pattern.test(said))?.slice(1) as readonly [string, string] | [] | undefined) ?? []
    return evidenceFinding('mount', volume, 'error', `The containers do not start, volume ${volume} cannot be ${what}: ${said}`, {
      evidence: words([event, ...failed.filter((other) => other !== event && volumesOf(other).includes(volume)).slice(0, 2)]),
      cause: cause ?? 'What the volume refers to is not there, not as it is asked for, or does not answer',
      next: next ?? 'Compare what the volume refers to with what there is: kubectl describe pod',
    })
  })
}

const causes: readonly (readonly [RegExp, string, string])[] = [
  [
    /(configmap|secret) "[^"]+" not found/i,
    'What the volume shows is not in the namespace of the pod',
    'Create it, correct the name, or make the volume optional',
  ],
  [
    /non-?existent (config|secret) key|references non-existent/i,
    'The ConfigMap or Secret does not have the key that the volume names',
    'Compare the keys of both',
  ],
  [
    /hostPath type check failed/i,
    'The node does not have that path, or something else is there',
    'Compare the path and type of hostPath with the node',
  ],
  [
    /Multi-Attach|already used by|exclusively attached/i,
    'The volume is attached to another node, by a pod that is not gone yet',
    'See which pod has it, and whether its node is well',
  ],
  [
    /connection timed out|access denied by server|no route|mount\.nfs|portmap|rpc\.statd/i,
    'The server of the volume does not answer, or does not let the node in',
    'Look at server and path of the volume, from the node',
  ],
  [
    /unknown filesystem type|helper program|bad option; for several filesystems/i,
    'The node lacks the program that mounts file systems of this kind (nfs-common, cifs-utils)',
    'Install it on the nodes, or use a CSI driver that brings its own',
  ],
  [
    /driver name \S+ not found|CSINode|not found in the list of registered CSI drivers/i,
    'The node has no driver for this kind of volume',
    'Look at the pods of the CSI driver on the node',
  ],
]

/** 0 for what names a cause, 1 for a cache of the kubelet that was late, which passes, 2 for volumes that are waited for. */
function waitingOf({ message = '' }: PodEvent): number {
  if (/^Unable to attach or mount volumes/.test(message)) return 2
  return /failed to sync \w+ cache: timed out/.test(message) ? 1 : 0
}

function volumesOf({ message = '' }: PodEvent): readonly string[] {
  const several = /unmounted volumes=\[([^\]]*)\]/.exec(message)?.[1]
  if (several !== undefined) return several.split(/[\s,]+/).filter(Boolean)
  const one = /volume "([^"]+)"/.exec(message)?.[1]
  return [one ?? 'unknown']
}

/** Of a message of many lines, what the mounting program said. */
function saidIn({ message = '' }: PodEvent): string {
  const output = /^Output: (.+)$/m.exec(message)?.[1]
  if (output !== undefined) return plainWords(output)
  return plainWords(
    message
      .replace(/^.*?volume "[^"]+"(?: \(UniqueName: "[^"]*"\))?(?: pod "[^"]*"[^:]*)?\s*:?\s*/s, '')
      .replace(/^Unable to attach or mount volumes: .*?: (timed out|context)/s, '$1'),
  )
}
