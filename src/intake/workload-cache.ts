import type { Clock } from '../deps.ts'

/** What an earlier look at a cluster gave, for a minute: many alerts are about the same pods. */
export interface WorkloadCache {
  get<T>(key: string, look: () => Promise<T>): Promise<T>
}

const keptMs = 60_000
const maxKept = 5000

export function workloadCache(clock: Pick<Clock, 'now'>): WorkloadCache {
  const kept = new Map<string, { readonly value: unknown; readonly until: number }>()
  return {
    async get<T>(key: string, look: () => Promise<T>): Promise<T> {
      const found = kept.get(key)
      if (found && found.until > clock.now()) return found.value as T
      const value = await look()
      if (kept.size >= maxKept) kept.clear()
      kept.set(key, { value, until: clock.now() + keptMs })
      return value
    },
  }
}
