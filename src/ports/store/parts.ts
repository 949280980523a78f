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
export async function* partsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Part, void, undefined> {
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
export async function* startingWith(first: Part, rest: AsyncGenerator<Part, void, undefined>): AsyncGenerator<Part, void, undefined> {
  try {
    yield first
    yield* rest
  } finally {
    await rest.return()
  }
}
