import type { Cluster, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { countOf, lastSeen, type PodEvent, words } from './events.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { optional } from './optional.ts'

const maxClaims = 3
/** Most volumes are made in less. */
const patienceMs = 10_000
/** Where a provisioner says that it is at work. */
const workingMs = 60_000

/** The claims of a pod's volumes: by name, and those that are made with the pod. */
export function claimsOf({ metadata, spec }: RawPod): readonly string[] {
  type Volume = { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName?: string }; readonly ephemeral?: object }
  return ((spec.volumes ?? []) as readonly Volume[]).flatMap(
    ({ name, persistentVolumeClaim, ephemeral }) => persistentVolumeClaim?.claimName ?? (ephemeral ? `${metadata.name}-${name}` : []),
  )
}

/**
 * Why the claims of a pod that is on no node have no volume, as their own events tell it. A pod whose volume is being made has no event and no
 * condition that says so. `now` is in milliseconds.
 */
export async function claimFindings(
  pod: RawPod,
  cluster: Pick<Cluster, 'listEventsOf'>,
  now: number,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { namespace } = pod.metadata
  if (pod.spec.nodeName || pod.metadata.deletionTimestamp) return []
  const all = await Promise.all(
    claimsOf(pod)
      .slice(0, maxClaims)
      .map(async (claim) => {
        const read = () => cluster.listEventsOf(namespace, 'PersistentVolumeClaim', claim, signal)
        const list = await optional(`events of ${namespace}`, cluster, now, read)
        return claimFinding(claim, (Array.isArray(list?.items) ? list.items : []) as readonly PodEvent[], now)
      }),
  )
  return all.flatMap((one) => one ?? [])
}

function claimFinding(claim: string, events: readonly PodEvent[], now: number): Finding | undefined {
  const event = events
    .filter(({ reason = '' }) => /^(?:Provisioning\w*|FailedBinding|ExternalProvisioning)$/.test(reason))
    .toSorted((a, b) => lastSeen(a) - lastSeen(b))
    .at(-1)
  const patience = events.some(({ reason }) => reason === 'Provisioning') ? workingMs : patienceMs
  if (!event || event.reason === 'ProvisioningSucceeded' || (event.type !== 'Warning' && now - firstSeen(event) < patience)) return undefined
  const { message = '' } = event
  const waits = /^waiting for a volume to be created/i.test(message)
  const [, provisioner] = /provisioner '([^']+)'/.exec(message) ?? []
  const why = waits && provisioner ? `nobody has made one, its provisioner is ${provisioner}` : message
  const [, cause, next] = causes.find(([pattern]) => pattern.test(message)) ?? [
    message,
    'The provisioner of its storage class refuses',
    'kubectl describe pvc',
  ]
  return evidenceFinding('claim', claim, 'error', `The pod waits for its claim ${claim}, which has no volume: ${why}`, {
    evidence: `${words([event])}${countOf(event) > 1 ? ', again and again' : ''}`,
    cause,
    next,
  })
}

const causes: readonly (readonly [RegExp, string, string])[] = [
  [
    /^waiting for a volume to be created/i,
    'The driver that makes such volumes does not run in the cluster, hangs, or is not allowed to',
    'Look at the pods of the CSI driver, and whether it is the one that the storage class names',
  ],
  [/storageclass\S* "[^"]*" not found/i, 'There is no storage class of that name', 'kubectl get storageclass: correct the name, or make the class'],
  [
    /no persistent volumes available/i,
    'No volume fits the claim, and no storage class makes one',
    'Name a storage class, mark one as the default, or make a volume that fits',
  ],
]

function firstSeen({ firstTimestamp, eventTime, ...event }: PodEvent): number {
  return Date.parse(firstTimestamp ?? eventTime ?? '') || lastSeen(event)
}
