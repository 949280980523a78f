import { type GoRegExp, matchesOf } from './go-regexp.ts'
import { hidden } from './redactor.ts'
import type { Stage } from './stage.ts'
import type { FileRedactor } from './troubleshoot.ts'

/** The removals of a redactor file's redactor, in Troubleshoot's order: first its values, then its patterns, each over all lines. */
export function fileStages(redactor: FileRedactor, count: (rule: string) => void): readonly Stage[] {
  return [
    ...redactor.values.map((value, index) => valueStage(value, () => count(`${redactor.name}.literal.${index}`))),
    ...redactor.regex.map(({ selector, redactor: pattern }, index) =>
      selector
        ? nextLineStage(selector, pattern, () => count(`${redactor.name}.multiLine.${index}`))
        : lineStage((line) => removeGroups(line, pattern, () => count(`${redactor.name}.regex.${index}`))),
    ),
  ]
}

function valueStage(value: string, count: () => void): Stage {
  return {
    idle: true,
    lines(text) {
      const parts = text.split(value)
      for (let i = 1; i < parts.length; i++) count()
      return parts.join(hidden)
    },
  }
}

/** A line that `selector` matches has the pattern applied to the next line, which then selects nothing itself. */
function nextLineStage(selector: GoRegExp, pattern: GoRegExp, count: () => void): Stage {
  let selected = false
  const stage = lineStage((line) => {
    if (selected) {
      selected = false
      return removeGroups(line, pattern, count)
    }
    selected = line.search(selector.regexp) >= 0
    return line
  })
  return {
    lines: stage.lines,
    get idle() {
      return !selected
    },
  }
}

function lineStage(change: (line: string) => string): Stage {
  return {
    idle: true,
    lines(text) {
      let out = ''
      for (let at = 0; at < text.length; ) {
        const newline = text.indexOf('\n', at)
        const end = newline < 0 ? text.length : newline
        out += change(text.slice(at, end)) + text.slice(end, end + 1)
        at = end + 1
      }
      return out
    },
  }
}

/**
 * What Troubleshoot makes of a match: groups named `mask` become the mask, groups named `drop` go, other groups stay, and so does nothing else
 * of the match: what is in no group is removed with it. Around the matches the line stays.
 */
function removeGroups(line: string, pattern: GoRegExp, count: () => void): string {
  let out = ''
  let done = 0
  for (const match of matchesOf(pattern, line)) {
    const end = match.index + match[0].length
    const shown = rewrite(line, match, pattern.groups)
    if (shown !== match[0]) count()
    out += line.slice(done, match.index) + shown
    done = end
  }
  return out + line.slice(done)
}

function rewrite(line: string, match: RegExpExecArray, groups: readonly string[]): string {
  const spans = groups.flatMap((name, index) => {
    const span = match.indices?.[index + 1]
    return span ? [{ name, from: span[0], to: span[1] }] : []
  })
  const end = match.index + match[0].length
  let out = ''
  let masked = match.index
  for (let at = match.index; at <= end; at++) {
    for (const { name, from, to } of spans) {
      if (name !== 'mask' || from !== at || (from < masked && to <= masked)) continue
      out += hidden
      masked = Math.max(masked, to)
    }
    const around = spans.filter((span) => span.from <= at && at < span.to)
    if (at >= masked && at < end && around.length > 0 && around.every((span) => span.name !== 'drop')) out += line[at]
  }
  return out
}
