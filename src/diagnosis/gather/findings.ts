import type { Raw, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import type { Headroom } from '../gathered.ts'
import { containersOf } from './containers.ts'
import { eventFindings } from './event-findings.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { exitFindings } from './exit-findings.ts'
import { quantityBytes } from './headroom.ts'
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
    ...tinyLimits(pod),
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

/** No program fits into less, nor what the runtime needs to start it. */
const tinyBytes = 2 ** 20

/** Limits of containers that do not run, which are bytes by mistake: `100m` is a tenth of one. */
function tinyLimits(pod: RawPod): readonly Finding[] {
  return containersOf(pod).flatMap(({ name, what, spec, status }) => {
    const limit = spec?.resources?.limits?.memory
    const bytes = quantityBytes(limit ?? '0')
    if (limit === undefined || bytes === 0 || bytes >= tinyBytes || status?.state?.running) return []
    const thousandths = limit.endsWith('m')
    const size = thousandths ? `${limit.slice(0, -1)} thousandths of a byte` : `${bytes} bytes`
    const title = `${what} cannot start with its memory limit of ${limit}, which is ${size}`
    return [
      evidenceFinding('tiny-limit', `${name}/memory`, 'error', title, {
        cause: `The unit of the limit is wrong or missing${thousandths ? ': m stands for thousandths, Mi for mebibytes' : ''}`,
        next: 'Give the limit in Mi, as in 64Mi',
      }),
    ]
  })
}
