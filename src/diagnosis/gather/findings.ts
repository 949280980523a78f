import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import type { Headroom } from '../gathered.ts'
import { eventFindings, probeFindings } from './event-findings.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { exitFindings } from './exit-findings.ts'
import { containerUsage, quantityBytes } from './headroom.ts'
import type { Readings } from './readings.ts'
import type { TargetReading } from './target.ts'
import { isTroubled, tellingLine } from './troubled-line.ts'

/** What the API's own evidence says is wrong, in the words of status, event or log; causes come before what follows from them. `now` is in ms. */
export function evidenceFindings(pod: RawPod, target: TargetReading, readings: Readings, headroom: Headroom, now: number): readonly Finding[] {
  const exits = exitFindings(pod, readings, now)
  const { killing, failing } = probeFindings(pod, readings.events, now)
  const all = [
    ...podFindings(pod),
    ...killing,
    ...exits,
    ...failing,
    ...memoryFindings(pod, readings, headroom),
    ...eventFindings(pod, readings.events, now),
    ...logFindings(target, readings, exits),
  ]
  return all.filter(({ id }, at) => all.findIndex((other) => other.id === id) === at).slice(0, maxFindings)
}

const maxFindings = 30

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

/** Evicted, on no node, about to be removed. */
function podFindings({ status }: RawPod): readonly Finding[] {
  const found: Finding[] = []
  if (status.reason === 'Evicted') {
    found.push(evidenceFinding('pod', 'evicted', 'error', `The pod was evicted: ${status.message ?? 'the kubelet says no more'}`))
  }
  for (const { type, status: is, reason, message } of (status.conditions ?? []) as readonly Condition[]) {
    if (type === 'PodScheduled' && is === 'False') {
      const title = `The pod is on no node: ${message ?? reason ?? 'not scheduled'}`
      const next = "Compare the pod's requests, selectors and tolerations with the nodes: kubectl describe pod"
      found.push(evidenceFinding('scheduling', reason ?? 'Unschedulable', 'error', title, { next }))
    }
    if (type === 'DisruptionTarget' && is === 'True') {
      const title = `The pod is to be removed, ${reason ?? 'disrupted'}: ${message ?? 'no reason is given'}`
      found.push(evidenceFinding('pod', 'disruption', 'warn', title))
    }
  }
  return found
}

/** From this share of the limit on, the next allocation may be the last. */
const nearLimit = 0.9
const cause = 'The limit is too low, or something grows'
const next = 'Raise the memory limit before the kernel kills a process, or look for what grows'

function memoryFindings(pod: RawPod, { metrics }: Readings, headroom: Headroom): readonly Finding[] {
  const usage = containerUsage(metrics)
  const containers = pod.spec.containers.flatMap(({ name, resources }) => {
    const limit = quantityBytes(resources?.limits?.memory ?? '0')
    const used = usage.get(name) ?? 0
    if (limit === 0 || used < limit * nearLimit) return []
    return [evidenceFinding('memory', `${name}/near-limit`, 'error', `Memory of container ${name} is at ${share(used, limit)}`, { cause, next })]
  })
  if (containers.length > 0 || headroom.kind !== 'known' || headroom.usedBytes < headroom.limitBytes * nearLimit) return containers
  const title = `Memory of the pod is at ${share(headroom.usedBytes, headroom.limitBytes)}`
  return [evidenceFinding('memory', 'near-limit', 'error', title, { cause, next })]
}

function share(used: number, limit: number): string {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(bytes % 2 ** 20 === 0 ? 0 : 1)
  return `${Math.floor((100 * used) / limit)} % of its limit: ${mebibytes(used)} of ${mebibytes(limit)} MiB`
}

/** What the target's log says last of trouble, where no other finding quotes it; lines that differ by numbers alone are quoted once. */
function logFindings({ container = '' }: TargetReading, { logs }: Readings, exits: readonly Finding[]): readonly Finding[] {
  const lines = (logs.get(container)?.current ?? '').split('\n').filter(isTroubled)
  const last = tellingLine(lines.join('\n'))
  if (last === undefined || exits.some(({ evidence = '' }) => evidence.includes(last))) return []
  const seen = new Set<string>()
  const distinct = lines.reverse().filter((line) => !seen.has(withoutNumbers(line)) && seen.add(withoutNumbers(line)))
  const title = `The log of container ${container} speaks of trouble: ${last.trim()}`
  const evidence = [last, ...distinct.filter((line) => line !== last)].slice(0, 5).join('\n')
  return [evidenceFinding('log', 'trouble', 'info', title, { evidence })]
}

const withoutNumbers = (line: string) => line.replace(/[0-9a-f]*\d[0-9a-f]*/gi, '0')
