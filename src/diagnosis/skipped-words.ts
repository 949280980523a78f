import type { ContainerRecord, Skipped } from './diagnosis.ts'

/** What the containers of a diagnosis could not look at, each check once. */
export function skippedIn(containers: readonly ContainerRecord[]): readonly Skipped[] {
  const all = containers.flatMap(({ skipped = [] }) => skipped)
  return all.filter((one, at) => all.findIndex(({ check, why }) => check === one.check && why === one.why) === at)
}

/** `disk, cgroup (not open to inspection); http (not an address)`; empty where all have looked. */
export function skippedText(containers: readonly ContainerRecord[]): string {
  const byWhy = new Map<string, Set<string>>()
  for (const { check, why } of skippedIn(containers)) byWhy.set(why, (byWhy.get(why) ?? new Set()).add(check))
  return [...byWhy].map(([why, checks]) => `${[...checks].join(', ')} (${why})`).join('; ')
}

/** To be said after "nothing found": that is true of what was looked at. */
export function blindText(containers: readonly ContainerRecord[]): string {
  const count = new Set(skippedIn(containers).map(({ check }) => check)).size
  return count === 0 ? '' : `; ${count} ${count === 1 ? 'check' : 'checks'} could not look at everything`
}
