import type { Note } from '../../ports/tracker/tracker.ts'
import type { Comparison } from '../comparison.ts'
import { alsoText } from '../comparison-words.ts'
import type { ContainerRecord, Diagnosis, Finding, Severity } from '../diagnosis.ts'
import { blindText, skippedText } from '../skipped-words.ts'
import { alertFacts, alertLinks, readableTime } from './alert-facts.ts'

/** Where people reach a diagnosis; all of them stay valid as long as the diagnosis is kept. */
export interface ShareUrls {
  readonly page: string
  readonly bundle: string
  readonly log: string
}

/** What a bug report says of a diagnosis. The same diagnosis gives the same note: nothing in it depends on when it is written. */
export function composeNote(diagnosis: Diagnosis, options: { readonly urls: ShareUrls }): Note {
  const findings = diagnosis.findings.toSorted(byTelling).map(told)
  return {
    marker: diagnosis.id,
    at: diagnosis.finishedAt ?? diagnosis.createdAt,
    headline: headline(diagnosis, findings),
    outcome: diagnosis.outcome ?? 'failed',
    findings,
    facts: facts(diagnosis),
    links: links(diagnosis, options.urls),
  }
}

const rank: Readonly<Record<Severity, number>> = { error: 0, warn: 1, info: 2 }

/** What the target has alone first, then the worst; the order of finding within that stays. */
function byTelling(a: Finding, b: Finding): number {
  return Number(a.alsoOn !== undefined) - Number(b.alsoOn !== undefined) || rank[a.severity] - rank[b.severity]
}

/** Trackers show titles alone. */
function told(finding: Finding): Finding {
  return finding.alsoOn === undefined ? finding : { ...finding, title: `${finding.title}${alsoText(finding.alsoOn)}` }
}

function headline(diagnosis: Diagnosis, findings: readonly Finding[]): string {
  const trouble = findings.find((finding) => finding.severity !== 'info')
  if (trouble) return trouble.title
  const why = diagnosis.refusal?.message ?? diagnosis.explanation
  switch (diagnosis.outcome) {
    case 'refused':
      return `Not diagnosed from inside the pod: ${why ?? 'refused'}`
    case 'cancelled':
      return why ? `${why.charAt(0).toUpperCase()}${why.slice(1)}` : 'Cancelled before anything was found'
    case 'incomplete':
      return `${findings.length > 0 ? 'Not everything could be read' : 'Nothing found, but not everything could be read'}${why ? `: ${why}` : ''}`
    case 'complete':
      return `Nothing found that is wrong with ${subject(diagnosis)}${blindText(diagnosis.containers)}`
    default:
      return `The diagnosis failed${why ? `: ${why}` : ''}`
  }
}

function subject(diagnosis: Diagnosis): string {
  const { target, pod } = diagnosis
  if (pod) return `pod ${target.namespace}/${pod.name}`
  switch (target.kind) {
    case 'pod':
      return `pod ${target.namespace}/${target.name}`
    case 'workload':
      return `${target.workload} ${target.namespace}/${target.name}`
    case 'selector':
      return `pods of ${target.namespace} with ${target.selector}`
  }
}

function facts(diagnosis: Diagnosis): Note['facts'] {
  const { pod, refusal, explanation } = diagnosis
  const why = refusal ? `${refusal.code}: ${refusal.message}` : explanation
  const removed = Object.entries(diagnosis.redactions).filter(([, count]) => count > 0)
  const total = removed.reduce((sum, [, count]) => sum + count, 0)
  const gaps = diagnosis.containers.flatMap(({ name, gaps }) => (gaps ?? []).map((gap) => `${name}: ${gap}`))
  return [
    ['Outcome', why ? `${diagnosis.outcome ?? 'failed'} (${why})` : (diagnosis.outcome ?? 'failed')],
    ['Target', `${subject(diagnosis)}${pod?.container ? `, container ${pod.container}` : ''}, cluster ${diagnosis.cluster}`],
    ...optional('Pod UID', pod?.uid),
    ...optional('Node', pod?.node),
    ['Requested', `by ${diagnosis.requester}, ${readableTime(diagnosis.createdAt)}`],
    ...(diagnosis.alert ? alertFacts(diagnosis.alert) : optional('Reason', diagnosis.reason)),
    ...optional('Duration', seconds(diagnosis.createdAt, diagnosis.finishedAt)),
    ...diagnosis.containers.flatMap(containerFacts),
    ...(diagnosis.comparison ? comparisonFacts(diagnosis.comparison) : []),
    ...optional('Missing or cut', gaps.length > 0 ? gaps.join('; ') : injected(diagnosis) ? 'nothing' : undefined),
    ...optional('Not looked at', skippedText(diagnosis.containers)),
    ['Secrets removed', total === 0 ? 'none found' : `${total} (${removed.map(([rule, count]) => `${rule} ${count}`).join(', ')})`],
    ['Diagnosis', diagnosis.id],
  ]
}

