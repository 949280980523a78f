/** One pass over the lines of a text. Stages are chained; each makes up its mind line by line, so that no split of the text matters. */
export interface Stage {
  /** Takes whole lines, each with its newline but perhaps the last of the text, and returns what becomes of them. */
  lines(text: string): string
  /** Whether nothing that was seen so far has a say in what comes. */
  readonly idle: boolean
}
