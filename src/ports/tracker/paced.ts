import { TrackerUnavailable } from './tracker.ts'

/** Comes back when it is one's turn. `what` begins the message of {@link TrackerUnavailable}, which is thrown where that is more than 10 s away. */
export type Paced = (what: string, signal: AbortSignal) => Promise<void>

const longestWaitMs = 10_000

/** Turns at least `intervalMs` apart. Throws the signal's own reason when it aborts. */
export function paced(clock: { now(): number }, intervalMs: number): Paced {
  let next = 0
  return async (what, signal) => {
    signal.throwIfAborted()
    const waitMs = next - clock.now()
    if (waitMs > longestWaitMs) throw new TrackerUnavailable(`${what}: too much is waiting to be written`, waitMs)
    next = Math.max(next, clock.now()) + intervalMs
    if (waitMs > 0) await pause(waitMs, signal)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = () => reject(signal.reason)
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
