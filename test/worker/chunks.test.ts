import { expect, test } from 'vitest'
import { chunksOf } from '../../src/ports/store/chunks.ts'

test('chunks of a stream of the runtime end with the reason of the signal, also while one is waited for', async () => {
  const { readable, writable } = new CompressionStream('gzip')
  const writer = writable.getWriter()
  void writer.write(new Uint8Array([1])).catch(() => undefined)
  const stop = new AbortController()
  const chunks = chunksOf(readable, stop.signal)
  const reason = new Error('the service ends')
  const taken = (async () => {
    for await (const _ of chunks);
  })()
  setTimeout(() => stop.abort(reason), 20)
  await expect(taken).rejects.toBe(reason)
})
