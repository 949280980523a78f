import { type AlertRecord, alertOutcomes, type Suppression, suppressions } from '../ports/records/intake.ts'
import { pathOf, routes, urlsOfTrouble } from '../routes.ts'
import { Choice, Text } from './filters.tsx'
import { type Frame, Layout } from './layout.tsx'
import { AlertLinks, Time } from './words.tsx'

export type IntakeFilters = Readonly<
  Partial<Record<'source' | 'outcome' | 'suppression' | 'name' | 'cluster' | 'namespace' | 'trouble', string | undefined>>
>

export interface IntakePageProps {
  readonly frame: Frame
  readonly alerts: readonly AlertRecord[]
  readonly filters: IntakeFilters
  readonly sources: readonly string[]
  readonly clusters: readonly string[]
  /** The query of the next page. */
  readonly next?: string | undefined
  readonly first: boolean
}

/** What webhooks delivered, and what became of it. */
export function IntakePage({ frame, alerts, filters, sources, clusters, next, first }: IntakePageProps) {
  const filtered = Object.values(filters).some((value) => value !== undefined)
  const here = frame.base + routes.intakePage
  return (
    <Layout frame={frame} title="Alerts">
      <h1>Alerts</h1>
      <p class="soft">What webhooks delivered: which diagnosis each one started, or why it started none.</p>
      <details class="filter" open={filtered}>
        <summary>Filter</summary>
        <form class="filters" method="get" action={here}>
          <Choice name="outcome" label="Outcome" among={alertOutcomes} value={filters.outcome} />
          <Choice name="suppression" label="Suppressed because" among={suppressions} value={filters.suppression} />
          <Choice name="source" label="Source" among={sources} value={filters.source} />
          {clusters.length > 1 ? <Choice name="cluster" label="Cluster" among={clusters} value={filters.cluster} /> : null}
          <Text name="namespace" label="Namespace" value={filters.namespace} />
          <Text name="name" label="Alert" value={filters.name} />
          <Text name="trouble" label="Trouble" value={filters.trouble} />
          <button class="main" type="submit">
            Show
          </button>
        </form>
      </details>
      {alerts.length > 0 ? null : (
        <p class="soft">{filtered ? 'Nothing matches these filters.' : sources.length > 0 ? 'None yet.' : 'No source is configured.'}</p>
      )}
      <ul class="rows">
        {alerts.map((alert) => (
          <Row frame={frame} alert={alert} showCluster={clusters.length > 1} />
        ))}
      </ul>
      <div class="actions">
        {first ? null : (
          <a class="button" href={here}>
            Newest
          </a>
        )}
        {next === undefined ? null : (
          <a class="button" rel="next" href={`${here}?${next}`}>
            Older
          </a>
        )}
      </div>
    </Layout>
  )
}

const why: Readonly<Record<Suppression, string>> = {
  'same-trouble': 'The same trouble is looked at already',
  'pod-cooldown': 'This pod was looked at a short while ago',
  'workload-limit': 'Enough pods of this workload were looked at',
  storm: 'Too many alerts at once',
  resolved: 'Resolved before it was looked at',
}

function Row({ frame, alert, showCluster }: { frame: Frame; alert: AlertRecord; showCluster: boolean }) {
  const { name, labels, annotations, outcome, suppression, message, diagnosis, trouble, receivedAt, resolvedAt, links } = alert
  const place = alert.namespace === undefined ? undefined : [alert.namespace, alert.pod ?? alert.workload].filter((part) => part).join('/')
  const facts = [alert.source, showCluster ? alert.cluster : undefined, labels.severity, resolvedAt === undefined ? undefined : 'resolved']
  return (
    <li>
      <span>
        <span class={`badge ${badges[outcome ?? 'waiting'] ?? 'running'}`}>{outcome ?? 'waiting'}</span>
      </span>
      <div>
        {diagnosis === undefined ? <b>{short(name)}</b> : <a href={frame.base + pathOf(routes.page, diagnosis)}>{short(name)}</a>}
        {place === undefined ? null : <> {place}</>}
        {annotations.summary === undefined ? null : <p>{short(annotations.summary)}</p>}
        {suppression === undefined && message === undefined ? null : (
          <p>{[suppression && why[suppression], message].filter((part) => part).join(': ')}</p>
        )}
        <p class="small soft">
          {facts.filter((fact) => fact !== undefined).join(' · ')}
          {trouble === undefined ? null : (
            <>
              {' · '}
              <a href={urlsOfTrouble(frame.base, trouble).page}>same trouble</a>
            </>
          )}
          <AlertLinks links={links} />
        </p>
      </div>
      <span class="when">
        <Time at={receivedAt} />
      </span>
    </li>
  )
}

/** The whole of it is in the list of the API. */
const short = (text: string): string => (text.length > 300 ? `${text.slice(0, 299)}…` : text)

/** In the colours of a diagnosis' outcomes. */
const badges: Readonly<Record<string, string>> = {
  diagnosed: 'complete',
  suppressed: 'cancelled',
  'no-target': 'incomplete',
  denied: 'refused',
  ignored: 'cancelled',
  failed: 'failed',
}
