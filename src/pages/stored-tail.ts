import type { Deps } from '../deps.ts'
import { containersOf, type DiagnosisRequest } from '../diagnosis/diagnosis.ts'
import { join } from '../diagnosis/join.ts'
import { readSegment, segmentPrefix } from '../diagnosis/segment.ts'
import type { ShownLog } from './diagnosis-page.tsx'

/** So much of a log is in the page itself. */
const shownBytes = 128 * 1024
/** And so many segments are read for it: those of a container that prints little are small. */
const maxSegments = 100

/** The end of the stored log, from the beginning of a line. Only the last segments are read, for the page without scripts comes every few seconds. */
export async function storedTail(
  diagnosis: Pick<DiagnosisRequest, 'id' | 'adopted'>,
  { store }: Pick<Deps, 'store'>,
  signal: AbortSignal,
): Promise<ShownLog> {
  const pieces: Uint8Array[] = []
  let length = 0
  let read = 0
  const end = () => {
    const text = new TextDecoder().decode(join(pieces, length).subarray(-shownBytes))
    return { text: text.slice(text.indexOf('\n') + 1), cut: true }
  }
  for (const container of containersOf(diagnosis).toReversed()) {
    const keys: string[] = []
    for await (const { key } of store.list(segmentPrefix(diagnosis.id, container), { signal })) keys.unshift(key)
    for (const key of keys) {
      if (read === maxSegments) return end()
      read += 1
      const segment = await readSegment(store, key, signal)
      if (!segment || segment.header.artifact) continue
      pieces.unshift(segment.body)
      length += segment.body.length
      // More than is shown: whether there are earlier lines need not be known.
      if (length > shownBytes) return end()
    }
  }
  return { text: new TextDecoder().decode(join(pieces, length)), cut: false }
}
