import type { Config } from '../../config.ts'

/** A source that delivers alerts, and not commands. */
export type AlertSource = Extract<Config['sources'][string], { readonly relabel: unknown }>
export type RelabelRule = AlertSource['relabel'][number]
export type Labels = Readonly<Record<string, string>>

/** `rule` is the number of the rule that dropped the alert, from 0. */
export type Relabelled = { readonly kind: 'kept'; readonly labels: Labels } | { readonly kind: 'dropped'; readonly rule: number }

/** A value of more characters matches no rule; a namespace, a pod and a container of any length fit. */
export const maxMatched = 512
/** Of these each may try every length, so that the work for one value is at most about maxMatched³ / 6 steps. */
const maxOpen = 3

/**
 * Changes labels as Prometheus does: the values of the source labels, joined by the separator, are matched as a whole, where `.` is any
 * character, also the end of a line. `replace` sets the target label, or takes it away where the replacement comes out empty; a rule that
 * does not match changes nothing. A label that is missing is empty. The rules must have passed {@link complainAboutRelabel}.
 * Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 */
export function relabel(labels: Labels, rules: readonly RelabelRule[]): Relabelled {
  const now = new Map(Object.entries(labels))
  for (const [at, rule] of rules.entries()) {
    const value = rule.sourceLabels.map((name) => now.get(name) ?? '').join(rule.separator)
    const match = value.length > maxMatched ? null : anchored(rule.regex).exec(value)
    if (rule.action === 'replace') {
      if (match && rule.targetLabel !== undefined) set(now, rule.targetLabel, expand(rule.replacement, match))
    } else if ((match !== null) !== (rule.action === 'keep')) return { kind: 'dropped', rule: at }
  }
  return { kind: 'kept', labels: Object.fromEntries(now) }
}

function set(labels: Map<string, string>, name: string, value: string): void {
  if (value === '') labels.delete(name)
  else labels.set(name, value)
}

function anchored(regex: string): RegExp {
  return new RegExp(`^(?:${regex})$`, 'su')
}

/** `$1` and `${1}` are groups, `${name}` is a named one, `$$` is a dollar. */
const references = /\$(?:\$|(\d+)|\{(\w+)\})/g

function expand(replacement: string, match: RegExpExecArray): string {
  return replacement.replace(references, (_, number?: string, name?: string) => {
    const group = number ?? name
    if (group === undefined) return '$'
    return (/^\d+$/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? ''
  })
}

/**
 * What is wrong with a rule, or undefined. Regular expressions of JavaScript try one way after another, and labels come from outside; so
 * what may take very long is refused at start: a group that is repeated while it repeats or chooses inside, more than three
 * repetitions of open length, references to groups, and looking ahead or behind.
 */
export function complainAboutRelabel(rule: RelabelRule): string | undefined {
  const { action, regex, sourceLabels, targetLabel, replacement } = rule
  if (action === 'replace' && targetLabel === undefined) return 'targetLabel: name the label that is set'
  if (action !== 'replace' && targetLabel !== undefined) return `targetLabel: "${action}" sets no label; leave it out`
  if (action !== 'replace' && sourceLabels.length === 0) return `sourceLabels: name the labels that "${action}" looks at`
  const complaint = complainAboutRegex(regex)
  if (complaint !== undefined) return `regex: "${regex}" ${complaint}`
  if (action !== 'replace') return undefined
  const empty = new RegExp(`${regex}|`, 'su').exec('')
  const missing = [...replacement.matchAll(references)].find(([, number, name]) => !isGroup(number ?? name, empty))
  return missing ? `replacement: "${missing[0]}" is no group of "${regex}"` : undefined
}

/** An expression that may be empty always matches, and its match has all groups. */
function isGroup(group: string | undefined, match: RegExpExecArray | null): boolean {
  if (group === undefined) return true
  return /^\d+$/.test(group) ? Number(group) < (match?.length ?? 0) : Object.hasOwn(match?.groups ?? {}, group)
}

function complainAboutRegex(regex: string): string | undefined {
  try {
    new RegExp(regex, 'su')
  } catch (error) {
    return `is no regular expression: ${error instanceof Error ? error.message : String(error)}`
  }
  if (/\\[1-9k]/.test(regex.replaceAll('\\\\', ''))) return 'refers to one of its groups, which is not supported'
  if (/\(\?<?[=!]/.test(regex.replace(/\\./gsu, '').replace(/\[[^\]]*\]/g, ''))) return 'looks ahead or behind, which is not supported'
  return complainAboutRepetitions(regex)
}

/** Walks over the tokens of an expression that is known to be one: escapes, classes, groups, quantifiers. */
const tokens = /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:[a-z-]*:|<\w+>))?|\)|\||[*+?]\??|\{\d+(?:,\d*)?\}\??|./gsu

function complainAboutRepetitions(regex: string): string | undefined {
  // For each group that is open, and for the whole: whether there are several ways to match inside of it.
  const groups = [false]
  let closed = false
  let open = 0
  for (const [token] of regex.matchAll(tokens)) {
    const repeats = /^[*+{]/.test(token)
    const varies = repeats && !/^\{\d+\}/.test(token)
    if (repeats && closed) return 'repeats a group that itself repeats or chooses: that may take very long; write it without the inner or outer one'
    if (varies) open += 1
    if (token.startsWith('(')) groups.push(false)
    if (varies || token === '|' || token.startsWith('?')) groups[groups.length - 1] = true
    closed = token === ')' && groups.pop() === true
    // What is inside is inside of the group around, too.
    if (closed) groups[groups.length - 1] = true
  }
  return open > maxOpen ? `repeats at ${open} places, at most ${maxOpen} may be of open length: use several rules` : undefined
}
