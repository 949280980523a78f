import { hidden } from './redactor.ts'
import { namesSecret } from './secret-words.ts'

/** Counts under which a value is reported that was hidden for its key. */
const rule = 'password-pair'
const flag = /^--?[\w-]{1,128}$/

/**
 * A copy of a JSON value in which `text` redacted every string. Whole strings are hidden under a key that names a secret, in
 * `{name, value}` pairs whose name does (environment variables, HTTP headers), and after a command line flag that does.
 * Of objects under such a key the `value` is hidden; others, as `serviceAccountToken` of a projected volume, are walked like any other.
 */
export function redactJson(value: unknown, text: (text: string) => string, count: (rule: string) => void): unknown {
  const hide = (secret: string): string => {
    if (secret === '' || secret === hidden || /^(?:true|false|null|none)$/i.test(secret)) return secret
    count(rule)
    return hidden
  }
  const walk = (node: unknown, secret: boolean): unknown => {
    if (typeof node === 'string') return secret ? hide(node) : text(node)
    if (Array.isArray(node)) return node.map((item, index) => walk(item, secret || (typeof item === 'string' && isArgument(node[index - 1], item))))
    if (typeof node !== 'object' || node === null) return node
    const named = 'name' in node && typeof node.name === 'string' && namesSecret(node.name)
    return Object.fromEntries(
      Object.entries(node).map(([key, child]) => [key, walk(child, namesSecret(key) || ((named || secret) && key === 'value'))]),
    )
  }
  return walk(value, false)
}

function isArgument(before: unknown, item: string): boolean {
  return typeof before === 'string' && flag.test(before) && namesSecret(before) && !item.startsWith('-')
}

/**
 * Lets `lines` change the text of a JSON value, a key and its value a line, as patterns in redactor files expect it. Should the text not be
 * JSON any more, the scalars on the lines that changed are hidden whole instead.
 */
export function redactJsonText(value: unknown, lines: (text: string) => string): unknown {
  const before = JSON.stringify(value, null, 2) ?? ''
  const after = lines(before)
  if (after === before) return value
  try {
    return JSON.parse(after)
  } catch {
    const changed = after.split('\n')
    const repaired = before.split('\n').map((line, index) => (line === changed[index] ? line : line.replace(scalar, `$1${JSON.stringify(hidden)}$2`)))
    return JSON.parse(repaired.join('\n'))
  }
}

/** The value on a line of indented JSON, unless it begins or ends a list or an object. */
const scalar = /^(\s*(?:"(?:[^"\\]|\\.)*": )?)(?:"(?:[^"\\]|\\.)*"|[-\w.+]+)(,?)$/
