import type { RedactionCounts, RedactionStream } from './redactor.ts'
import type { Stage } from './stage.ts'

/** Characters of a line in a stream, beyond which it is dropped. */
const longestLine = 65_536

/** What stands for a line that was dropped. */
const droppedLine = (limit: number) => `***HIDDEN: a line of more than ${limit} characters was dropped***`

/** Counts what was removed, by rule. */
export class Tally {
  readonly counts: Record<string, number> = {}
  readonly add = (rule: string): void => {
    this.counts[rule] = (this.counts[rule] ?? 0) + 1
  }
}

/** Cuts a stream into whole lines for its stages. Only the last, unfinished line is held back. */
export class LineStream implements RedactionStream {
  readonly #stages: readonly Stage[]
  readonly #tally: Tally
  readonly #limit: number
  #held = ''
  #dropping = false

  constructor(stages: readonly Stage[], tally: Tally, limit = longestLine) {
    this.#stages = stages
    this.#tally = tally
    this.#limit = limit
  }

  get neutral(): boolean {
    return this.#held === '' && !this.#dropping && this.#stages.every((stage) => stage.idle)
  }

  get counts(): RedactionCounts {
    return { ...this.#tally.counts }
  }

  push(piece: string): string {
    const newline = piece.lastIndexOf('\n')
    if (newline < 0) {
      this.#hold(piece)
      return ''
    }
    const first = piece.indexOf('\n')
    this.#hold(piece.slice(0, first))
    const head = this.#take()
    const body = this.#withoutOverlong(piece.slice(first, newline + 1))
    this.#hold(piece.slice(newline + 1))
    return this.#run(head + body)
  }

  flush(): string {
    return this.#run(this.#take())
  }

  #run(text: string): string {
    return text === '' ? '' : this.#stages.reduce((lines, stage) => stage.lines(lines), text)
  }

  #hold(part: string): void {
    if (this.#dropping) return
    this.#held += part
    if (this.#held.length <= this.#limit) return
    this.#held = ''
    this.#dropping = true
    this.#tally.add('overlong')
  }

  #take(): string {
    const line = this.#dropping ? droppedLine(this.#limit) : this.#held
    this.#held = ''
    this.#dropping = false
    return line
  }

  /** `text` begins and ends with a newline; lines between them that are too long are replaced. */
  #withoutOverlong(text: string): string {
    if (text.length <= this.#limit) return text
    let out = ''
    let at = 1
    let kept = 0
    while (at < text.length) {
      const newline = text.lastIndexOf('\n', at + this.#limit)
      if (newline >= at) {
        at = newline + 1
        continue
      }
      const next = text.indexOf('\n', at)
      out += text.slice(kept, at) + droppedLine(this.#limit)
      this.#tally.add('overlong')
      kept = next
      at = next + 1
    }
    return out + text.slice(kept)
  }
}
