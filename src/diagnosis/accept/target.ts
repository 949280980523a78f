import type { Target } from '../diagnosis.ts'

const label = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?'
// The parts of a subdomain may be longer than 63; all of it is at most 253, which is looked at where it is used.
const subdomain = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*'
export const workloadKinds = ['deployment', 'statefulset', 'daemonset', 'replicaset', 'job', 'service'] as const

/** Names as Kubernetes has them: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
/** A namespace, and a container too. */
export const labelPattern = new RegExp(`^${label}$`)
export const podPattern = new RegExp(`^${label}/(?=[^/]{1,253}$)${subdomain}$`)
export const workloadPattern = new RegExp(`^${label}/(?:${workloadKinds.join('|')})/(?=[^/]{1,253}$)${subdomain}$`)
export const selectorPattern = new RegExp(`^${label}/.+$`)

export interface SelectorObject {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

/** `namespace/name` */
export function podTarget(text: string): Target {
  const [namespace = '', name = ''] = text.split('/')
  return { kind: 'pod', namespace, name }
}

/** `namespace/kind/name` */
export function workloadTarget(text: string): Target {
  const [namespace = '', workload = '', name = ''] = text.split('/')
  return { kind: 'workload', namespace, workload, name }
}

/** `namespace/selector`, where label keys may hold further slashes, or the object of the JSON form. */
export function selectorTarget(value: string | SelectorObject): Target {
  if (typeof value === 'string') {
    const slash = value.indexOf('/')
    return { kind: 'selector', namespace: value.slice(0, slash), selector: value.slice(slash + 1) }
  }
  const pairs = Object.entries(value.labels).map(([key, text]) => `${key}=${text}`)
  return { kind: 'selector', namespace: value.namespace, selector: pairs.sort().join(',') }
}

const word = '[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?'
const key = `(?:(?=[^/]{1,253}/)${subdomain}/)?${word}`
// Spaces belong to exactly one part of the pattern each, so that it never tries many ways to share them.
const values = `\\s*(?:${word}\\s*)?`
const requirement = new RegExp(
  `^\\s*(?:!\\s*${key}\\s*|${key}(?:\\s*(?:(?:==|=|!=)${values})?|\\s+(?:in|notin)\\s*\\(${values}(?:,${values})*\\)\\s*))$`,
)

/**
 * What is wrong with a label selector, or undefined. The grammar is that of the API:
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function complainAboutSelector(selector: string): string | undefined {
  if (selector.length > 1000) return `a selector has at most 1000 characters, this one has ${selector.length}`
  // Commas inside parentheses belong to a set.
  const parts = selector.split(/,(?![^(]*\))/)
  const bad = parts.find((part) => !requirement.test(part))
  return bad === undefined ? undefined : `"${bad}" is no label requirement; expected such as app=cart, tier!=web, !canary or app in (cart,shop)`
}
