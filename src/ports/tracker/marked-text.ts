import { digestOf } from './digest.ts'
import type { OwnNote } from './one-note.ts'

/** The text of a note with its marker line, what comes before the digest there, and the digest. */
export interface MarkedText {
  readonly whole: string
  readonly mark: string
  readonly digest: string
}

/**
 * The text with a last line that trackers of Textile and Markdown do not show: `<!-- autodiagnose <marker> <digest> -->`, the digest being
 * of the text above it as we wrote it. So whether it says what it should, and whether a person has edited it since, can be told without memory.
 */
export async function markedText(marker: string, body: string): Promise<MarkedText> {
  const mark = `<!-- autodiagnose ${marker} `
  const digest = await digestOf(body)
  return { whole: `${body}\n\n${mark}${digest} -->`, mark, digest }
}

/** What a text of the tracker says of the marked one, or undefined if it has not its marker. The marker is a line of its own; no text of a pod can look like it. */
export async function ownNote(id: string, content: string, text: MarkedText): Promise<OwnNote | undefined> {
  const lines = content.replaceAll('\r\n', '\n').trimEnd().split('\n')
  const at = lines.findLastIndex((line) => line.startsWith(text.mark))
  const digest = /^([0-9a-f]{16}) -->\s*$/.exec(lines[at]?.slice(text.mark.length) ?? '')?.[1]
  if (digest === undefined) return undefined
  const intact = at === lines.length - 1 && (await digestOf(lines.slice(0, at).join('\n').trimEnd())) === digest
  return { id, says: digest === text.digest, intact }
}
