import type { SuppressedGroup, Suppression, Trouble } from '../../ports/records/intake.ts'
import type { IssueDraft, Note } from '../../ports/tracker/tracker.ts'
import type { ReportRoute } from '../diagnosis.ts'
import { readableTime } from './alert-facts.ts'

interface About {
  readonly marker: string
  /** RFC 3339. */
  readonly at: string
  readonly trouble: Trouble
  readonly urls: { readonly page: string }
}

/** The trouble's alerts have all ended, and stayed so. */
export function resolvedNote({ trouble, ...about }: About): Note {
  const since = trouble.resolvedAt ?? about.at
  return note(about, `Resolved: ${nameOf(trouble)}`, [
    ['Resolved', `no alert of it fires any more, as of ${readableTime(since)}`],
    ...(trouble.round > 1 ? ([['Came back', times(trouble.round - 1)]] as const) : []),
  ])
}

/** It came back, and no other diagnosis was started for it. */
export function recurredNote({ trouble, ...about }: About): Note {
  return note(about, `Fires again: ${nameOf(trouble)}`, [
    ['Diagnosis', 'none this time: the last one was made a short while ago; the link shows what became of each alert'],
    ['Came back', times(trouble.round - 1)],
  ])
}

/** Alerts that have no diagnosis of their own, because this report's stand for them. */
export function moreNote({
  trouble,
  groups,
  storm,
  ...about
}: About & { readonly groups: readonly SuppressedGroup[]; readonly storm: boolean }): Note {
  const total = groups.reduce((sum, { count }) => sum + count, 0)
  const alerts = total === 1 ? '1 alert' : `${total} alerts`
  const more = total === 1 ? '1 more alert has no diagnosis of its own' : `${total} more alerts have no diagnosis of their own`
  const headline = storm
    ? `Storm in cluster ${trouble.cluster}: ${alerts} not diagnosed, because too many came at once`
    : `${more}: this report stands for ${total === 1 ? 'it' : 'them'}`
  return note(
    about,
    headline,
    groups.map(({ name, count, suppression, pods }) => [name, `${count} × ${why[suppression]}${podsText(pods)}`]),
  )
}

/** The report of a storm. */
export function stormDraft({ route, ...about }: Omit<About, 'marker'> & { readonly route: ReportRoute }): IssueDraft {
  const { trouble } = about
  const { project, labels, type } = route
  const headline = `More alerts in cluster ${trouble.cluster} than may start diagnoses`
  const draft = note({ ...about, marker: trouble.id }, headline, [['Since', readableTime(trouble.openedAt)]])
  return { project, labels, ...(type === undefined ? {} : { type }), title: `${trouble.name}: ${headline}`, note: draft }
}

const why: Readonly<Record<Suppression, string>> = {
  'same-trouble': 'the same trouble',
  'pod-cooldown': 'the same pod, a short while ago',
  'workload-limit': 'the same workload, of which enough pods were looked at',
  storm: 'too many at once',
  resolved: 'resolved before it was looked at',
}

function note({ marker, at, urls }: Omit<About, 'trouble'>, headline: string, facts: Note['facts']): Note {
  return { marker, at, headline, findings: [], facts, links: [{ label: 'All alerts of it', url: urls.page }] }
}

function nameOf({ name, namespace, workload, cluster }: Trouble): string {
  if (workload === '') return `${name} in cluster ${cluster}`
  const slash = workload.indexOf('/')
  return `${name} of ${workload.slice(0, slash)} ${namespace}/${workload.slice(slash + 1)}`
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function podsText(pods: readonly string[]): string {
  const shown = pods.slice(0, 10)
  return shown.length === 0 ? '' : `: ${shown.join(', ')}${pods.length > shown.length ? ' and others' : ''}`
}
