const origin = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()

/** Now in RFC 3339 with nine digits, as the kubelet stamps lines of logs. Never runs backwards. */
export function nanoTime(): string {
  const now = origin + process.hrtime.bigint()
  const second = new Date(Number(now / 1_000_000n)).toISOString().slice(0, 19)
  return `${second}.${String(now % 1_000_000_000n).padStart(9, '0')}Z`
}

/** Now, or another moment, in whole seconds of RFC 3339, as objects of Kubernetes have their times. */
export const secondTime = (ms = Date.now()) => `${new Date(ms).toISOString().slice(0, 19)}Z`
