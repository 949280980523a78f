import { type ConfigInput, configSchema } from '../config.ts'
import { complainAboutCheckPattern } from '../diagnosis/admit/check-pattern.ts'
import { matches } from '../diagnosis/matches.ts'
import { intakeProblems } from './config-intake-checks.ts'
import { isMap, type Problem } from './config-problems.ts'
import { didYouMean } from './did-you-mean.ts'

const { shape } = configSchema
/** What refers to something else in the file. The rest may be wrong, and all the same these are looked at. */
const referring = configSchema.pick({ clusters: true, trackers: true, sources: true, principals: true, policy: true })

/** What the schema cannot see: names that nothing has, and what is there twice. Nothing while the schema refuses these parts. */
export function crossProblems(input: unknown): Problem[] {
  if (!isMap(input)) return []
  const parsed = referring.safeParse(Object.fromEntries(Object.keys(referring.shape).map((key) => [key, input[key]])))
  const store = shape.store.safeParse(input.store)
  return [...(store.success ? credentialProblems(store.data) : []), ...(parsed.success ? policyProblems(parsed.data) : []), ...intakeProblems(input)]
}

type Referring = ReturnType<typeof referring.parse>

function policyProblems({ clusters, trackers, sources, principals, policy }: Referring): Problem[] {
  const names = principals.map((principal) => principal.name)
  const hashes = principals.flatMap(({ tokenHashes, name }, p) =>
    tokenHashes.map((hash, h) => ({ hash, name, path: ['principals', p, 'tokenHashes', h] })),
  )
  return [
    ...names.flatMap((name, n) =>
      names.indexOf(name) < n
        ? [{ path: ['principals', n, 'name'], message: `"${name}" is already the name of principals[${names.indexOf(name)}]` }]
        : [],
    ),
    ...hashes.flatMap(({ hash, path }, n) => {
      const first = hashes.findIndex((other) => other.hash === hash)
      return first < n ? [{ path, message: `this token is already one of "${hashes[first]?.name}"; every token belongs to one principal, once` }] : []
    }),
    ...policy.flatMap((rule, n) => [
      ...unmatched(rule.principals, [...names, ...Object.keys(sources)], ['policy', n, 'principals'], 'principal or source'),
      ...unmatched(rule.clusters, Object.keys(clusters), ['policy', n, 'clusters'], 'cluster'),
      ...reportProblems(rule.reports, Object.keys(trackers), ['policy', n, 'reports']),
      ...rule.checks.flatMap((pattern, at) => {
        const message = complainAboutCheckPattern(pattern)
        return message === undefined ? [] : [{ path: ['policy', n, 'checks', at], message }]
      }),
      ...rule.namespaces.flatMap((namespace, at) =>
        namespace === 'kube-system' ? [{ path: ['policy', n, 'namespaces', at], message: '"kube-system" is denied to everyone; take it out' }] : [],
      ),
    ]),
  ]
}

/** `*` alone may stand before anything is there. */
function unmatched(patterns: readonly string[], names: readonly string[], path: readonly PropertyKey[], kind: string): Problem[] {
  return patterns.flatMap((pattern, n): Problem[] => {
    if (pattern === '*' || names.some((name) => matches(pattern, name))) return []
    const there = names.length > 0 ? `there are ${names.map((name) => `"${name}"`).join(', ')}` : 'there is none'
    return [{ path: [...path, n], message: `no ${kind} matches "${pattern}"${didYouMean(pattern, names)}; ${there}` }]
  })
}

function reportProblems(patterns: readonly string[], trackers: readonly string[], path: readonly PropertyKey[]): Problem[] {
  return patterns.flatMap((pattern, n): Problem[] => {
    const at = pattern.indexOf(':')
    if (at >= 0) return unmatched([pattern.slice(0, at)], trackers, path, 'tracker').map(({ message }) => ({ path: [...path, n], message }))
    // Without a colon the wildcard has to stand for it.
    if (pattern.includes('*')) return []
    return [{ path: [...path, n], message: `expected tracker:issue, got "${pattern}"; "${pattern}:*" stands for all issues of one tracker` }]
  })
}

function credentialProblems(store: NonNullable<ConfigInput['store']>): Problem[] {
  if (store.kind !== 's3' || (store.accessKeyId === undefined) === (store.secretAccessKey === undefined)) return []
  const missing = store.accessKeyId ? 'secretAccessKey' : 'accessKeyId'
  return [{ path: ['store', missing], message: 'expected with the other key, got nothing; set both, or neither to use the default chain of AWS' }]
}
