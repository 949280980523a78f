import { env } from 'cloudflare:workers'
import { r2Store } from '../../src/ports/store/r2.ts'
import type { Store } from '../../src/ports/store/store.ts'
import { digest } from '../contract/store-streams.ts'
import { type Fault, watchedBucket } from './r2-bucket.ts'

export const mebibyte = 1024 * 1024
export const internalError = 'We encountered an internal error. Please try again. (10001)'

/** A store, by default of its own prefix, with a fault before R2, the same without, and the pauses that both made. */
export function stores(fault?: Fault, prefix = `${crypto.randomUUID()}/`) {
  const { bucket, calls, leftovers } = watchedBucket(env.BUCKET, fault)
  const pauses: number[] = []
  const clock = { sleep: async (ms: number) => void pauses.push(ms) }
  return {
    prefix,
    bucket,
    pauses,
    store: r2Store({ bucket, prefix, clock }),
    other: r2Store({ bucket: env.BUCKET, prefix, clock }),
    methods: () => calls.map(({ method }) => method),
    calls,
    leftovers: () => leftovers(prefix),
  }
}

/** Throws from the first call of the method on, `times` of them; `after`: R2 does it, and only the answer is lost. */
export function failing(method: string, message: string, { times = Number.POSITIVE_INFINITY, after = false } = {}): Fault {
  let failures = 0
  return async (call, go) => {
    if (call.method !== method || failures === times) return go()
    failures++
    if (after) await go()
    throw new Error(`${method}: ${message}`)
  }
}

/** Holds one call of the method up, by default the first. */
export function holding(method: string, nth = 1) {
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let calls = 0
  const fault: Fault = async (call, run) => {
    if (call.method === method && ++calls === nth) {
      reached.resolve()
      await go.promise
    }
    return run()
  }
  return { fault, reached: reached.promise, release: go.resolve }
}

export async function contentOf(store: Store) {
  const object = await store.get('a')
  if (!object) throw new Error('no object')
  return digest(object.body)
}
