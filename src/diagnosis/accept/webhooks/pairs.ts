const maxPairs = 50
const maxLength = 65_536
const line = /^[ \t]*(?:[-*] )?([A-Za-z_][\w.-]{0,62})(?:[ \t]*=[ \t]*|[ \t]*:[ \t]+)(\S.*)$/

/**
 * The pairs in what a person or a program wrote: fields of an object, and lines `name: value`, `name = value` and ` - name = value`, the
 * last of which is how Alertmanager lists labels. Of a name the first counts; at most 50 pairs, of the first 64 Ki characters of a text.
 */
export function pairsOf(details: unknown): Record<string, string> {
  const pairs = new Map<string, string>()
  const add = (name: string, value: string) => {
    if (pairs.size < maxPairs && !pairs.has(name)) pairs.set(name, value)
  }
  const addLines = (text: string) => {
    for (const one of text.slice(0, maxLength).split(/\r?\n/)) {
      const [, name, value] = line.exec(one) ?? []
      if (name !== undefined && value !== undefined) add(name, value.trimEnd())
    }
  }
  if (typeof details === 'string') addLines(details)
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return Object.fromEntries(pairs)
  for (const [name, value] of Object.entries(details)) {
    if (typeof value === 'number' || typeof value === 'boolean') add(name, String(value))
    else if (typeof value === 'string' && /[\r\n]/.test(value)) addLines(value)
    else if (typeof value === 'string' && value !== '') add(name, value)
  }
  return Object.fromEntries(pairs)
}
