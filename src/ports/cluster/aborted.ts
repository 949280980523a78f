/**
 * Aborting a fetch alone is not enough: a Request follows the signal that it was made with only by a weak reference, and once it
 * is collected as garbage (seen with Node 24) a silent stream is never aborted any more. So whoever waits listens to the signal itself.
 */

/** As the promise, or rejects with the signal's reason once that is aborted. `late` gets what comes after that. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal, late: (value: T) => void = () => undefined): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    promise
      .then((value) => {
        if (signal.aborted) late(value)
        resolve(value)
      }, reject)
      .finally(() => signal.removeEventListener('abort', stop))
  })
}

/** As the stream, nothing read ahead; errs with the signal's reason once that is aborted, and ends the connection. */
export function endedBy(signal: AbortSignal, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let stop: () => void
  const forget = () => signal.removeEventListener('abort', stop)
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stop = () => {
          controller.error(signal.reason)
          void reader.cancel(signal.reason).catch(() => undefined)
        }
        if (signal.aborted) stop()
        else signal.addEventListener('abort', stop, { once: true })
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (signal.aborted) return
          if (!done) return controller.enqueue(value)
          forget()
          controller.close()
        } catch (error) {
          forget()
          controller.error(error)
        }
      },
      cancel(reason) {
        forget()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
