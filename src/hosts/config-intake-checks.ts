import { configSchema } from '../config.ts'
import { complainAboutRelabel } from '../diagnosis/accept/relabel.ts'
import { isMap, type Problem } from './config-problems.ts'
import { didYouMean } from './did-you-mean.ts'

const referring = configSchema.pick({ clusters: true, trackers: true, sources: true, reports: true, principals: true, adoption: true })
type Referring = ReturnType<typeof referring.parse>

/** What the schema cannot see of sources, trackers and routes: names that nothing has, and what does not go together. Nothing while the schema refuses these parts. */
export function intakeProblems(input: unknown): Problem[] {
  if (!isMap(input)) return []
  const parsed = referring.safeParse(Object.fromEntries(Object.keys(referring.shape).map((key) => [key, input[key]])))
  return parsed.success
    ? [...sourceProblems(parsed.data), ...trackerProblems(parsed.data), ...routeProblems(parsed.data), ...adoptionProblems(parsed.data)]
    : []
}

function sourceProblems({ sources, clusters, trackers, principals }: Referring): Problem[] {
  const people = principals.map(({ name }) => name)
  return Object.entries(sources).flatMap(([name, source]): Problem[] => {
    const path = ['sources', name]
    const found: Problem[] = []
    if (people.includes(name)) found.push({ path, message: `"${name}" is the name of a principal, too; policy could not tell them apart` })
    if ('users' in source) {
      const tracker = trackers[source.tracker]
      if (!tracker) found.push(unknown([...path, 'tracker'], 'tracker', source.tracker, Object.keys(trackers)))
      else if (tracker.kind !== source.kind) {
        found.push({
          path: [...path, 'tracker'],
          message: `tracker "${source.tracker}" is of kind ${tracker.kind}; answers land on the issue, so it must be ${source.kind}`,
        })
      }
      for (const [user, principal] of Object.entries(source.users)) {
        if (!people.includes(principal)) found.push(unknown([...path, 'users', user], 'principal', principal, people))
      }
      return found
    }
    if (source.cluster !== undefined && !Object.hasOwn(clusters, source.cluster)) {
      found.push(unknown([...path, 'cluster'], 'cluster', source.cluster, Object.keys(clusters)))
    }
    for (const [at, rule] of source.relabel.entries()) {
      const message = complainAboutRelabel(rule)
      if (message !== undefined) found.push({ path: [...path, 'relabel', at], message })
    }
    return found
  })
}

function trackerProblems({ trackers }: Referring): Problem[] {
  return Object.entries(trackers).flatMap(([name, tracker]) =>
    tracker.kind === 'github' && (tracker.token === undefined) === (tracker.app === undefined)
      ? [{ path: ['trackers', name], message: `expected either token or app, got ${tracker.token ? 'both' : 'neither'}` }]
      : [],
  )
}

function routeProblems({ reports, trackers }: Referring): Problem[] {
  return reports.routes.flatMap((route, at) =>
    'tracker' in route && !Object.hasOwn(trackers, route.tracker)
      ? [unknown(['reports', 'routes', at, 'tracker'], 'tracker', route.tracker, Object.keys(trackers))]
      : [],
  )
}

function adoptionProblems({ adoption, clusters, principals }: Referring): Problem[] {
  const [names, people] = [Object.keys(clusters), principals.map((principal) => principal.name)]
  const seen = new Map<string, number>()
  return adoption.flatMap(({ cluster, namespaces, principal }, at): Problem[] => {
    const path = ['adoption', at]
    const found: Problem[] = []
    if (cluster !== undefined && !names.includes(cluster)) found.push(unknown([...path, 'cluster'], 'cluster', cluster, names))
    if (cluster === undefined && names.length !== 1)
      found.push({ path: [...path, 'cluster'], message: `expected one of ${names.join(', ')}, got nothing` })
    if (!people.includes(principal)) found.push(unknown([...path, 'principal'], 'principal', principal, people))
    for (const [n, namespace] of namespaces.entries()) {
      const key = `${cluster ?? names[0]}/${namespace}`
      const first = seen.get(key)
      if (first !== undefined) found.push({ path: [...path, 'namespaces', n], message: `"${namespace}" stands in adoption[${first}] already` })
      else seen.set(key, at)
    }
    return found
  })
}

function unknown(path: readonly PropertyKey[], kind: string, name: string, names: readonly string[]): Problem {
  const there = names.length > 0 ? `there are ${names.map((one) => `"${one}"`).join(', ')}` : 'there is none'
  return { path, message: `no ${kind} is named "${name}"${didYouMean(name, names)}; ${there}` }
}
