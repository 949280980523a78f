import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import type { Headroom } from '../gathered.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { containerUsage, isStale, quantity, quantityBytes, type UsageMetrics } from './headroom.ts'
import type { Readings } from './readings.ts'

/** From this share of the limit on, the next allocation may be the last. */
const nearMemory = 0.9
const grows = {
  cause: 'The limit is too low, or something grows',
  next: 'Raise the memory limit before the kernel kills a process, or look for what grows',
}

/** What metrics.k8s.io says of the memory of containers, and of the pod where only it as a whole has a limit. */
export function memoryFindings(pod: RawPod, { metrics }: Pick<Readings, 'metrics'>, headroom: Headroom): readonly Finding[] {
  const usage = containerUsage(metrics)
  const containers = pod.spec.containers.flatMap(({ name, resources }) => {
    const limit = quantityBytes(resources?.limits?.memory ?? '0')
    const used = usage.get(name) ?? 0
    if (limit === 0 || used < limit * nearMemory) return []
    return [evidenceFinding('memory', `${name}/near-limit`, 'error', `Memory of container ${name} is at ${share(used, limit)}`, grows)]
  })
  if (containers.length > 0 || headroom.kind !== 'known' || headroom.usedBytes < headroom.limitBytes * nearMemory) return containers
  const title = `Memory of the pod is at ${share(headroom.usedBytes, headroom.limitBytes)}`
  return [evidenceFinding('memory', 'near-limit', 'error', title, grows)]
}

/** The kernel lets nobody go over the limit: who is at it on average wants more. */
const atLimit = 0.95

/**
 * Containers that had as much CPU as their limit allows, in all of the time that metrics.k8s.io measured and that they ran. A warning: it may be
 * work that is meant to take what it gets. It is told also where the pod is too starved for a check to find it. `now` is in milliseconds.
 */
export function cpuFindings(pod: RawPod, { metrics }: Pick<Readings, 'metrics'>, now: number): readonly Finding[] {
  const { timestamp = '', window = '', containers = [] } = (metrics ?? {}) as UsageMetrics
  const at = Date.parse(timestamp)
  if (!(at > 0) || isStale(at, now)) return []
  const since = at - secondsOf(window) * 1000
  return pod.spec.containers.flatMap(({ name, resources }) => {
    const limit = quantity((resources?.limits as { readonly cpu?: string } | undefined)?.cpu ?? '0')
    const used = quantity(containers.find((one) => one.name === name)?.usage?.cpu ?? '0')
    const startedAt = pod.status.containerStatuses?.find((one) => one.name === name)?.state?.running?.startedAt
    if (limit === 0 || used < limit * atLimit || !(Date.parse(startedAt ?? '') < since)) return []
    const title = `CPU of container ${name} is at ${Math.min(100, Math.floor((100 * used) / limit))} % of its limit: ${used.toFixed(2)} of ${limit.toFixed(2)} cores`
    return [
      evidenceFinding('cpu', `${name}/at-limit`, 'warn', title, {
        evidence: `metrics.k8s.io, ${window} until ${timestamp}`,
        cause: 'The limit is too low for the load, or something spins',
        next: 'Raise the CPU limit, or look at what takes the CPU: who is at the limit is held back by the kernel, and answers late',
      }),
    ]
  })
}

/** Of a duration of Go, as metrics.k8s.io gives its window: `10.005s`, `1m30s`. */
function secondsOf(duration: string): number {
  const seconds = { h: 3600, m: 60, s: 1, ms: 0.001 }
  return [...duration.matchAll(/([\d.]+)(ms|h|m|s)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * seconds[unit as keyof typeof seconds],
    0,
  )
}

function share(used: number, limit: number): string {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(bytes % 2 ** 20 === 0 ? 0 : 1)
  return `${Math.floor((100 * used) / limit)} % of its limit: ${mebibytes(used)} of ${mebibytes(limit)} MiB`
}
