import { colour } from './rule.ts'

/** Where a value stands in a line: `from` and `to` frame what is hidden, without its quotes. */
export interface Value {
  readonly from: number
  readonly to: number
  readonly quoted: boolean
}

const opening = /[bru]?(\\{0,15})(["'`])/y
const escapedEnd = new RegExp(String.raw`^(?:%26|\\u0026|\\[nrt]|${colour})`, 'i')
/** Begins the code of a colour, which ends a value. */
const escapeCode = '\u001b'

/** How far an unquoted value goes: to a space, to the next key, or as far as a scalar of YAML, to a comment or the end. */
export type Extent = 'word' | 'phrase' | 'scalar'

/** The value that begins at `from`. */
export function valueAt(line: string, from: number, extent: Extent): Value {
  opening.lastIndex = from
  const open = opening.exec(line)
  if (open?.[1] !== undefined && open[2] !== undefined) {
    const start = opening.lastIndex
    return { from: start, to: endOfQuoted(line, start, open[1].length, open[2]), quoted: true }
  }
  return { from, to: extent === 'scalar' ? endOfScalar(line, from) : endOfWord(line, from, extent === 'phrase'), quoted: false }
}

/**
 * The end of a quoted value whose opening quote has `depth` backslashes before it: 0 in a line, 1 in JSON inside a string, 3 one deeper.
 * Inside, a quote with more backslashes is part of the value if what remains of them, once the outer levels are taken off, is odd.
 */
function endOfQuoted(line: string, from: number, depth: number, quote: string): number {
  for (let at = line.indexOf(quote, from); at >= 0; at = line.indexOf(quote, at + 1)) {
    let backslashes = 0
    while (at - backslashes > from && line[at - backslashes - 1] === '\\') backslashes++
    if (backslashes < depth) return at - backslashes
    if (quote === "'" && backslashes === 0 && line[at + 1] === quote) {
      at++ // YAML and SQL double it
      continue
    }
    const inner = Math.floor((backslashes - depth) / (depth + 1))
    if (inner % 2 === 0) return at - depth
  }
  return line.endsWith('\r') ? line.length - 1 : line.length
}

/** An unquoted value ends at a space, and at a delimiter after which the line goes on with something else. */
function endOfWord(line: string, from: number, spaces: boolean): number {
  let at = from
  for (; at < line.length; at++) {
    const char = line[at] as string
    if (char === ' ' || char === '\t') {
      if (!spaces || /^\s+(?:#|[\w.-]{1,64}(?:\s?:|=[^=\s])|$)/.test(line.slice(at, at + 80))) break
    } else if (char === '\r' || char === '"' || char === escapeCode || (char === '<' && at > from)) break
    else if (char === ':' && /^\s/.test(line[at + 1] ?? '')) break
    else if (",;&|)}]'".includes(char)) {
      const rest = line.slice(at + 1, at + 67)
      if (rest === '' || /^(?:\s|[,;&|)}\]"'\\]|[\w.%-]{1,64}[=:])/.test(rest)) break
    } else if (char === '%' || char === '\\') {
      if (escapedEnd.test(line.slice(at, at + 32)) || /^\\+["']/.test(line.slice(at, at + 17))) break
    }
  }
  return at
}

function endOfScalar(line: string, from: number): number {
  const comment = line.indexOf(' #', from)
  return from + line.slice(from, comment < 0 ? undefined : comment).trimEnd().length
}
