import type { Clock } from '../../deps.ts'

/**
 * Wakes a reader that waits for something else. One timer serves many waits, because setting one for each of thousands of
 * chunks a second costs more than reading them: it may ring early, never late.
 */
export class Alarm {
  private readonly clock: Clock
  private timer: AbortController | undefined
  private ringsAt = Number.POSITIVE_INFINITY
  private rung: Promise<'time'> = Promise.resolve('time')

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Resolves with `other`, or with `time` when it is `at`, in milliseconds since the epoch, or a little before. */
  race<T>(other: Promise<T>, at: number): Promise<T | 'time'> {
    const ms = at - this.clock.now()
    if (ms <= 0) return Promise.race([other, Promise.resolve('time' as const)])
    if (this.ringsAt > at) this.set(at, ms)
    return Promise.race([other, this.rung])
  }

  stop(): void {
    this.timer?.abort()
    this.timer = undefined
    this.ringsAt = Number.POSITIVE_INFINITY
  }

  private set(at: number, ms: number): void {
    this.stop()
    const timer = new AbortController()
    this.timer = timer
    this.ringsAt = at
    this.rung = this.clock.sleep(ms, timer.signal).then(() => {
      if (this.timer === timer) this.stop()
      return 'time'
    })
  }
}
