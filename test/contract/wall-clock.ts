import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../src/deps.ts'

export const wallClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
  },
}
