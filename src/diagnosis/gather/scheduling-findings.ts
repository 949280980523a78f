import type { RawContainer, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { lengthOf, since } from './ago.ts'
import { claimsOf } from './claim-findings.ts'
import { conditionsOf } from './containers.ts'
import { evidenceFinding } from './evidence-finding.ts'

const patienceMs = 5000
/** So long the scheduler waits for volumes to be made, and nothing of the pod tells of it. Source: bindTimeoutSeconds of its VolumeBinding. */
const bindingMs = 660_000

/** A pod that is on no node, or on one that does not take it. `now` is in milliseconds. */
export function schedulingFindings(pod: RawPod, now: number): readonly Finding[] {
  const { spec, status, metadata } = pod
  const condition = conditionsOf(status).find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
  if (condition) {
    const { reason = 'Unschedulable', message = reason } = condition
    const said = inShort(message)
    const asked = askedFor(pod, said, reason)
    const [, cause, next] = steps.find(([pattern]) => pattern.test(said)) ?? [
      said,
      'No node is as the pod asks for',
      "Compare the pod's requests, selectors and tolerations with the nodes: kubectl describe pod",
    ]
    return [evidenceFinding('scheduling', reason, 'error', `The pod is on no node: ${said}${asked}`, { evidence: message, cause, next })]
  }
  const age = since(metadata.creationTimestamp, now) ?? 0
  const pending = status.phase === undefined || status.phase === 'Pending'
  const foreign = spec.schedulerName !== undefined && spec.schedulerName !== 'default-scheduler'
  if (!pending || metadata.deletionTimestamp !== undefined || (age < patienceMs && !(foreign && !spec.nodeName))) return []
  if (!spec.nodeName) {
    if (!foreign && age < bindingMs && claimsOf(pod).length > 0) return []
    const title = `The pod is on no node, and no scheduler has looked at it for ${lengthOf(age)}: its schedulerName is "${spec.schedulerName ?? 'default-scheduler'}"`
    return [
      evidenceFinding('scheduling', 'no-scheduler', 'error', title, {
        cause: 'There is no scheduler of that name, or it does not run, or hangs',
        next: 'See whether that scheduler runs, and whether the name is right',
      }),
    ]
  }
  if (status.startTime !== undefined || (status.containerStatuses ?? []).length > 0) return []
  const title = `Node ${spec.nodeName} has not taken the pod for ${lengthOf(age)}: its kubelet says nothing of it`
  return [
    evidenceFinding('node', 'silent', 'error', title, {
      cause: 'The node is gone, not ready, or there is none of that name',
      next: `kubectl describe node ${spec.nodeName}`,
    }),
  ]
}

/** Without what plugins of the scheduler say after it: what preemption could do, and what they have not to do. */
function inShort(message: string): string {
  const [said = ''] = message.split(/\s*preemption: /)
  return said
    .replace(/\.? no new claims to deallocate,?/, '')
    .replace(/(?<=found"?)\. not found/, '')
    .replace(/(?<=Claims)\. not found/, '')
    .replace(/[.,\s]+$/, '')
}

const steps: readonly (readonly [RegExp, string, string])[] = [
  [
    /Insufficient/,
    'No node that it may run on has as much free as it asks for',
    'Lower the requests of the pod, or add nodes that have as much free',
  ],
  [
    /free ports/,
    'On each node that it may run on another pod has the hostPort',
    'Choose another hostPort, or none and a Service; see which pod has it on the node',
  ],
  [/persistentvolumeclaim "[^"]*" not found/, 'The claim of one of its volumes is not in the namespace', 'Create the claim, or correct its name'],
  [
    /unbound|bound to non-existent|provision/i,
    'A claim of the pod has no volume: nobody makes one, or none fits',
    'kubectl describe pvc: see its storage class and whether there is a volume for it',
  ],
  [
    /volume node affinity/,
    'The volume is on other nodes than those that the pod may run on',
    'Compare the node affinity of the volume with the nodes: kubectl describe pv',
  ],
  [
    /untolerated taint|had taint/,
    'The nodes have a taint that the pod does not tolerate',
    'Add a toleration, or look at why the nodes have the taint',
  ],
  [
    /anti-affinity/,
    'There are fewer nodes than replicas that must not share one',
    'Add nodes, or prefer (preferredDuringScheduling…) what is required now',
  ],
  [
    /affinity|selector/,
    'No node has the labels that the pod asks for',
    'Compare nodeSelector and affinity with the labels of the nodes: kubectl get nodes --show-labels',
  ],
  [/topology spread/, 'On each node that it may run on it would be one too many of its kind', 'Compare topologySpreadConstraints with the nodes'],
  [/Too many pods/, 'The nodes have as many pods as they may', 'Add nodes, or raise maxPods of their kubelets'],
  [/unschedulable/, 'The nodes are cordoned: someone keeps new pods away from them', 'kubectl uncordon, once their maintenance is over'],
  [/scheduling gate/i, 'A scheduling gate holds the pod back until it is removed', 'Whoever set the gate is to remove it: see its controller'],
]

/** What of the pod is not to be had, in brackets. */
function askedFor(pod: RawPod, said: string, reason: string): string {
  const { spec } = pod
  const parts: string[] = []
  const resources = [...said.matchAll(/Insufficient ([\w./-]+?)(?=[,\s]|\.?(?:\s|$))/g)].map(([, name = '']) => name)
  for (const name of new Set(resources)) parts.push(`it asks for ${name} ${requestsOf([...spec.containers, ...(spec.initContainers ?? [])], name)}`)
  if (/free ports/.test(said)) parts.push(`hostPort ${hostPorts(spec.containers).join(', ')}`)
  const selector = (spec.nodeSelector ?? {}) as Readonly<Record<string, string>>
  if (/selector|node affinity/.test(said) && Object.keys(selector).length > 0)
    parts.push(
      `nodeSelector ${Object.entries(selector)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ')}`,
    )
  const claims = claimsOf(pod)
  if (/unbound|PersistentVolumeClaim/.test(said) && claims.length > 0) parts.push(`claim ${claims.join(', ')}`)
  const gates = (spec.schedulingGates ?? []) as readonly { readonly name: string }[]
  if (reason === 'SchedulingGated' && gates.length > 0) parts.push(`gate ${gates.map(({ name }) => name).join(', ')}`)
  return parts.length > 0 ? ` (${parts.join('; ')})` : ''
}

function requestsOf(containers: readonly RawContainer[], resource: string): string {
  const asked = containers.flatMap(({ name, resources }) => {
    const quantity = resources?.requests?.[resource] ?? resources?.limits?.[resource]
    return quantity === undefined ? [] : [`${quantity} for ${name}`]
  })
  return asked.join(', ') || 'some'
}

function hostPorts(containers: readonly RawContainer[]): readonly unknown[] {
  return containers.flatMap(({ ports = [] }) => ports.flatMap((port) => (port as { readonly hostPort?: number }).hostPort ?? []))
}
