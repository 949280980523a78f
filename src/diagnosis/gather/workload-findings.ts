import type { Raw } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { conditionsOf } from './containers.ts'
import { lastSeen, type PodEvent, words } from './events.ts'
import { evidenceFinding, type Told } from './evidence-finding.ts'

const recentMs = 3_600_000

/**
 * What keeps a workload from having its pods: the one that is asked for may not exist, or an old one may be well. `hasPods`: there is one to
 * look at. Of a Deployment the conditions tell, of the other kinds the events of their controllers, which are wanted where pods are missing. `now` is in milliseconds.
 */
export function workloadFindings(
  {
    kind,
    name,
    workload,
    events,
    hasPods,
  }: { readonly kind: string; readonly name: string; readonly workload: Raw; readonly events: readonly PodEvent[]; readonly hasPods: boolean },
  now: number,
): readonly Finding[] {
  const what = `${kind} ${name}`
  const found: Finding[] = []
  const add = (trouble: string, severity: Finding['severity'], title: string, more: Told) =>
    found.push(evidenceFinding('workload', trouble, severity, title, more))
  for (const { type, status, reason = '', message = '' } of conditionsOf(workload.status)) {
    if (type === 'ReplicaFailure' && status === 'True')
      add(reason || 'ReplicaFailure', 'error', `The pods of ${what} cannot be made, ${reason}: ${message}`, refusedBy(message))
    if (kind === 'job' && type === 'Failed' && status === 'True')
      add(`job-${reason}`, 'error', `The ${what} has failed, ${reason}: ${message}`, failedJob(reason, name))
    if (type === 'Progressing' && status === 'False')
      add(reason || 'Progressing', 'warn', `The rollout of ${what} does not come to its end, ${reason}: ${message}`, {
        cause: 'New pods do not become ready, or are not made; the old ones go on meanwhile',
        next: `Diagnose a pod that is not ready; kubectl rollout status ${kind}/${name}`,
      })
  }
  const [event] = events
    .filter(({ type, reason = '' }) => type === 'Warning' && /^Failed(Create|Placement|Mount)/.test(reason))
    .filter((one) => now - lastSeen(one) < recentMs)
    .toSorted((a, b) => lastSeen(b) - lastSeen(a))
  if (event && found.length === 0) {
    const { reason = '', message = '' } = event
    add(
      reason,
      'error',
      `The pods of ${what} cannot be made, ${reason}: ${message.replace(/^(Error creating|create Pod \S+ in \w+ \S+ failed error): /, '')}`,
      {
        evidence: words([event]),
        ...refusedBy(message),
      },
    )
  }
  return found.length > 0 || hasPods ? found : empty(kind, what, workload)
}

const refusals: readonly (readonly [RegExp, string, string])[] = [
  [/exceeded quota/i, 'The quota of the namespace is used up', 'kubectl describe quota: raise it, ask for less, or remove what is not needed'],
  [
    /failed quota|must specify (limits|requests)/i,
    'The quota of the namespace demands requests or limits that the pods do not have',
    'Set them, or give the namespace a LimitRange with defaults',
  ],
  [
    /violates PodSecurity/i,
    'The pods do not meet the Pod Security level of the namespace',
    'Set the security context that the message names, or change the level',
  ],
  [
    /(maximum|minimum) (cpu|memory)|LimitRange/i,
    'The pods ask for more or less than the LimitRange of the namespace allows',
    'kubectl describe limitrange',
  ],
  [
    /serviceaccount "?\S+"? not found|error looking up service account/i,
    'There is no such service account in the namespace',
    'Create it, or correct serviceAccountName',
  ],
  [
    /admission webhook|failed calling webhook/i,
    'An admission webhook denies the pods, or does not answer',
    'Look at the webhook that the message names',
  ],
  [/is invalid/i, 'The template of the pods is not valid', 'Correct the field that the message names'],
]

function failedJob(reason: string, name: string): Told {
  const cause =
    reason === 'BackoffLimitExceeded'
      ? 'Its pods have failed more often than backoffLimit allows'
      : reason === 'DeadlineExceeded'
        ? 'It was not done at activeDeadlineSeconds'
        : 'Its pods failed in a way that its rules take for final'
  return { cause, next: `Diagnose one of its pods, or read its log: kubectl logs job/${name}` }
}

function refusedBy(message: string): Told {
  const [, cause, next] = refusals.find(([pattern]) => pattern.test(message)) ?? []
  return cause && next
    ? { cause, next }
    : { cause: 'The API server refuses the pods', next: 'Change what the message names in the template of the pods' }
}

/** Nothing failed: no pods are wanted. */
function empty(kind: string, what: string, { spec, status }: Raw): readonly Finding[] {
  const { replicas, paused, suspend } = (spec ?? {}) as { readonly replicas?: number; readonly paused?: boolean; readonly suspend?: boolean }
  const one = (trouble: string, title: string, next: string, cause = 'It is told to have none') => [
    evidenceFinding('workload', trouble, 'error', title, { cause, next }),
  ]
  if (replicas === 0)
    return one(
      'scaled-to-zero',
      `The ${what} has no pods, for it is scaled to 0 replicas`,
      'Scale it up, or see what scaled it down (an autoscaler, a person)',
    )
  if (suspend) return one('suspended', `The ${what} has no pods, for it is suspended`, 'Set spec.suspend to false')
  if (paused) return one('paused', `The ${what} has no pods, and its rollout is paused`, `kubectl rollout resume`)
  const { desiredNumberScheduled } = (status ?? {}) as { readonly desiredNumberScheduled?: number }
  if (kind === 'daemonset' && desiredNumberScheduled === 0)
    return one(
      'no-node',
      `The ${what} has no pods, for no node fits its nodeSelector, affinity and tolerations`,
      'Compare them with the labels and taints of the nodes',
      'Each node is ruled out by its labels or by a taint',
    )
  return []
}