function containerFacts(container: ContainerRecord): Note['facts'] {
  const ids = container.ids ? `, user ${container.ids.uid}, group ${container.ids.gid}` : ''
  const read =
    container.lines === undefined ? '' : `, ${container.lines} lines read${container.proven ? ', proven complete' : ', not proven complete'}`
  const exit = container.exitCode === undefined ? 'no exit code known' : `exit code ${container.exitCode}`
  // The kubelet's times are of whole seconds.
  const ran = container.startedAt === container.finishedAt ? 'less than a second' : seconds(container.startedAt, container.finishedAt)
  return [
    ['Container', `${container.name}${container.profile === undefined ? '' : `, profile ${container.profile}`}${ids}`],
    ['Image', container.image.replace(/@.*/, '')],
    ...optional('Image digest', /sha256:[0-9a-f]{64}/.exec(container.imageId ?? container.image)?.[0]),
    [
      'Run',
      `${container.startedAt ? exit : container.lines ? 'start and end not known' : 'never started'}${ran && container.finishedAt ? ` after ${ran}` : ''}${read}`,
    ],
  ]
}

/** So much of what differs as a report is read; all of it is behind the link, and in the bundle. */
const maxDiffering = 8

function comparisonFacts({ twin, explanation, specs, facts, findings }: Comparison): Note['facts'] {
  const lines = [
    ...specs.map(({ what, target, twin: its }) => [what, target, its] as const),
    ...facts.map(({ check, target, twin: its }) => [check, target[0] ?? 'nothing like it', its[0] ?? 'nothing like it'] as const),
  ]
  const more = lines.length > maxDiffering ? [['Differs', `and ${lines.length - maxDiffering} more`] as const] : []
  return [
    [
      'Healthy replica',
      [twin ? `${twin.name}${twin.node ? ` on node ${twin.node}` : ''}` : 'none', ...(explanation ? [explanation] : [])].join(': '),
    ],
    ...lines.slice(0, maxDiffering).map(([what, target, its]) => [`Differs: ${what}`, `target: ${target}; replica: ${its}`] as const),
    ...more,
    ...(findings.length > 0
      ? [
          [
            'On the replica alone',
            findings
              .map(({ title }) => title)
              .join('; ')
              .slice(0, 1000),
          ] as const,
        ]
      : []),
  ]
}

const injected = (diagnosis: Diagnosis) => diagnosis.containers.some((container) => container.startedAt !== undefined)

function links(diagnosis: Diagnosis, urls: ShareUrls): Note['links'] {
  return [
    { label: 'Diagnosis', url: urls.page },
    ...(diagnosis.bundle ? [{ label: `Bundle (${size(diagnosis.bundle.bytes)})`, url: urls.bundle }] : []),
    ...(injected(diagnosis) ? [{ label: 'Log', url: urls.log }] : []),
    ...(diagnosis.alert ? alertLinks(diagnosis.alert) : []),
  ]
}

function optional(label: string, value: string | undefined): Note['facts'] {
  return value ? [[label, value]] : []
}

function seconds(from: string | undefined, to: string | undefined): string | undefined {
  const ms = from && to ? Date.parse(to) - Date.parse(from) : Number.NaN
  return ms >= 0 ? `${(ms / 1000).toFixed(1)} s` : undefined
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`
}
