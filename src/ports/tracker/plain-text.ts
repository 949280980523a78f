/**
 * Characters that have no glyph of their own or that move others about: controls, zero-width and direction marks, separators,
 * lone surrogates, noncharacters and tags. Shown as `\u{202e}`, so that nothing hides and nothing is lost.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{3164}\u{ffa0}\u{fdd0}-\u{fdef}\u{fffe}\u{ffff}]/gu

/** More combining marks than this on one character only smear over the neighbouring lines. */
const smear = /(\p{M}{4})\p{M}+/gu

/** Text of several lines as it may stand in a note: newlines kept, tabs as four spaces, what cannot be seen made visible. */
export function plainLines(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replaceAll('\t', '    ')
    .split('\n')
    .map((line) => reveal(line).trimEnd())
    .join('\n')
}

/** The same for text that stands in a line or a table cell: every run of white space becomes one space. */
export function plainLine(text: string): string {
  return reveal(text.replace(/[\s\u0085]+/g, ' ')).trim()
}

/** Cuts after `max` characters (code points) and says so with an ellipsis. */
export function cutLine(text: string, max: number): string {
  const characters = [...text.slice(0, max * 2 + 2)]
  return characters.length <= max
    ? text
    : `${characters
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`
}

/** Cuts to at most `maxBytes` of UTF-8, at a line's end where one is near, and says how much is missing. */
export function cutLines(text: string, maxBytes: number): string {
  const total = byteLength(text)
  if (total <= maxBytes) return text
  const bytes = new TextEncoder().encode(text.slice(0, maxBytes)).slice(0, maxBytes - 64)
  let kept = new TextDecoder().decode(bytes).replace(/\ufffd+$/, '')
  const lastLine = kept.lastIndexOf('\n')
  if (lastLine > kept.length / 2) kept = kept.slice(0, lastLine)
  return `${kept}\n[… cut: ${total - byteLength(kept)} of ${total} bytes left out]`
}

/** Bytes in UTF-8. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

function reveal(text: string): string {
  return text.replace(unseen, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`).replace(smear, '$1')
}
