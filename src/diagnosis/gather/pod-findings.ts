import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { lengthOf, since } from './ago.ts'
import { conditionsOf, containersOf } from './containers.ts'
import { lastSeen, type PodEvent, words } from './events.ts'
import { evidenceFinding } from './evidence-finding.ts'

const overdueMs = 5000

/** The pod as a whole: stuck while it is deleted, evicted, rejected, about to be removed, held back by a readiness gate. `now` is in milliseconds. */
export function podFindings(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  return [...deletion(pod, events, now), ...failure(pod, events, now), ...disruption(pod), ...gates(pod)]
}

function deletion(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  const {
    deletionTimestamp,
    deletionGracePeriodSeconds: grace,
    finalizers = [],
  } = pod.metadata as RawPod['metadata'] & {
    readonly deletionGracePeriodSeconds?: number
    readonly finalizers?: readonly string[]
  }
  // It stands for the end of the grace period.
  const overdue = since(deletionTimestamp, now)
  if (overdue === undefined) return []
  const running = containersOf(pod).filter(({ status }) => status?.state?.running)
  const named = running.map(({ name }) => name).join(', ')
  const told = words(events.filter(({ type, reason = '' }) => type === 'Warning' && /Kill|Unmount|Finaliz|NodeNotReady/.test(reason)))
  const evidence = [`deletionTimestamp ${deletionTimestamp}, grace period ${grace ?? '?'} s, finalizers ${finalizers.join(', ') || 'none'}`, told]
    .filter(Boolean)
    .join('\n')
  if (finalizers.length > 0 && (running.length === 0 || overdue > overdueMs)) {
    const title = `The pod is stuck Terminating: its finalizer ${finalizers.join(', ')} has not been removed${overdue > overdueMs ? ` for ${lengthOf(overdue)}` : ''}`
    return [
      evidenceFinding('terminating', 'finalizer', 'error', title, {
        evidence,
        cause: 'Whoever set the finalizer does not remove it: its controller does not run, or fails',
        next: 'Look at the controller that owns the finalizer; removing it by hand skips its clean-up',
      }),
    ]
  }
  if (overdue > overdueMs) {
    const title = `The pod is stuck Terminating: it should have been gone ${lengthOf(overdue)} ago${named ? `, and container ${named} still runs as far as is known` : ''}`
    const cause = `The kubelet of node ${pod.spec.nodeName ?? '?'} does not answer, or cannot end a process or unmount a volume`
    return [evidenceFinding('terminating', 'overdue', 'error', title, { evidence, cause, next: `kubectl describe node ${pod.spec.nodeName ?? ''}` })]
  }
  const asked = overdue + (grace ?? 0) * 1000
  if (running.length === 0 || asked < overdueMs) return []
  const title = `The pod is Terminating: container ${named} has not ended in the ${lengthOf(asked)} since it was asked to, and its grace period of ${grace} s goes on for ${lengthOf(-overdue)}`
  return [
    evidenceFinding('terminating', 'grace-period', asked > 30_000 ? 'error' : 'warn', title, {
      evidence,
      cause: 'The program does not end on SIGTERM, or a preStop hook takes long',
      next: 'Have the program end on SIGTERM (a shell as process 1 does not pass it on), or shorten terminationGracePeriodSeconds',
    }),
  ]
}

interface Failure {
  readonly said: string
  readonly cause: string
  readonly next: string
}

const requests = "Lower the pod's requests, or free room on the node: kubectl describe node"
const shutdown: Failure = {
  said: 'The pod was ended as its node was shut down',
  cause: 'A node that is shut down, or restarted, ends its pods',
  next: 'See that a controller makes a new pod on another node; kubectl get nodes',
}

/** What the kubelet says of a pod that it ended or did not take. */
const failures: Readonly<Record<string, Failure>> = {
  DeadlineExceeded: {
    said: 'The pod was ended at its deadline, activeDeadlineSeconds',
    cause: 'Its work took longer than the deadline allows: it hangs, is slow, or began late',
    next: 'See in its log how far it came, or raise activeDeadlineSeconds',
  },
  NodePorts: {
    said: 'The pod was rejected by its node, a hostPort is taken (NodePorts)',
    cause: 'Another pod of the node has the port, and the pod was put there without asking the scheduler (nodeName, a DaemonSet, a static pod)',
    next: 'See which pod has the port on the node, or use none',
  },
  NodeAffinity: {
    said: 'The pod was rejected by its node, which is not one that it selects (NodeAffinity)',
    cause: "The labels of the node do not match the pod's nodeSelector or affinity, or have been changed",
    next: 'Compare them: kubectl get nodes --show-labels',
  },
  OutOfcpu: {
    said: 'The pod was rejected by its node, which has not as much CPU left as it asks for (OutOfcpu)',
    cause: 'Other pods have taken it meanwhile, or the pod was put there without asking the scheduler',
    next: requests,
  },
  OutOfmemory: {
    said: 'The pod was rejected by its node, which has not as much memory left as it asks for (OutOfmemory)',
    cause: 'Other pods have taken it meanwhile, or the pod was put there without asking the scheduler',
    next: requests,
  },
  OutOfpods: {
    said: 'The pod was rejected by its node, which has as many pods as it may (OutOfpods)',
    cause: 'The node has reached maxPods of its kubelet',
    next: 'Add nodes, or let the scheduler choose another',
  },
  Preempting: {
    said: 'The pod was ended to make room for one of higher priority',
    cause: 'The node had not as much left as a critical pod asks for',
    next: 'Add nodes, or give the pod a higher priorityClassName',
  },
  Terminated: shutdown,
  NodeShutdown: shutdown,
  NodeLost: {
    said: 'The node of the pod was lost',
    cause: 'The node is down, or its kubelet does not reach the API server',
    next: 'kubectl get nodes: see whether it comes back',
  },
}

