import type { Deps } from '../deps.ts'
import { type AdoptionRule, adoptContainers, type Seen } from '../intake/adopt-container.ts'
import { ClusterForbidden, ClusterUnavailable } from '../ports/cluster/cluster.ts'
import { RecordsUnavailable } from '../ports/records/records.ts'

/** A namespace that may not be watched, or something unforeseen, is tried again after this; a cluster that is away by the watch itself. */
const againMs = 30_000

/**
 * Watches the namespaces that the configuration's `adoption` names, one watch each, for containers that people add by hand: see {@link adoptContainers}. `done`
 * waits until all of them have ended, which they do when the process stops. Nothing here ever throws.
 */
export function adopter(deps: Deps): { done(): Promise<void> } {
  const { config } = deps
  const [only = ''] = Object.keys(config.clusters)
  const seen: Seen = new Map()
  const watches = config.adoption.flatMap(({ cluster = only, namespaces, ...rule }) =>
    namespaces.map((namespace) => watch(namespace, { ...rule, cluster }, seen, deps)),
  )
  return {
    async done() {
      await Promise.all(watches)
    },
  }
}

async function watch(namespace: string, rule: AdoptionRule, seen: Seen, deps: Deps): Promise<void> {
  const { clusters, clock, log, stopping } = deps
  let told = ''
  while (!stopping.aborted) {
    try {
      for await (const pod of clusters.get(rule.cluster)?.watchPods(namespace, stopping) ?? []) await adoptContainers(pod, rule, seen, deps)
    } catch (error) {
      if (stopping.aborted) return
      const message = String(error)
      const passes = error instanceof ClusterUnavailable || error instanceof RecordsUnavailable
      // A right that is missing is told once, and not every half minute.
      if (message !== told || !(error instanceof ClusterForbidden))
        log(passes ? 'warn' : 'error', 'Cannot watch for containers that are added by hand', { cluster: rule.cluster, namespace, error: message })
      told = message
    }
    await clock.sleep(againMs, stopping)
  }
}
