import type { Store } from './store.ts'

export interface R2StoreOptions {
  readonly bucket: R2Bucket
  /** Put before every key; default none. */
  readonly prefix?: string
}

export function r2Store(_: R2StoreOptions): Store {
  throw new Error('not yet')
}
