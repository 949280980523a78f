import { storedLog } from '../api/live-log.ts'
import type { Deps } from '../deps.ts'
import type { ShownLog } from './diagnosis-page.tsx'

/** So much of a log is in the page itself. */
const shownBytes = 128 * 1024

/** The end of the stored log, from the beginning of a line; in bounded memory. */
export async function storedTail(
  id: string,
  deps: Pick<Deps, 'config' | 'store' | 'records' | 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<ShownLog> {
  const pieces: Uint8Array[] = []
  let length = 0
  let cut = false
  for await (const piece of storedLog(id, deps, signal)) {
    pieces.push(piece)
    length += piece.length
    for (let first = pieces[0]; first && length - first.length >= shownBytes; first = pieces[0]) {
      pieces.shift()
      length -= first.length
      cut = true
    }
  }
  const text = new TextDecoder().decode(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer())
  return { text: cut ? text.slice(text.indexOf('\n') + 1) : text, cut }
}
