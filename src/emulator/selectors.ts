import type { RawPod } from '../ports/cluster/cluster.ts'
import { badRequest } from './api-error.ts'

type Test = (pod: RawPod) => boolean

const fields: Readonly<Record<string, (pod: RawPod) => string>> = {
  'metadata.name': (pod) => pod.metadata.name,
  'metadata.namespace': (pod) => pod.metadata.namespace,
  'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
  'status.phase': (pod) => pod.status.phase ?? '',
}

/** `metadata.name=x,status.phase!=Failed`. Throws a 400 for a field that pods cannot be selected by. */
export function fieldTest(selector: string | undefined): Test {
  const tests = splitFields(selector).map(({ field, equal, value }): Test => {
    const read = fields[field]
    if (!read) throw badRequest(`field label not supported: ${field}`)
    return (pod) => (read(pod) === value) === equal
  })
  return (pod) => tests.every((test) => test(pod))
}

/** The terms of a field selector: `a=b`, `a==b` or `a!=b`, joined by commas. */
export function splitFields(selector: string | undefined): { field: string; equal: boolean; value: string }[] {
  return (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(term)
      if (!match) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`)
      return { field: match[1] ?? '', equal: match[2] !== '!=', value: match[3] ?? '' }
    })
}

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k`, as kubectl's -l. */
export function labelTest(selector: string | undefined): Test {
  const terms = (selector ?? '').match(/[^,(]+(\([^)]*\))?/g) ?? []
  const tests = terms.map((term) => labelTerm(term.trim()))
  return (pod) => tests.every((test) => test(pod))
}

function labelTerm(term: string): Test {
  const set = /^([\w./-]+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term)
  if (set) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim())
    return (pod) => values.includes(label(pod, set[1]) ?? '') === (set[2] === 'in')
  }
  const equality = /^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$/.exec(term)
  if (equality) return (pod) => (label(pod, equality[1]) === equality[3]) === (equality[2] !== '!=')
  const exists = /^(!?)\s*([\w./-]+)$/.exec(term)
  if (exists) return (pod) => (label(pod, exists[2]) !== undefined) === (exists[1] === '')
  throw badRequest(`unable to parse requirement: found '${term}'`)
}

const label = (pod: RawPod, key = '') => pod.metadata.labels?.[key]
