import type { Raw, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import type { Headroom } from '../gathered.ts'
import { eventFindings } from './event-findings.ts'
import { exitFindings } from './exit-findings.ts'
import { initFindings } from './init-findings.ts'
import { linkWords } from './link-words.ts'
import { logFindings } from './log-findings.ts'
import { nodeEventFindings, podFindings } from './pod-findings.ts'
import { probeFindings } from './probe-findings.ts'
import { readOnlyFindings } from './read-only-findings.ts'
import type { Readings } from './readings.ts'
import { schedulingFindings } from './scheduling-findings.ts'
import { startFindings } from './start-findings.ts'
import type { TargetReading } from './target.ts'
import { tinyLimits } from './tiny-limits.ts'
import { unfinishedFindings } from './unfinished-findings.ts'
import { unledServices } from './unled-services.ts'
import { cpuFindings, memoryFindings } from './usage-findings.ts'

/** What is read beside the pod and has findings of its own. */
export interface Beside {
  readonly workload: readonly Finding[]
  readonly node: readonly Finding[]
  readonly services: readonly Finding[]
  /** The Services of the pod's namespace. */
  readonly listed?: readonly Raw[]
  /** Of a pod that is on no node. */
  readonly claims?: readonly Finding[]
  /** The servers that the target's spec names, as host:port or host. */
  readonly called?: readonly string[]
}

/**
 * What the API's own evidence says is wrong, in the words of status, event or log; causes come before what follows from them. `now` is in
 * milliseconds.
 */
export function evidenceFindings(
  pod: RawPod,
  target: TargetReading,
  readings: Readings,
  headroom: Headroom,
  beside: Beside,
  now: number,
): readonly Finding[] {
  const { events } = readings
  const starts = startFindings(pod, events, now)
  const { killing, failing, killed } = probeFindings(pod, events, now)
  // The kubelet ended these containers itself.
  const ended = [...killed, ...starts.flatMap(({ id }) => /^hook\/(.+)\/post-start$/.exec(id)?.[1] ?? [])]
  const exits = exitFindings(pod, readings, now).filter(({ id }) => !ended.some((name) => id === `exit-history/${name}/exited`))
  const inits = initFindings(pod, readings, now)
  const all = [
    ...podFindings(pod, events, now),
    ...tinyLimits(pod, events, now),
    ...(beside.node.length > 0 ? beside.node : nodeEventFindings(pod, events, now)),
    ...schedulingFindings(pod, now),
    ...(beside.claims ?? []),
    ...starts,
    ...killing,
    ...exits,
    ...inits,
    ...failing,
    ...unfinishedFindings(pod, now),
    ...beside.workload,
    ...memoryFindings(pod, readings, headroom),
    ...cpuFindings(pod, readings, now),
    ...readOnlyFindings(pod, target, readings),
    ...beside.services,
    ...eventFindings(pod, events, now),
    ...logFindings(target, readings, [...exits, ...inits], beside.called ?? []),
  ]
  const once = all.filter(({ id }, at) => all.findIndex((other) => other.id === id) === at)
  const { listed = [] } = beside
  return [...unledServices(once, listed), ...linkWords(pod, once, listed)].slice(0, maxFindings)
}

const maxFindings = 30
