import type { Config } from '../../config.ts'
import type { ReportRoute } from '../diagnosis.ts'
import { matches } from '../matches.ts'

/**
 * Where the report of an alert is opened: the first route counts that matches in all of its labels, each by any of the values that it lists.
 * A label that the alert lacks matches nothing, not even `*`. Undefined where no route matches, or the one that does says `none`.
 * `about` holds the labels, and over them cluster, namespace, workload (`kind/name`), alertname and source.
 */
export function routeOf(about: Readonly<Record<string, string>>, routes: Config['reports']['routes']): ReportRoute | undefined {
  const route = routes.find(({ match }) =>
    Object.entries(match).every(([label, patterns]) => {
      const value = Object.hasOwn(about, label) ? about[label] : undefined
      return value !== undefined && [patterns].flat().some((pattern) => matches(pattern, value))
    }),
  )
  if (!route || 'none' in route) return undefined
  const { tracker, project, labels: given, type } = route
  return { tracker, project, labels: given, ...(type === undefined ? {} : { type }) }
}
