import type { Target } from '../diagnosis.ts'
import { matches } from '../matches.ts'
import { type AlertSource, type Labels, relabel } from './relabel.ts'
import { labelPattern, podPattern, podTarget, workloadPattern, workloadTarget } from './target.ts'

/** `labels` are those after relabelling. */
export interface MappedAlert {
  readonly kind: 'target'
  readonly cluster: string
  readonly target: Target
  readonly container?: string
  readonly labels: Labels
}

export type AlertTarget =
  | MappedAlert
  /** Nothing that can be looked at; the message says which labels were looked for, and what to do. */
  | { readonly kind: 'none'; readonly message: string; readonly cluster?: string; readonly namespace?: string }
  /** A rule of the configuration says that alerts of this kind are none of ours. */
  | { readonly kind: 'dropped'; readonly message: string }

export type SourceLabels = Pick<AlertSource, 'cluster' | 'labels' | 'exporters' | 'relabel'>

/** What may be named by a label, in the order in which it is looked for. */
const workloads = ['deployment', 'statefulset', 'daemonset', 'job'] as const

/**
 * What an alert is about, by its labels after relabelling: a pod, else a workload, else a service.
 *
 * Prometheus puts labels of what it scrapes beside those of the metric. Where both have one, it renames the metric's to `exported_…`
 * (honor_labels: false), or keeps the metric's (honor_labels: true) and leaves those of the exporter that the metric lacks. So where a
 * namespace or pod is exported, the plain pod, container and service belong to what was scraped, and come last, in the plain namespace; and
 * names of exporters are passed over everywhere. Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
 */
export function targetOfAlert(given: Labels, source: SourceLabels, clusters: readonly string[]): AlertTarget {
  const relabelled = relabel(given, source.relabel)
  if (relabelled.kind === 'dropped') return { kind: 'dropped', message: `Rule ${relabelled.rule + 1} of the source's relabel drops this alert` }
  const { labels } = relabelled
  const cluster = clusterOf(labels, source, clusters)
  if (typeof cluster !== 'string') return { kind: 'none', message: cluster.message }
  const notes: string[] = []
  for (const candidate of candidates(labels, source)) {
    const target = targetOf(candidate, source, notes)
    if (!target) continue
    const container = containerOf(labels, source, candidate)
    return { kind: 'target', cluster, target, labels, ...(container === undefined ? {} : { container }) }
  }
  // Known all the same, so that whoever may see that namespace sees this.
  const namespace = values(labels, source.labels.namespace).find(({ value }) => labelPattern.test(value))?.value
  return { kind: 'none', message: nothingFound(source, notes), cluster, ...(namespace === undefined ? {} : { namespace }) }
}

interface Found {
  readonly label: string
  readonly value: string
}

interface Candidate {
  readonly kind: 'pod' | 'service' | (typeof workloads)[number]
  readonly name: Found
  readonly namespace: Found | undefined
}

function* candidates(labels: Labels, { labels: names }: SourceLabels): Generator<Candidate> {
  const namespaces = values(labels, names.namespace)
  const [namespace] = namespaces
  const exports = [...namespaces, ...values(labels, names.pod)].some(isExported)
  const own = exports ? namespaces.find((found) => !isExported(found)) : namespace
  const named = (kind: Candidate['kind'], scraped: boolean) =>
    values(labels, names[kind])
      // Where nothing is exported there are not two of them to be told apart.
      .filter((found) => (exports && !isExported(found)) === scraped)
      .map((name): Candidate => ({ kind, name, namespace: scraped ? own : namespace }))
  yield* named('pod', false)
  for (const kind of workloads) yield* values(labels, names[kind]).map((name): Candidate => ({ kind, name, namespace }))
  yield* named('service', false)
  yield* named('pod', true)
  yield* named('service', true)
}

/** The target, if the names are such that Kubernetes may have it; else a note says why not. */
function targetOf({ kind, name, namespace }: Candidate, source: SourceLabels, notes: string[]): Target | undefined {
  const no = (why: string): undefined => void notes.push(why)
  if ((kind === 'pod' || kind === 'service') && isExporter(name.value, source)) return no(`${quoted(name)} is the exporter of the metric`)
  if (namespace === undefined) return no(`${quoted(name)} comes without a namespace`)
  if (!labelPattern.test(namespace.value)) return no(`${quoted(namespace)} cannot be a namespace`)
  const text = kind === 'pod' ? `${namespace.value}/${name.value}` : `${namespace.value}/${kind}/${name.value}`
  if (!(kind === 'pod' ? podPattern : workloadPattern).test(text)) return no(`${quoted(name)} cannot be the name of a ${kind}`)
  return kind === 'pod' ? podTarget(text) : workloadTarget(text)
}

/**
 * The container, where it belongs to what was found: an exported one to an exported pod; a plain one not to a workload where the plain pod is
 * the exporter, for then the container is the exporter's, too. `POD`, the sandbox of cAdvisor's metrics, is no name that
 * a container may have.
 */
function containerOf(labels: Labels, source: SourceLabels, { kind, name, namespace }: Candidate): string | undefined {
  const exported = isExported(name) || (kind !== 'pod' && namespace !== undefined && isExported(namespace))
  if (!exported && kind !== 'pod' && values(labels, source.labels.pod).some(({ value }) => isExporter(value, source))) return undefined
  const container = values(labels, source.labels.container).find((found) => isExported(found) === exported)?.value
  if (container === undefined || isExporter(container, source) || !labelPattern.test(container)) return undefined
  return container
}

function clusterOf(labels: Labels, source: SourceLabels, clusters: readonly string[]): string | { readonly message: string } {
  const known = `known are ${clusters.join(', ')}`
  if (source.cluster !== undefined) {
    return clusters.includes(source.cluster)
      ? source.cluster
      : { message: `The source is about cluster "${source.cluster}", which is not there; ${known}` }
  }
  const [found] = values(labels, source.labels.cluster)
  const advice = "set the source's cluster, or the label by its relabel"
  if (found)
    return clusters.includes(found.value) ? found.value : { message: `${quoted(found)} is no cluster of the configuration; ${known}: ${advice}` }
  const [only, ...others] = clusters
  if (only !== undefined && others.length === 0) return only
  return { message: `No label names the cluster: looked for ${source.labels.cluster.join(', ')}; ${known}: ${advice}` }
}

function nothingFound({ labels }: SourceLabels, notes: readonly string[]): string {
  const looked = [...labels.pod, ...workloads.flatMap((kind) => labels[kind]), ...labels.service].join(', ')
  const why = notes.length > 0 ? ` (${notes.slice(0, 5).join('; ')})` : ''
  const namespaces = labels.namespace.join(', ')
  return `No label says what to look at${why}: looked for ${looked}, and ${namespaces}; have the rule keep one of them, or set it by the source's relabel`
}

/** Those of the labels that are there and not empty, in the order of the names. */
function values(labels: Labels, names: readonly string[]): readonly Found[] {
  return names.flatMap((label) => {
    const value = Object.hasOwn(labels, label) ? labels[label] : undefined
    return value ? [{ label, value }] : []
  })
}

function isExported({ label }: Found): boolean {
  return label.startsWith('exported_')
}

function isExporter(name: string, { exporters }: SourceLabels): boolean {
  return exporters.some((pattern) => matches(pattern, name))
}

function quoted({ label, value }: Found): string {
  return `${label}=${JSON.stringify(value.length > 100 ? `${value.slice(0, 99)}…` : value)}`
}
