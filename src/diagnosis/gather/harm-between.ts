import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import type { Gathered } from '../gathered.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { restartsOf } from './target.ts'

/** Where the target cannot be compared, that is told. */
export function harmUnknown(why: string): readonly Finding[] {
  const title = 'Whether the target was harmed while it was diagnosed is not known'
  return [evidenceFinding('harm', 'unknown', 'warn', title, { cause: why, next: 'Look at the restarts of the pod' })]
}

/**
 * What became of the target since it was gathered; `pod` is the same pod now. Harmed is a target that ran and then was OOM-killed, or
 * failed otherwise than it had been failing before. One that ends in its usual way, or with success, is told and no harm of ours.
 */
export function harmBetween(before: Gathered, pod: RawPod): { readonly findings: readonly Finding[]; readonly harmed: boolean } {
  const all = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]
  const now = restartsOf(all.find(({ name }) => name === before.container))
  const { restarts } = before
  const ended = now.count > restarts.count || (now.lastFinishedAt !== undefined && now.lastFinishedAt !== restarts.lastFinishedAt)
  if (!ended || !before.targetRunning) return { findings: [], harmed: false }
  const oom = now.lastReason === 'OOMKilled'
  const usual =
    !oom && (now.lastExitCode === 0 || (restarts.count > 0 && now.lastReason === restarts.lastReason && now.lastExitCode === restarts.lastExitCode))
  const how = [now.lastReason ?? 'no reason is given', ...(now.lastExitCode === undefined ? [] : [`exit code ${now.lastExitCode}`])].join(', ')
  const restarted = now.count > restarts.count ? `, restarts ${restarts.count} before and ${now.count} after` : ''
  const title = `Container ${before.container} ${oom ? 'was OOM-killed' : 'ended'} while it was diagnosed (${how}${restarted})`
  const blame = 'The diagnosis may have caused it: the diagnostic container shares the memory and CPU of the pod'
  const finding = evidenceFinding('harm', oom ? 'oom-killed' : 'ended', usual ? 'warn' : 'error', title, {
    cause: usual ? 'It ended the way it did before, or with success' : blame,
    next: oom ? 'Raise the memory limit of the pod, or harm.minHeadroom' : `kubectl logs --previous -c ${before.container}`,
  })
  return { findings: [finding], harmed: !usual }
}
