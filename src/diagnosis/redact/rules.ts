import { formats, formatTrigger, hideFormats } from './format-rules.ts'
import { headerRules } from './header-rules.ts'
import { pairRules } from './pair-rules.ts'
import { privateKeyRule } from './private-key.ts'
import { hidden } from './redactor.ts'
import type { Rule } from './rule.ts'
import { urlRules } from './url-rules.ts'

const lineRules: readonly Rule[] = [privateKeyRule, ...urlRules, ...headerRules, ...pairRules]
/** The secret access key that stands beside its key id has no form of its own, so it goes before the id does. */
const beside = /((?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}[\s"',:;=|]{1,8})([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/g

/** Name, purpose, source and example of every built-in rule, in the order in which they are applied. */
export const rules: readonly Pick<Rule, 'name' | 'hides' | 'source' | 'example'>[] = [...lineRules, ...formats]

const triggers = lineRules.map((rule) => new RegExp(rule.triggers.join('|'), 'i'))
const words = [...new Set(lineRules.flatMap((rule) => rule.triggers))]
const alone = (trigger: string) => trigger.startsWith('@')
/** Three searches are faster than one: the engine has shortcuts for few alternatives, and for those that begin with several literal characters. */
const searches = [
  new RegExp(words.filter((word) => !alone(word)).join('|'), 'gi'),
  new RegExp(words.filter(alone).join('|'), 'g'),
  new RegExp(formatTrigger, 'g'),
]

/**
 * Finds the lines of a text that some rule could change: all others are passed on untouched, which is what makes redaction fast.
 * Returns a function that gives the index of the first hit from an index on, or -1; to be asked with rising indices.
 */
export function hitsIn(text: string): (from: number) => number {
  const next = searches.map(() => -1)
  return (from) => {
    let first = Number.POSITIVE_INFINITY
    searches.forEach((search, index) => {
      if ((next[index] as number) < from) {
        search.lastIndex = from
        next[index] = search.exec(text)?.index ?? Number.POSITIVE_INFINITY
      }
      first = Math.min(first, next[index] as number)
    })
    return Number.isFinite(first) ? first : -1
  }
}

/** All rules that need one line only. */
export function redactLine(line: string, count: (rule: string) => void): string {
  let out = line
  lineRules.forEach((rule, index) => {
    if (triggers[index]?.test(out)) out = rule.apply(out, () => count(rule.name))
  })
  out = out.replace(beside, (_, kept: string) => {
    count('aws-access-key-id')
    return kept + hidden
  })
  return hideFormats(out, count)
}
