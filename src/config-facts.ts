import type { Config } from './config.ts'

/** What is told by the parsed configuration. Apart from its schema, which a Worker does not carry: there it was parsed when it was built. */

/** How long the download URL of a bundle works, where the store has one. */
export function urlExpiry(store: Config['store']): number {
  if (store.kind === 's3') return store.urlExpiresSeconds
  return store.kind === 'r2' && store.downloads ? store.downloads.urlExpiresSeconds : 300
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, Ki: 1024, M: 1e6, Mi: 1024 ** 2, G: 1e9, Gi: 1024 ** 3 }

/** Bytes of a quantity: `16Mi` → 16777216. */
export function bytesOf(value: string | number): number {
  if (typeof value === 'number') return value
  const match = /^(\d+(?:\.\d+)?)(k|Ki|M|Mi|G|Gi)?$/.exec(value)
  if (!match) throw new RangeError(`Cannot read quantity "${value}": expected a number with an optional k, Ki, M, Mi, G or Gi`)
  return Math.round(Number(match[1]) * (units[match[2] ?? ''] ?? 1))
}
