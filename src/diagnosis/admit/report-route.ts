import type { Config } from '../../config.ts'
import type { ReportRoute } from '../diagnosis.ts'
import { matches } from './check-pattern.ts'

/** What a route may match beside the alert's own labels; where both have a name, this one counts. */
export interface RouteFacts {
  readonly cluster: string
  readonly namespace: string
  /** `kind/name` */
  readonly workload: string
  readonly alertname: string
  readonly source: string
}

/**
 * Where the report of an alert is opened: the first route counts that matches all of its labels, by any of the values that it lists. A
 * label that the alert lacks matches nothing, not even `*`. Undefined where no route matches, or the one that does says `none`.
 */
export function routeOf(labels: Readonly<Record<string, string>>, facts: RouteFacts, routes: Config['reports']['routes']): ReportRoute | undefined {
  const known = new Map([...Object.entries(labels), ...Object.entries(facts)])
  const route = routes.find(({ match }) =>
    Object.entries(match).every(([label, patterns]) => {
      const value = known.get(label)
      return value !== undefined && [patterns].flat().some((pattern) => matches(pattern, value))
    }),
  )
  if (!route || 'none' in route) return undefined
  const { tracker, project, labels: given, type } = route
  return { tracker, project, labels: given, ...(type === undefined ? {} : { type }) }
}
