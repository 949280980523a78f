import { type Cluster, ClusterForbidden } from '../../ports/cluster/cluster.ts'

const askAgainMs = 600_000
/** What was forbidden, and when: an audit log full of refusals would be nobody's friend. */
const forbidden = new WeakMap<object, Map<string, number>>()

/**
 * Reads what is an optional right of the service; undefined where it has it not, or where that cannot be read now. What was forbidden is not asked
 * for again for ten minutes by this process.
 */
export async function optional<T>(right: string, cluster: Pick<Cluster, never>, now: number, read: () => Promise<T>): Promise<T | undefined> {
  const known = forbidden.get(cluster) ?? new Map<string, number>()
  forbidden.set(cluster, known)
  if (now - (known.get(right) ?? Number.NEGATIVE_INFINITY) < askAgainMs) return undefined
  try {
    return await read()
  } catch (error) {
    if (error instanceof ClusterForbidden) known.set(right, now)
    return undefined
  }
}
