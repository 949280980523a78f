import type { FactDifference } from '../comparison.ts'
import { farApart, type Measured, measure } from './numbers.ts'

/** What the checks printed beside findings, by check. */
export type Facts = ReadonlyMap<string, readonly string[]>

/** Of what a check printed, so much is looked at, and told. */
const maxLines = 400
const maxLinesOfAll = 1500
const maxRead = 400
const maxLength = 240
const maxTold = 8
const maxChecks = 20

/**
 * Reads facts from a log as it comes: the points that passed or were skipped, and the comments of the checks. Findings are left out, for they
 * are compared by themselves; so are the runner's own lines. A check that a second container ran again is told by that one.
 */
export class FactReader {
  private readonly facts = new Map<string, string[]>()
  private check: string | undefined
  private read = 0
  private held = ''

  /** Another container's log begins. */
  next(): void {
    this.line(this.held)
    this.held = ''
    this.check = undefined
  }

  push(text: string): void {
    const lines = (this.held + text).split('\n')
    this.held = (lines.pop() ?? '').slice(0, 65_536)
    for (const line of lines) this.line(line)
  }

  finish(): Facts {
    this.next()
    return this.facts
  }

  private line(line: string): void {
    const [, begun] = /^# check ([a-z0-9-]{1,63})\s*$/.exec(line) ?? []
    if (begun !== undefined) {
      this.check = begun
      this.facts.set(begun, [])
      return
    }
    const [, point, comment] = /^(?:ok \d+(?: - )?(.*)|#(?! autodiagnose)(.*))$/.exec(line) ?? []
    const fact = (point ?? comment)?.trimEnd()
    const lines = this.facts.get(this.check ?? '')
    if (!fact?.trim() || !lines || lines.length >= maxLines || this.read >= maxLinesOfAll) return
    this.read += 1
    lines.push(fact.trimStart().slice(0, maxRead))
  }
}

/**
 * What the target's facts and the replica's have each alone, by check. Lines that differ by addresses and ids say nothing; lines that differ by numbers
 * do where these are of another magnitude. `names`: of each pod, and its addresses.
 */
export function compareFacts(
  target: Facts,
  twin: Facts,
  names: { readonly target: readonly string[]; readonly twin: readonly string[] },
): FactDifference[] {
  const differences: FactDifference[] = []
  for (const [check, lines] of target) {
    const others = twin.get(check)
    if (!others) continue
    const [left, right] = differing(group(lines, names.target), group(others, names.twin))
    if (left.length + right.length > 0) differences.push({ check, target: bounded(left), twin: bounded(right) })
  }
  return differences.slice(0, maxChecks)
}

interface Line {
  readonly text: string
  readonly measured: Measured
}

function group(lines: readonly string[], names: readonly string[]): ReadonlyMap<string, readonly Line[]> {
  const groups = new Map<string, Line[]>()
  for (const text of lines) {
    const measured = measure(text, names)
    const same = groups.get(measured.shape)
    if (same) same.push({ text, measured })
    else groups.set(measured.shape, [{ text, measured }])
  }
  return groups
}

type Groups = ReadonlyMap<string, readonly Line[]>

function differing(target: Groups, twin: Groups): [readonly string[], readonly string[]] {
  const left: string[] = []
  const right: string[] = []
  for (const [shape, lines] of target) {
    const others = twin.get(shape)
    if (!others) continue
    if (muchMore(lines.length, others.length)) {
      left.push(said(lines))
      right.push(said(others))
    } else if (lines.length === others.length) {
      for (const [at, line] of lines.entries()) {
        const other = others[at] as Line
        if (!farApart(line.measured, other.measured)) continue
        left.push(line.text)
        right.push(other.text)
      }
    }
  }
  const [ofTarget, ofTwin] = withoutOrder(alone(target, twin), alone(twin, target))
  return [
    [...left, ...ofTarget],
    [...right, ...ofTwin],
  ]
}

const alone = (groups: Groups, others: Groups): Groups => new Map([...groups].filter(([shape]) => !others.has(shape)))

/** From so many words on, names in a row are a list, and of these so many may differ: one in three. */
const listWords = 20
const listShare = 3

/** Lists that are broken into lines elsewhere, or are in another order, say nothing; of those that have a few names more, these are told. */
function withoutOrder(target: Groups, twin: Groups): [readonly string[], readonly string[]] {
  const [left, right] = [wordsOf(target), wordsOf(twin)]
  const [ofTarget, ofTwin] = [without(left, right), without(right, left)]
  const differ = ofTarget.length + ofTwin.length
  if (differ === 0) return [[], []]
  const areNames = [...left, ...right].every((word) => /^[\w.-]+$/.test(word))
  if (areNames && left.length + right.length >= listWords && differ * listShare <= left.length + right.length)
    return [ofTarget.length > 0 ? [ofTarget.join(' ')] : [], ofTwin.length > 0 ? [ofTwin.join(' ')] : []]
  return [[...target.values()].map(said), [...twin.values()].map(said)]
}

const wordsOf = (groups: Groups): readonly string[] => [...groups].flatMap(([shape, lines]) => lines.flatMap(() => shape.split(' ')))

function without(words: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const word of others) left.set(word, (left.get(word) ?? 0) + 1)
  return words.filter((word) => {
    const count = left.get(word) ?? 0
    left.set(word, count - 1)
    return count <= 0
  })
}

const muchMore = (a: number, b: number): boolean => Math.abs(a - b) >= 3 && Math.max(a, b) >= 2 * Math.min(a, b)

const said = (lines: readonly Line[]): string => `${lines[0]?.text ?? ''}${lines.length > 1 ? ` (${lines.length} such lines)` : ''}`

function bounded(lines: readonly string[]): readonly string[] {
  const told = lines.slice(0, maxTold).map((line) => (line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line))
  return lines.length > maxTold ? [...told, `and ${lines.length - maxTold} more`] : told
}
