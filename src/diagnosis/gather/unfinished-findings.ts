import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { lengthOf } from './ago.ts'
import { containersOf, type PodContainer } from './containers.ts'
import { evidenceFinding } from './evidence-finding.ts'

/** A helper that is told to end does so in less. */
const serverMs = 8000
/** Of one that may be at work of its own. */
const workerMs = 600_000

/**
 * A pod that is to come to an end, and does not, for a container beside those that have done their work goes on: a proxy, an agent. One that
 * has a port or a probe is a server, and ends for no work that is done. `now` is in milliseconds.
 */
export function unfinishedFindings(pod: RawPod, now: number): readonly Finding[] {
  const { restartPolicy = 'Always' } = pod.spec
  const mains = containersOf(pod).filter(({ kind }) => kind === 'main')
  const done = mains.filter(({ status }) => status?.state?.terminated?.exitCode === 0)
  const left = mains.filter(({ status }) => status?.state?.running)
  if (restartPolicy === 'Always' || pod.metadata.deletionTimestamp !== undefined || done.length === 0 || left.length === 0) return []
  if (done.length + left.length < mains.length) return []
  const age = now - Math.max(...done.map(({ status }) => Date.parse(status?.state?.terminated?.finishedAt ?? '')))
  if (!(age >= (left.every(isServer) ? serverMs : Math.max(workerMs, 2 * Math.max(...done.map(ran)))))) return []
  const title = `C${names(done).slice(1)} ended with success ${lengthOf(age)} ago, and ${names(left)} still runs: the pod is not complete until it ends, too`
  return [
    evidenceFinding('unfinished', left.map(({ name }) => name).join(','), 'warn', title, {
      cause: 'A helper beside the work does not notice that the work is done',
      next: 'Make it a sidecar (an init container with restartPolicy: Always), which ends with the others, or have it told to end',
    }),
  ]
}

function isServer({ spec }: PodContainer): boolean {
  return (spec?.ports ?? []).length > 0 || ['readinessProbe', 'livenessProbe', 'startupProbe'].some((probe) => spec?.[probe] !== undefined)
}

function ran({ status }: PodContainer): number {
  const { startedAt = '', finishedAt = '' } = status?.state?.terminated ?? {}
  return Date.parse(finishedAt) - Date.parse(startedAt) || 0
}

function names(containers: readonly PodContainer[]): string {
  return `container ${containers.map(({ name }) => name).join(', ')}`
}
