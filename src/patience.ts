import type { Deps } from './deps.ts'
import { ClusterForbidden, ClusterUnavailable } from './ports/cluster/cluster.ts'
import { RecordsUnavailable } from './ports/records/records.ts'
import { StoreUnavailable } from './ports/store/store.ts'

export interface Patience {
  /** How long a passing failure is tried again within the step. */
  readonly ms: number
  /** Whether nobody wants it any more: then what would be tried again is given up. */
  readonly unwanted?: () => Promise<boolean>
  /** Whether a failure that outlasts the patience is for the engine to try again, later and from another worker. */
  readonly rethrow?: () => boolean
}

const passes = [ClusterUnavailable, StoreUnavailable, RecordsUnavailable]

/**
 * Runs an effect until it succeeds: what may pass is tried again with backoff, anything else three times in all. What does not
 * pass becomes the value that `giveUp` makes of one sentence, so that the story goes on and tells it. When the service stops, the
 * effect is aborted, to leave nothing half done behind, and what it throws is thrown: the engine runs the step again after the next start.
 */
export async function patiently<T>(
  what: string,
  effect: (signal: AbortSignal) => Promise<T>,
  giveUp: (message: string) => T | Promise<T>,
  patience: Patience,
  deps: Pick<Deps, 'clock' | 'log' | 'stopping'>,
): Promise<T> {
  const until = deps.clock.now() + patience.ms
  let others = 0
  for (let attempt = 1; ; attempt++) {
    const controller = new AbortController()
    try {
      return await effect(AbortSignal.any([controller.signal, deps.stopping]))
    } catch (error) {
      if (deps.stopping.aborted) throw error
      const passing = passes.some((kind) => error instanceof kind)
      const left = until - deps.clock.now()
      if (!passing) others += 1
      const again = error instanceof ClusterForbidden || (passing && (await isUnwanted(patience))) ? false : passing ? left > 0 : others < 3
      // What passes needs no stack, and a bug needs one once.
      deps.log(again ? 'warn' : 'error', `Cannot ${what}`, { attempt, error: passing || others > 1 ? message(error) : describe(error) })
      if (again) {
        await deps.clock.sleep(Math.min(100 * 2 ** attempt, 5000, Math.max(left, 100)), deps.stopping)
        continue
      }
      if (passing && patience.rethrow?.()) throw error
      return await giveUp(`Cannot ${what}: ${message(error)}`)
    } finally {
      controller.abort()
    }
  }
}

/** The records may be what is away. */
async function isUnwanted({ unwanted }: Patience): Promise<boolean> {
  return (await unwanted?.().catch(() => false)) ?? false
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.stack ?? error.message}${error.cause ? `; cause: ${describe(error.cause)}` : ''}` : String(error)
}
