import type { Config } from '../../config.ts'
import type { Bounds } from '../bounds.ts'
import type { CheckRequest, Profile, ReportRef } from '../diagnosis.ts'
import { matches } from '../matches.ts'
import { reportText } from '../report-ref.ts'
import { matchesCheck } from './check-pattern.ts'

export type Policy = Config['policy']

/** What a request wants, in the dimensions that policy has. */
export interface Wanted {
  readonly cluster: string
  readonly target: { readonly namespace: string }
  readonly profile: Profile
  /** Absent: `core`. */
  readonly toolset?: string
  readonly checks: readonly CheckRequest[]
  readonly report?: ReportRef
}

export type Verdict = { readonly kind: 'allowed' } | { readonly kind: 'denied'; readonly dimension: Dimension; readonly message: string }
export type Dimension = 'principal' | 'cluster' | 'namespace' | 'profile' | 'toolset' | 'checks' | 'report'

/** Whoever may diagnose there could read what keeps the cluster safe; no rule allows it. */
const deniedNamespaces: readonly string[] = ['kube-system']

/**
 * Whether some rule allows all that is wanted at once; without one nothing is allowed. The message names the first
 * dimension in which none of the rules that are left matches.
 */
export function admit(policy: Policy, who: string, wanted: Wanted): Verdict {
  const { namespace } = wanted.target
  if (deniedNamespaces.includes(namespace)) return denied('namespace', `Nobody may diagnose in namespace "${namespace}"`)
  let rules: Policy = rulesOf(policy, who)
  if (rules.length === 0) return denied('principal', `No rule of the policy allows "${who}" anything`)
  for (const [dimension, matches, message] of dimensions(who, wanted)) {
    rules = rules.filter(matches)
    if (rules.length === 0) return denied(dimension, message)
  }
  return { kind: 'allowed' }
}

/** What the pod's owners may choose is what the requester could have asked for in the same request. */
export function boundDeclared(policy: Policy, request: Wanted & { readonly requester: string }): Bounds {
  const who = request.requester
  const others = dimensions(who, request).filter(([dimension]) => dimension !== 'checks')
  const rules = rulesOf(policy, who).filter((rule) => others.every(([, matches]) => matches(rule)))
  const patterns = [...new Set(rules.flatMap(({ checks }) => checks))].map((pattern) => `"${pattern}"`).join(', ') || 'no checks'
  const message = `policy allows "${who}" ${patterns} in namespace "${request.target.namespace}": have a rule allow this one, or take it out`
  return {
    check: (check) => (admit(policy, who, { ...request, checks: [check] }).kind === 'allowed' ? undefined : message),
    use(toolset, profile) {
      const verdict = admit(policy, who, { ...request, toolset, profile })
      return verdict.kind === 'denied' ? `${verdict.message}: have a rule of the policy allow it, or take it out` : undefined
    },
  }
}

type Rule = Policy[number]

function dimensions(who: string, wanted: Wanted): readonly (readonly [Dimension, (rule: Rule) => boolean, string])[] {
  const { cluster, profile, toolset = 'core', checks, report } = wanted
  const { namespace } = wanted.target
  const names = checks.length > 0 ? checks.map((check) => `"${textOf(check)}"`).join(', ') : 'the default checks'
  const target = report && reportText(report)
  return [
    ['cluster', (rule) => matchesAny(rule.clusters, cluster), `Cluster "${cluster}" is not among those that "${who}" may use`],
    [
      'namespace',
      (rule) => matchesAny(rule.namespaces, namespace),
      `Namespace "${namespace}" is not among those that "${who}" may diagnose in cluster "${cluster}"`,
    ],
    [
      'profile',
      (rule) => rule.profiles.includes(profile),
      `Profile "${profile}" is not among those that "${who}" may use in namespace "${namespace}"`,
    ],
    [
      'toolset',
      (rule) => matchesAny(rule.toolsets, toolset),
      `Toolset "${toolset}" is not among those that "${who}" may use in namespace "${namespace}" with profile "${profile}"`,
    ],
    ['checks', (rule) => allowsChecks(rule, checks), `No rule allows "${who}" all of ${names} in namespace "${namespace}"`],
    [
      'report',
      (rule) => target === undefined || matchesAny(rule.reports, target),
      `Report "${target}" is not among those that "${who}" may write to for this request`,
    ],
  ]
}

/** Without checks the default set is wanted, which is allowed by its name `default`, or by `*`. */
function allowsChecks(rule: Rule, checks: readonly CheckRequest[]): boolean {
  if (checks.length === 0) return matchesAny(rule.checks, 'default')
  return checks.every((check) => rule.checks.some((pattern) => matchesCheck(pattern, check)))
}

function textOf(check: CheckRequest): string {
  return check.param === undefined ? check.name : `${check.name}=${check.param}`
}

/** What the caller may see: reading is checked like creating, by cluster and namespace. For the filter of the records. */
export function visibleTo(policy: Policy, who: string): readonly { readonly clusters: readonly string[]; readonly namespaces: readonly string[] }[] {
  return rulesOf(policy, who).map(({ clusters, namespaces }) => ({ clusters, namespaces }))
}

/** Whether the caller may read, and cancel, a diagnosis. */
export function maySee(policy: Policy, who: string, diagnosis: Pick<Wanted, 'cluster' | 'target'>): boolean {
  const { cluster, target } = diagnosis
  if (deniedNamespaces.includes(target.namespace)) return false
  return rulesOf(policy, who).some((rule) => matchesAny(rule.clusters, cluster) && matchesAny(rule.namespaces, target.namespace))
}

/** Those of the clusters that some rule lets the caller use. */
export function clustersOf(policy: Policy, who: string, clusters: readonly string[]): readonly string[] {
  const rules = rulesOf(policy, who)
  return clusters.filter((cluster) => rules.some((rule) => matchesAny(rule.clusters, cluster)))
}

/** Whether the caller may pause and resume injection. */
export function isOperator(policy: Policy, who: string): boolean {
  return rulesOf(policy, who).some((rule) => rule.operator)
}

function rulesOf(policy: Policy, who: string): Rule[] {
  return policy.filter((rule) => matchesAny(rule.principals, who))
}

function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matches(pattern, text))
}

function denied(dimension: Dimension, message: string): Verdict {
  return { kind: 'denied', dimension, message }
}