function failureFor(reason: string, message: string): Failure {
  if (reason === 'Evicted') {
    const [cause, next] = evictionOf(message)
    return { said: 'The pod was evicted', cause, next }
  }
  return (
    failures[reason] ?? {
      said: `The pod failed, ${reason}`,
      cause: 'The kubelet of its node ended it, or did not take it',
      next: 'Compare what the pod asks for with what the node allows: kubectl describe pod',
    }
  )
}

/**
 * The kubelet's event of an eviction. Of a program that ends on SIGTERM with success it is all there is: such a pod has the phase Succeeded then,
 * and no reason. `now` is in milliseconds.
 */
export function evictionEvent(pod: RawPod, events: readonly PodEvent[], now: number): PodEvent | undefined {
  if (containersOf(pod).some(({ status }) => status?.state?.running)) return undefined
  return events.findLast((event) => event.reason === 'Evicted' && now - lastSeen(event) < evictedMs)
}

const evictedMs = 86_400_000

function failure(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  const { spec, status } = pod
  const evicted = status.reason ? undefined : evictionEvent(pod, events, now)
  const { phase, reason, message } = evicted ? { ...status, reason: 'Evicted', message: evicted.message } : status
  if (!reason || (phase !== 'Failed' && reason !== 'Evicted' && reason !== 'NodeLost')) return []
  const { said, cause, next } = failureFor(reason, message ?? '')
  const ports = spec.containers.flatMap(({ ports: all = [] }) => all.flatMap((port) => (port as { readonly hostPort?: number }).hostPort ?? []))
  const asked = reason === 'NodePorts' ? ` (hostPort ${ports.join(', ')})` : ''
  const title = `${said}${asked}: ${message ?? 'the kubelet says no more'}`
  return [evidenceFinding('pod', reason === 'Evicted' ? 'evicted' : reason, 'error', title, { cause, next })]
}

function evictionOf(message: string): readonly [string, string] {
  if (/exceeds? .*(limit|total)|exceeded its local/i.test(message))
    return [
      'What it wrote (files of its containers, logs, emptyDir) took more than its limit',
      'Raise the limit of ephemeral-storage or sizeLimit, or look for what writes',
    ]
  if (/memory/i.test(message))
    return [
      'The node ran out of memory, and the pod used more than it asked for',
      "Raise the pod's memory request to what it uses, or look at the node",
    ]
  if (/ephemeral|disk|inodes|imagefs|nodefs/i.test(message))
    return ['The disk of the node was nearly full', 'Free space on the node, and set requests of ephemeral-storage']
  return ['The node ran out of something', 'kubectl describe node']
}

const disruptions: Readonly<Record<string, string>> = {
  PreemptionByScheduler: 'A pod of higher priority needs the room',
  DeletionByTaintManager: 'Its node has got a taint that it does not tolerate',
  EvictionByEvictionAPI: 'Someone asked for its eviction, as kubectl drain and autoscalers do',
  DeletionByPodGC: 'Its node is gone',
  TerminationByKubelet: 'Its node is short of something, or is shut down',
}

function disruption({ metadata, status }: RawPod): readonly Finding[] {
  if (status.reason === 'Evicted' || metadata.deletionTimestamp === undefined) return []
  return conditionsOf(status)
    .filter(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True')
    .map(({ reason = 'disrupted', message = 'no reason is given' }) =>
      evidenceFinding('pod', 'disruption', 'warn', `The pod is to be removed, ${reason}: ${message}`, {
        cause: disruptions[reason] ?? 'A controller of the cluster removes it',
        next: 'See that a controller makes a new pod; a PodDisruptionBudget bounds how many go at once',
      }),
    )
}

function gates({ spec, status }: RawPod): readonly Finding[] {
  const conditions = conditionsOf(status)
  const isTrue = (type: string) => conditions.some((one) => one.type === type && one.status === 'True')
  if (!isTrue('ContainersReady')) return []
  return ((spec.readinessGates ?? []) as readonly { readonly conditionType: string }[])
    .filter(({ conditionType }) => !isTrue(conditionType))
    .map(({ conditionType }) => {
      const set = conditions.find(({ type }) => type === conditionType)
      const why = set ? `it is ${set.status}${set.message ? `: ${set.message}` : ''}` : 'nobody has set it'
      return evidenceFinding(
        'readiness-gate',
        conditionType,
        'error',
        `The pod is not ready, though its containers are: readiness gate ${conditionType} is not True, ${why}`,
        {
          cause:
            'Whoever is to set this condition does not run, fails, or waits for something outside of the pod: a load balancer that has not taken it in, as a rule',
          next: 'Look at the controller that is to set this condition of the pod',
        },
      )
    })
}

/** That the node of a pod is not ready, as the pod's own events tell it. */
export function nodeEventFindings(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  const event = events.findLast(({ reason }) => reason === 'NodeNotReady')
  const ready = conditionsOf(pod.status).find(({ type }) => type === 'Ready')
  if (!event || ready?.status === 'True' || now - lastSeen(event) > 3_600_000) return []
  const title = `Node ${pod.spec.nodeName ?? '?'} of the pod is not ready: ${event.message ?? ''}`
  return [
    evidenceFinding('node', 'not-ready', 'error', title, {
      evidence: words([event]),
      cause: 'The node is down, its kubelet has stopped, or it does not reach the API server',
      next: `kubectl describe node ${pod.spec.nodeName ?? ''}`,
    }),
  ]
}
