import type { Deps } from '../deps.ts'
import { settleDue } from '../intake/settle-alerts.ts'
import { tellDue } from '../intake/tell-reports.ts'
import { type WorkloadCache, workloadCache } from '../intake/workload-cache.ts'

/**
 * Tells reports and settles what webhooks delivered, one round at a time: whoever wakes it during a round gets another one. `done` waits for
 * the round at work. Nothing here ever throws: what failed is due again.
 */
export function housekeeper(deps: Deps): { wake(): void; done(): Promise<void> } {
  const cache: WorkloadCache = workloadCache(deps.clock)
  let wanted = false
  let round: Promise<void> | undefined

  async function work(): Promise<void> {
    while (wanted && !deps.stopping.aborted) {
      wanted = false
      // What is settled may put off what is due to be told: so that comes first.
      for (const part of [tellDue, settleDue]) {
        try {
          await part(deps, cache)
        } catch (error) {
          if (!deps.stopping.aborted) deps.log('error', 'Cannot look after alerts and reports now', { error: String(error) })
        }
      }
    }
    round = undefined
  }

  return {
    wake() {
      wanted = true
      round ??= work()
    },
    done: () => round ?? Promise.resolve(),
  }
}
