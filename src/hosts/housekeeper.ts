import type { Deps } from '../deps.ts'
import { settleDue } from '../intake/settle-alerts.ts'
import { tellDue } from '../intake/tell-reports.ts'
import { type WorkloadCache, workloadCache } from '../intake/workload-cache.ts'

/**
 * Settles what webhooks delivered and tells reports, each one round at a time: whoever wakes it during a round gets another one. Neither waits for
 * the other: a tracker that does not answer holds up no alert, and a cluster that does not answer no note. `done` waits for all that is at
 * work, and for what that woke. Nothing here ever throws: what failed is due again.
 */
export function housekeeper(deps: Deps): { wake(): void; done(): Promise<void> } {
  const cache: WorkloadCache = workloadCache(deps.clock)
  const parts = [inRounds(() => tellDue(deps), deps), inRounds(() => settleDue(deps, cache), deps)]
  const rounds = () => parts.flatMap((part) => part.round() ?? [])

  return {
    wake() {
      for (const part of parts) part.wake()
    },
    async done() {
      while (rounds().length > 0) await Promise.all(rounds())
    },
  }
}

function inRounds(work: () => Promise<void>, { stopping, log }: Pick<Deps, 'stopping' | 'log'>) {
  let wanted = false
  let round: Promise<void> | undefined

  async function run(): Promise<void> {
    while (wanted && !stopping.aborted) {
      wanted = false
      try {
        await work()
      } catch (error) {
        if (!stopping.aborted) log('error', 'Cannot look after alerts and reports now', { error: String(error) })
      }
    }
    round = undefined
  }

  return {
    wake(): void {
      if (stopping.aborted) return
      wanted = true
      round ??= run()
    },
    round: () => round,
  }
}
