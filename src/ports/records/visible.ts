import { type Expression, expressionBuilder, type SqlBool } from 'kysely'

/** What a rule of the policy lets its callers read. */
interface Rule {
  readonly clusters: readonly string[]
  readonly namespaces: readonly string[]
}

/** Any table with columns of these names. */
interface Placed {
  readonly placed: { cluster: string | null; namespace: string | null }
}

const eb = expressionBuilder<Placed, 'placed'>()

/**
 * Whether any of the rules lets a row be read: its cluster and its namespace by the same rule. A row without a cluster or a namespace
 * is for those alone who may read everything. No rules, no rows.
 */
export function visibleBy(rules: readonly Rule[]): Expression<SqlBool> {
  if (rules.some(({ clusters, namespaces }) => clusters.some(isAll) && namespaces.some(isAll))) return eb.lit(true)
  const visible = rules.map((rule) => eb.and([anyOf('cluster', rule.clusters), anyOf('namespace', rule.namespaces)]))
  return eb.and([eb('cluster', 'is not', null), eb('namespace', 'is not', null), eb.or(visible)])
}

const isAll = (pattern: string): boolean => /^\*+$/.test(pattern)

/** `eb.or([])` is false: who may see nothing sees nothing. */
function anyOf(column: 'cluster' | 'namespace', patterns: readonly string[]): Expression<SqlBool> {
  return eb.or(patterns.map((pattern) => like(column, pattern)))
}

/** One parameter at most, and a pattern of LIKE no longer than what was given: D1 limits both. */
function like(column: 'cluster' | 'namespace', pattern: string): Expression<SqlBool> {
  if (isAll(pattern)) return eb.lit(true)
  if (!pattern.includes('*')) return eb(column, '=', pattern)
  // What names of clusters and namespaces never have: %, _ and \ mean something to LIKE, which takes a capital for its small letter in SQLite.
  if (/[^-a-z0-9.*]/.test(pattern)) return eb.lit(false)
  return eb(column, 'like', pattern.replace(/\*+/g, '%'))
}
