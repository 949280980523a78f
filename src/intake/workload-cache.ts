import type { Clock } from '../deps.ts'

/** What an earlier look at a cluster gave, for a minute: many alerts are about the same pods. */
export interface WorkloadCache {
  get<T>(key: string, look: () => Promise<T>): Promise<T>
  /** What is kept, without a look. */
  known<T>(key: string): T | undefined
}

const keptMs = 60_000
const maxKept = 5000

export function workloadCache(clock: Pick<Clock, 'now'>): WorkloadCache {
  const kept = new Map<string, { readonly value: unknown; readonly until: number }>()
  const fresh = (key: string) => {
    const found = kept.get(key)
    return found && found.until > clock.now() ? found : undefined
  }
  return {
    known: <T>(key: string) => fresh(key)?.value as T | undefined,
    async get<T>(key: string, look: () => Promise<T>): Promise<T> {
      const found = fresh(key)
      if (found) return found.value as T
      const value = await look()
      if (kept.size >= maxKept) kept.clear()
      kept.set(key, { value, until: clock.now() + keptMs })
      return value
    },
  }
}
