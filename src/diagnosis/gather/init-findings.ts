import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { lengthOf, since } from './ago.ts'
import { blockingInit, containersOf } from './containers.ts'
import { evidenceFinding } from './evidence-finding.ts'
import type { Readings } from './readings.ts'
import { isTroubled, tellingLine, wholeOf } from './troubled-line.ts'

/** From then on an init container takes long. */
const longMs = 3000

/** An init container that runs while the others wait for it, with the last of its log. `now` is in milliseconds. */
export function initFindings(pod: RawPod, { logs }: Readings, now: number): readonly Finding[] {
  const init = blockingInit(pod)
  const age = since(init?.status?.state?.running?.startedAt, now)
  if (!init || age === undefined) return []
  const log = logs.get(init.name)?.current ?? ''
  const last = tellingLine(log)
  const troubled = last !== undefined && isTroubled(last)
  const others = containersOf(pod)
    .filter(({ kind }) => kind === 'main')
    .map(({ name }) => name)
  const title = `Init container ${init.name} has not ended, it has run for ${lengthOf(age)} and ${others.join(', ')} waits for it${last ? `: ${wholeOf(log, last)}` : ''}`
  return [
    evidenceFinding('init', `${init.name}/running`, age > longMs || troubled ? 'error' : 'warn', title, {
      evidence: log
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-5)
        .join('\n'),
      cause: 'What it waits for does not come, or it does not end by itself',
      next: `kubectl logs -c ${init.name}: see what it waits for`,
    }),
  ]
}
