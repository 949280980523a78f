/**
 * An answer that goes on. It fails when the caller aborts the request, as that of fetch does, and `pieces` learns by its
 * signal that no one reads any more.
 */
export function streamed(
  contentType: string,
  caller: AbortSignal,
  pieces: (signal: AbortSignal) => AsyncGenerator<Uint8Array, void, void>,
): Response {
  const stop = new AbortController()
  const running = pieces(stop.signal)
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const abort = () => {
        stop.abort()
        controller.error(caller.reason)
      }
      caller.addEventListener('abort', abort, { once: true, signal: stop.signal })
    },
    async pull(controller) {
      const { done, value } = await running.next()
      if (stop.signal.aborted) return
      if (!done) return controller.enqueue(value)
      stop.abort()
      controller.close()
    },
    async cancel() {
      stop.abort()
      await running.return()
    },
  })
  return new Response(body, { headers: { 'Content-Type': contentType } })
}
