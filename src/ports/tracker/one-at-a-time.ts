/** Runs pieces of work of the same key one after the other, those of different keys at once. Holds nothing for keys that are idle. */
export function oneAtATime(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const before = tails.get(key)
    // A failed piece of work does not keep the next from running.
    const run = before ? before.then(work, work) : work()
    tails.set(key, run)
    try {
      return await run
    } finally {
      if (tails.get(key) === run) tails.delete(key)
    }
  }
}
