import type { Clock } from '../../deps.ts'
import { StoreUnavailable } from './store.ts'

/** Runs one call of a bucket; `action` is for messages: `put object "a/b"`. */
export type R2Calls = <T>(action: string, call: () => Promise<T>, signal?: AbortSignal) => Promise<T>

/** Milliseconds between the tries of one call. R2 takes one write a second of one key: https://developers.cloudflare.com/r2/platform/limits/ */
const pausesMs = [250, 1_000, 2_000]

/** https://developers.cloudflare.com/r2/api/error-codes/ */
const noSuchUpload = 10_024
/** Incomplete body, internal error, service unavailable, client disconnected, too many requests. */
const passing = new Set([10_013, 10_001, 10_043, 10_054, 10_058])

const advices: Readonly<Record<number, string>> = {
  10003: 'give the Worker a bucket that it may write',
  10006: 'make the bucket that wrangler.toml names, or correct its bucket_name',
  10042: 'subscribe the account to R2',
  10069: 'take its bucket lock rule off: an object of more than 8 MiB is written in two steps',
}

/**
 * Calls of the bucket with that binding, tried again while they may succeed. They throw what R2 threw as {@link StoreUnavailable} if
 * the same call may succeed later, else as an error that says what to set right; and the signal's reason as soon as it aborts,
 * although R2 knows no signal: what it was told may still be done.
 */
export function r2Calls(binding: string, clock: Pick<Clock, 'sleep'>): R2Calls {
  return async (action, call, signal) => {
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted()
      try {
        return await unlessAborted(call, signal)
      } catch (error) {
        signal?.throwIfAborted()
        const failure = failureOf(error, action, binding)
        const pause = pausesMs[attempt]
        if (!(failure instanceof StoreUnavailable) || pause === undefined) throw failure
        await clock.sleep(pause, signal)
      }
    }
  }
}

/** Whether R2 said that there is no such upload: never begun, aborted, complete or too old. */
export function isNoSuchUpload(error: unknown): boolean {
  return error instanceof Error && codeOf(error.cause) === noSuchUpload
}

async function unlessAborted<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await call()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([call(), aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function failureOf(error: unknown, action: string, binding: string): unknown {
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) return error
  const code = codeOf(error)
  const advice = code === undefined ? undefined : advices[code]
  const message = `Cannot ${action} in the bucket of binding "${binding}": ${error.message}${advice ? `; ${advice}` : ''}`
  // Without a code it is no answer of R2: the connection was lost, or the runtime failed.
  if (code === undefined || passing.has(code)) return new StoreUnavailable(message, { cause: error })
  return new Error(message, { cause: error })
}

/** R2 ends its messages with a code: `put: We encountered an internal error. Please try again. (10001)`. */
function codeOf(error: unknown): number | undefined {
  const code = error instanceof Error ? /\((\d+)\)$/.exec(error.message)?.[1] : undefined
  return code === undefined ? undefined : Number(code)
}
