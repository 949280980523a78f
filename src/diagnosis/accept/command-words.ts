/** A word of a command; `quoted` if it begins with a quotation mark, so that it is no option whatever it looks like. */
export interface Word {
  readonly text: string
  readonly quoted: boolean
}

/** Marks that a keyboard, a phone or a word processor makes of `"` and `'`; within a row, any of them ends what another began. */
const quotationMarks = ['"“”„‟«»', "'‘’‚‛", '`'] as const

/**
 * The words of a line, separated by white space. Quotation marks hold words together where they begin a word or follow a `=`, up to one
 * that ends a word: so an apostrophe is a letter. Inside of double ones `\"` and `\\` are the characters themselves. A text is what is wrong.
 */
export function commandWords(line: string): Word[] | string {
  const words: Word[] = []
  let at = 0
  for (;;) {
    while (at < line.length && /\s/.test(line.charAt(at))) at++
    if (at >= line.length) return words
    const quoted = marksOf(line.charAt(at)) !== undefined
    let text = ''
    let opens = true
    while (at < line.length && !/\s/.test(line.charAt(at))) {
      const char = line.charAt(at)
      const marks = opens ? marksOf(char) : undefined
      if (marks === undefined) {
        text += char
        opens = char === '='
        at++
        continue
      }
      const quotation = readQuotation(line, at + 1, marks)
      if (!quotation) return `The quotation that begins with ${line.slice(at, at + 20)} has no end`
      text += quotation.text
      at = quotation.end
    }
    words.push({ text, quoted })
  }
}

function marksOf(char: string): string | undefined {
  return quotationMarks.find((marks) => marks.includes(char))
}

function readQuotation(line: string, from: number, marks: string): { readonly text: string; readonly end: number } | undefined {
  let text = ''
  for (let at = from; at < line.length; at++) {
    const char = line.charAt(at)
    const next = line.charAt(at + 1)
    if (char === '\\' && marks.includes('"') && (next === '\\' || (next !== '' && marks.includes(next)))) {
      text += next
      at++
    } else if (marks.includes(char) && (next === '' || /\s/.test(next))) return { text, end: at + 1 }
    else text += char
  }
  return undefined
}
