/**
 * The chunks of a stream that are not empty. Cancels the stream if it is left early or `signal` aborts, and then throws the
 * signal's reason, also while a chunk is waited for.
 */
export async function* chunksOf(stream: ReadableStream<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader()
  const cancel = () => void reader.cancel(signal?.reason).catch(() => {})
  let ended = false
  try {
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted) cancel()
    for (;;) {
      // Cancelled while a chunk is waited for, a stream ends by the standard; those of workerd fail.
      const { done, value } = await reader.read().finally(() => signal?.throwIfAborted())
      if (done) {
        ended = true
        return
      }
      if (value.byteLength > 0) yield value
    }
  } finally {
    signal?.removeEventListener('abort', cancel)
    // The error that ends this, if any, says more than one of cancelling what has failed.
    if (!ended) await reader.cancel().catch(() => {})
    reader.releaseLock()
  }
}
