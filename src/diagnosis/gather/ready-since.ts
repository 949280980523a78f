import type { RawPod } from '../../ports/cluster/cluster.ts'
import { conditionsOf } from './containers.ts'

/** When a pod that is ready became so, in milliseconds since the epoch: troubles of before are over. `Infinity`: it is ready since an unknown time; 0: it is not ready. */
export function readySince(pod: RawPod): number {
  const ready = conditionsOf(pod.status).find(({ type, status }) => type === 'Ready' && status === 'True')
  if (!ready) return 0
  const at = Date.parse(ready.lastTransitionTime ?? '')
  return Number.isNaN(at) ? Number.POSITIVE_INFINITY : at
}
