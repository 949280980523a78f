/** One built-in rule. A rule sees one line at a time and replaces nothing but the secret in it. */
export interface Rule {
  /** Stable: the report counts what was removed by this name. */
  readonly name: string
  /** What it hides, for the table in docs/redaction.md. */
  readonly hides: string
  /** Where the form of the secret is described. */
  readonly source: string
  /** A line with a secret that is made up. */
  readonly example: string
  /** Regular expressions, matched without regard to case, one of which hits in every line that the rule could change. */
  readonly triggers: readonly string[]
  /** The line without its secrets; `count` is called once for each. */
  apply(line: string, count: () => void): string
}

/** A rule for secrets that show by themselves, wherever they stand, such as `glpat-…`. */
export interface Format {
  readonly name: string
  readonly hides: string
  readonly source: string
  readonly example: string
  /** What it begins with. Case counts. */
  readonly prefix: string
  /** What to look for in a text instead of the prefix, if that does not begin with a literal and so is slow to search for. */
  readonly trigger?: string
  /** The rest of it. No capture groups. */
  readonly body: string
}

/** Source of a regular expression for a colour of the terminal, as it is and as JSON and others escape it. */
export const colour = String.raw`(?:\u001b|\\{1,8}(?:u001b|x1b|033|e))\[[\d;]{0,16}m`

/** Hides what the second group of `pattern` captured, and keeps the first. `accept` may spare a value that is no secret. */
export function hideSecond(line: string, pattern: RegExp, mark: string, count: () => void, accept: (secret: string) => boolean = () => true): string {
  return line.replace(pattern, (whole: string, kept: string, secret: string) => {
    if (secret.startsWith(mark) || !accept(secret)) return whole
    count()
    return kept + mark + whole.slice(kept.length + secret.length)
  })
}

/**
 * Whether a word is more likely made by a machine than written by a person: at least `length` characters with letters and digits in it,
 * or so long without a separator that no word is.
 */
export function looksRandom(word: string, length = 12): boolean {
  if (word.length < length) return false
  return (/\d/.test(word) && /[A-Za-z]/.test(word) && !/^[a-z]+([-_.][a-z0-9]{1,10})+$/.test(word)) || /[A-Za-z0-9+/=]{28}/.test(word)
}

/** The text of some base64, or nothing where it is none. */
export function decode(base64: string): string {
  try {
    return atob(base64.slice(0, base64.length - (base64.length % 4)))
  } catch {
    return ''
  }
}
