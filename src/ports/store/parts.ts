import { chunksOf } from './chunks.ts'
import type { Created, PutOptions, Store } from './store.ts'

/** All parts but the last have this size: R2 wants them equal, and 10,000 of them make 78 GiB. */
export const partBytes = 8 * 1024 * 1024
export const maxParts = 10_000

export interface Part {
  readonly bytes: Uint8Array
  readonly isLast: boolean
}

/**
 * Cuts chunks into parts of {@link partBytes}; only the last may be shorter, and is empty if there are no bytes at all. Two buffers
 * take turns: a part is its reader's until it asks for the next but one.
 */
async function* partsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Part, void, undefined> {
  let full = new Uint8Array(0)
  let filling = new Uint8Array(partBytes)
  let filled = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (filled === partBytes) {
        // Only now is it known that this part is not the last.
        const next = full.byteLength > 0 ? full : new Uint8Array(partBytes)
        full = filling
        filling = next
        filled = 0
        yield { bytes: full, isLast: false }
      }
      const taken = chunk.subarray(at, at + partBytes - filled)
      filling.set(taken, filled)
      filled += taken.byteLength
      at += taken.byteLength
    }
  }
  yield { bytes: filling.subarray(0, filled), isLast: true }
}

/** A stream of parts with its first one put back. Leaving it leaves the rest. */
async function* startingWith(first: Part, rest: AsyncGenerator<Part, void, undefined>): AsyncGenerator<Part, void, undefined> {
  try {
    yield first
    yield* rest
  } finally {
    await rest.return()
  }
}

/** The writes of a store that takes uploads in parts, of which {@link streamCreator} makes one of streams. */
export interface PartWrites {
  head(key: string, options: { readonly signal?: AbortSignal | undefined }): Promise<object | undefined>
  create(key: string, body: Uint8Array, options: PutOptions): Promise<Created>
  upload(key: string, parts: AsyncIterable<Part>, options: PutOptions): Promise<Created>
}

/** `createFromStream` of a store: what fits into one part is written at once, the rest is uploaded. The stream is left in any case. */
export function streamCreator({ head, create, upload }: PartWrites): Store['createFromStream'] {
  return async (key, body, options = {}) => {
    const { signal } = options
    try {
      signal?.throwIfAborted()
      if (await head(key, { signal })) {
        await body.cancel()
        return 'exists'
      }
    } catch (error) {
      await body.cancel(error).catch(() => {})
      throw error
    }
    const parts = partsOf(chunksOf(body, signal))
    const first = await parts.next()
    if (first.done) throw new Error('Cannot cut a stream: no part came, not even an empty one')
    if (first.value.isLast) return create(key, first.value.bytes, options)
    return upload(key, startingWith(first.value, parts), options)
  }
}
