import { lineType } from 'tap-parser'

/** Of test points beyond this, no more is read of their YAML than who they are and how bad: a pod may print what it likes. */
const maxPoints = 1000
/** The same holds for what is longer, of one point and of all together, in characters. */
const maxYaml = 65_536
const maxYamlOfAll = 4 * 1024 ** 2
/** Of such a block, so many lines are read. */
const maxKnown = 16
const known = /^ {2}((check|id|severity): \S{1,100})\s*$/
/** What the runner says: the last of each kind counts. */
const said = /^# (check [a-z0-9-]{1,63}|autodiagnose (?:cut|stopped|expired|target) .{1,200})\s*$/

/**
 * What of a log the parser needs, line by line. It keeps comments, what is no TAP, and the blocks of YAML and of subtests that are open,
 * however much there is of them: 8 MiB of such are more than a Worker's memory. Subtests are none of a runner's.
 */
export class TapLines {
  private points = 0
  private hasPlan = false
  private hasPoint = false
  /** Indentation of the open block of YAML. */
  private indent: string | undefined
  private yaml = 0
  private yamlOfAll = 0
  private knownLines = 0
  private readonly comments = new Map<string, string>()

  /** Takes one line with its newline, gives the lines to parse now. */
  take(given: string): readonly string[] {
    // The parser takes these for ends of lines, and waits for their rest for ever.
    const line = given.replace(/\r\n$/, '\n').replace(/[\r\u2028\u2029]/g, ' ')
    if (/^[ \t\n]/.test(line)) return this.indented(line)
    if (!/^(#|\d|not ok|ok|pragma|tap version|bail out!)/i.test(line)) return []
    const type = lineType(line)?.[0]
    if (type === undefined) return []
    if (type === 'comment') {
      const [, words = ''] = said.exec(line) ?? []
      if (words !== '') this.say(/^\S+( cut| stopped| expired| target)?/.exec(words)?.[0] ?? '', line)
      return []
    }
    const inYaml = this.indent !== undefined
    this.indent = undefined
    if (type === 'testPoint') {
      this.points += 1
      this.yaml = 0
      this.knownLines = 0
      this.hasPoint = true
      // A brace at its end would begin a subtest.
      return [...this.flush(), line.replace(/[\s{]+$/, '\n')]
    }
    const isNew = (type === 'plan' && !this.hasPlan) || (type === 'version' && this.points === 0) || type === 'bailout'
    if (type === 'plan') this.hasPlan = true
    // A pragma ends a point; another plan or version is no TAP, and does not.
    if (type === 'pragma' || isNew || inYaml) this.hasPoint = false
    if (!inYaml && !isNew) return []
    // Strict, it would keep everything else as a failure.
    return [...this.flush(), type === 'pragma' ? 'pragma -strict\n' : line]
  }

  /** The comments that no test point followed. */
  flush(): readonly string[] {
    const lines = [...this.comments.values()]
    this.comments.clear()
    return lines
  }

  private say(kind: string, line: string): void {
    this.comments.delete(kind)
    this.comments.set(kind, line)
  }

  private indented(line: string): readonly string[] {
    const { indent } = this
    if (indent === undefined) {
      const [, begun] = /^([ \t]+)---\n$/.exec(line) ?? []
      if (begun === undefined || !this.hasPoint || (this.isFull && begun !== '  ')) return []
      this.indent = begun
      return [line]
    }
    if (line !== '\n' && !line.startsWith(indent)) {
      // The block was none, and the parser has to know; what the line says does not matter.
      this.indent = undefined
      this.hasPoint = false
      return [`${line.charAt(0)}\n`]
    }
    if (line === `${indent}...\n`) {
      this.indent = undefined
      return [line]
    }
    if (this.isFull) return known.test(line) && this.knownLines++ < maxKnown ? [line] : []
    this.yaml += line.length
    this.yamlOfAll += line.length
    return [line]
  }

  private get isFull(): boolean {
    return this.points > maxPoints || this.yaml > maxYaml || this.yamlOfAll > maxYamlOfAll
  }
}
