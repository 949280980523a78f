import { type Diagnosis, outcomes, states } from '../diagnosis/diagnosis.ts'
import { reportText } from '../diagnosis/report-ref.ts'
import { pathOf, routes } from '../routes.ts'
import { Choice, Text } from './filters.tsx'
import { type Frame, Layout } from './layout.tsx'
import { Badge, byTelling, Time, targetText } from './words.tsx'

export type Filters = Readonly<Partial<Record<'state' | 'outcome' | 'cluster' | 'namespace' | 'pod' | 'requester' | 'report', string | undefined>>>

export interface ListProps {
  readonly frame: Frame
  readonly diagnoses: readonly Diagnosis[]
  readonly filters: Filters
  /** The names of clusters to choose from. */
  readonly clusters: readonly string[]
  /** The query of the next page. */
  readonly next?: string | undefined
  readonly first: boolean
}

export function ListPage({ frame, diagnoses, filters, clusters, next, first }: ListProps) {
  const filtered = Object.values(filters).some((value) => value !== undefined)
  const home = frame.base + routes.home
  return (
    <Layout frame={frame} title="Diagnoses">
      <h1>Diagnoses</h1>
      <details class="filter" open={filtered}>
        <summary>Filter</summary>
        <form class="filters" method="get" action={home}>
          <Choice name="state" label="State" among={states} value={filters.state} />
          <Choice name="outcome" label="Outcome" among={outcomes} value={filters.outcome} />
          {clusters.length > 1 ? <Choice name="cluster" label="Cluster" among={clusters} value={filters.cluster} /> : null}
          <Text name="namespace" label="Namespace" value={filters.namespace} />
          <Text name="pod" label="Pod" value={filters.pod} />
          <Text name="requester" label="Asked by" value={filters.requester} />
          <Text name="report" label="Bug report (tracker:key)" value={filters.report} />
          <button class="main" type="submit">
            Show
          </button>
        </form>
      </details>
      {diagnoses.length === 0 ? <Nothing filtered={filtered} home={home} /> : null}
      <ul class="rows">
        {diagnoses.map((diagnosis) => (
          <Row frame={frame} diagnosis={diagnosis} showCluster={clusters.length > 1} />
        ))}
      </ul>
      <div class="actions">
        {first ? null : (
          <a class="button" href={home}>
            Newest
          </a>
        )}
        {next === undefined ? null : (
          <a class="button" rel="next" href={`${home}?${next}`}>
            Older
          </a>
        )}
      </div>
    </Layout>
  )
}

function Row({ frame, diagnosis, showCluster }: { frame: Frame; diagnosis: Diagnosis; showCluster: boolean }) {
  const { id, target, findings, requester, report, reason, cluster, refusal, createdAt, adopted } = diagnosis
  const [worst] = byTelling(findings)
  const more = findings.length > 1 ? ` and ${findings.length - 1} more` : ''
  const facts = [showCluster ? cluster : undefined, requester, adopted && 'adopted', report && reportText(report), reason]
  return (
    <li>
      <span>
        <Badge diagnosis={diagnosis} />
      </span>
      <div>
        <a href={frame.base + pathOf(routes.page, id)}>{targetText(target)}</a>
        {worst ? <p>{`${worst.title}${more}`}</p> : null}
        {refusal ? <p>{refusal.message}</p> : null}
        <p class="small soft">{facts.filter((fact) => fact !== undefined).join(' · ')}</p>
      </div>
      <span class="when">
        <Time at={createdAt} />
      </span>
    </li>
  )
}

function Nothing({ filtered, home }: { filtered: boolean; home: string }) {
  return filtered ? (
    <p>
      Nothing matches these filters. <a href={home}>Show all</a>
    </p>
  ) : (
    <p class="soft">
      None yet. Ask for one: <code>{`curl -N -H "Authorization: Bearer $TOKEN" -d pod=NAMESPACE/POD "$URL${routes.diagnoses}?follow"`}</code>
    </p>
  )
}
