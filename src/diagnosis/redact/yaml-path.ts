import { isMap, isScalar, isSeq, parseAllDocuments, Scalar } from 'yaml'
import { hidden } from './redactor.ts'

/**
 * Replaces what stands at a `yamlPath` in a JSON value, whatever it is: `*` steps into every item of a list or map, a number into one item of
 * a list. Changes the value and returns how many places there were.
 */
export function hideAtPath(value: unknown, path: readonly string[]): number {
  const [step, ...rest] = path
  if (step === undefined || typeof value !== 'object' || value === null) return 0
  const node = value as Record<string, unknown>
  let count = 0
  for (const key of step === '*' ? Object.keys(node) : Object.hasOwn(node, step) ? [step] : []) {
    if (rest.length > 0) count += hideAtPath(node[key], rest)
    else {
      node[key] = hidden
      count++
    }
  }
  return count
}

/** The same in a whole text of YAML or JSON, by the ending of its name. What cannot be parsed, or has no such place, stays as it is. */
export function hideInDocument(name: string, text: string, path: readonly string[], count: () => void): string {
  const note = (places: number) => {
    for (let i = 0; i < places; i++) count()
    return places > 0
  }
  try {
    if (/\.json$/i.test(name)) {
      const value: unknown = JSON.parse(text)
      return note(hideAtPath(value, path)) ? `${JSON.stringify(value, null, 2)}\n` : text
    }
    if (!/\.ya?ml$/i.test(name)) return text
    const documents = parseAllDocuments(text)
    if (documents.some((document) => document.errors.length > 0)) return text
    const places = documents.map((document) => hideAtNode(document.contents, path)).reduce((sum, some) => sum + some, 0)
    return note(places) ? documents.map(String).join('') : text
  } catch {
    return text
  }
}

function hideAtNode(node: unknown, path: readonly string[]): number {
  const [step, ...rest] = path
  if (step === undefined) return 0
  let count = 0
  if (isMap(node)) {
    for (const pair of node.items) {
      if (step !== '*' && String(isScalar(pair.key) ? pair.key.value : pair.key) !== step) continue
      if (rest.length > 0) count += hideAtNode(pair.value, rest)
      else {
        pair.value = new Scalar(hidden)
        count++
      }
    }
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => {
      if (step !== '*' && String(index) !== step) return
      if (rest.length > 0) count += hideAtNode(item, rest)
      else {
        node.items[index] = new Scalar(hidden)
        count++
      }
    })
  }
  return count
}
