/** Takes secrets out of everything that is stored or sent. Which rules there are, is fixed when it is made (see `rules.ts`). */
export interface Redactor {
  /**
   * A stream of text. Whatever the pieces it is given in, the concatenated output is the same: property-tested.
   * `name` is the file's path in the bundle, for redactor files that select by file.
   */
  open(name: string): RedactionStream
  /** A whole text at once. */
  text(name: string, text: string): Redacted
  /** Every string inside a JSON value, keys kept; a value under a key such as `password` is removed whole. */
  json<T>(name: string, value: T): { readonly value: T; readonly counts: RedactionCounts }
}

export interface RedactionStream {
  /** Takes the next piece and returns what is certain. What is held back is capped at 64 KiB: beyond that it is dropped with a mark. */
  push(piece: string): string
  /** Returns the rest; the stream is over. */
  flush(): string
  /** Whether nothing is held back and no rule is in the middle of anything: a cursor may rest here, and a new stream continues. */
  readonly neutral: boolean
  /** What was removed so far, by rule, without the secrets. */
  readonly counts: RedactionCounts
}

export type RedactionCounts = Readonly<Record<string, number>>

export interface Redacted {
  readonly text: string
  readonly counts: RedactionCounts
}

/** What stands for a removed value, as in Troubleshoot. */
export const hidden = '***HIDDEN***'
