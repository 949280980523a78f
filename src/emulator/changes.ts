/** Lets any number of readers wait for the next change, without missing one that happens while they look. */
export class Changes {
  readonly #waiting = new Set<() => void>()
  #count = 0

  /** How many changes there have been; take it before you look, and give it to `after`. */
  get count(): number {
    return this.#count
  }

  tell(): void {
    this.#count++
    for (const wake of this.#waiting) wake()
  }

  /** Resolves once there was a change since `count`, or `signal` aborts. */
  after(count: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
      if (signal.aborted || this.#count !== count) wake()
    })
  }
}
