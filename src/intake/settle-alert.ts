import type { Deps } from '../deps.ts'
import { type MappedAlert, targetOfAlert } from '../diagnosis/accept/alert-target.ts'
import { makeId } from '../diagnosis/accept/id.ts'
import type { AlertSource } from '../diagnosis/accept/relabel.ts'
import { parseReport } from '../diagnosis/accept/report.ts'
import { decide, type Started } from '../diagnosis/admit/alert-limits.ts'
import { admit } from '../diagnosis/admit/policy.ts'
import { routeOf } from '../diagnosis/admit/report-route.ts'
import { troubleId } from '../diagnosis/alert.ts'
import type { AlertRef, DiagnosisRequest, ReportRef, Target } from '../diagnosis/diagnosis.ts'
import { workloadOf } from '../diagnosis/gather/workload-of.ts'
import { type Cluster, ClusterUnavailable } from '../ports/cluster/cluster.ts'
import type { AlertRecord, Settlement, Trouble, TroubleSeed } from '../ports/records/intake.ts'
import { startDiagnosis } from '../start-diagnosis.ts'
import { tellStorm, tellSuppressed } from './tell-suppressed.ts'
import type { WorkloadCache } from './workload-cache.ts'

/** What became of an alert, and the trouble that it is of. */
export interface Settled {
  /** Its id. */
  readonly alert: string
  readonly settlement: Settlement
  readonly seed?: TroubleSeed
}

/** What the alerts of one round were told by the records: asked again for each of them, a storm would be some thousand queries. */
export interface Batch {
  readonly troubles: Map<string, Trouble>
  /** By its key. */
  readonly ledgers: Map<string, readonly Started[]>
}

/** What becomes of an alert, to be put down; a line a decision. Throws where something cannot be known now. */
export async function settleAlert(alert: AlertRecord, source: AlertSource, deps: Deps, cache: WorkloadCache, batch: Batch): Promise<Settled> {
  const { config, records } = deps
  const settle = (settlement: Settlement): Settled => ({ alert: alert.id, settlement })
  const join = (seed: TroubleSeed, settlement: Settlement): Settled => ({ alert: alert.id, settlement: { ...settlement, trouble: seed.id }, seed })

  const mapped = targetOfAlert(alert.labels, source, Object.keys(config.clusters))
  if (mapped.kind === 'dropped') return settle({ outcome: 'ignored', message: mapped.message })
  if (mapped.kind === 'none') {
    const { kind: _, ...known } = mapped
    return settle({ outcome: 'no-target', ...known })
  }
  const { cluster, target } = mapped
  const place = { cluster, namespace: target.namespace, ...(target.kind === 'pod' ? { pod: target.name } : {}) }
  // What is in the ledger is diagnosed all the same: it stands for others already.
  if (alert.resolvedAt !== undefined && !(await hasStarted(alert, cluster, deps))) {
    return settle({ ...place, outcome: 'suppressed', suppression: 'resolved', message: 'It was resolved before it was looked at' })
  }
  const wanted = { cluster, target, profile: source.profile, checks: [] }
  const verdict = admit(config.policy, alert.source, wanted)
  if (verdict.kind === 'denied') return settle({ ...place, outcome: 'denied', message: verdict.message })

  const found = await cache.get(`${cluster} ${JSON.stringify(target)}`, () =>
    ifThere(cluster, deps, cache, (there) => workloadOf(target, there, deps.stopping)),
  )
  if (found.kind === 'gone') return settle({ ...place, outcome: 'no-target', message: found.message })
  const { workload, pod } = found
  // Relabelling may have given it another one.
  const name = mapped.labels.alertname ?? alert.name
  const trouble = { cluster, namespace: target.namespace, workload, name }
  const seed = { ...trouble, id: await troubleId(trouble), alert: alert.id }
  const opened = batch.troubles.get(seed.id) ?? (await records.openTrouble(seed))
  batch.troubles.set(seed.id, opened)
  const which = pod === undefined ? {} : { pod }
  const told = { ...place, workload, ...which }

  const asked = { alert: alert.id, trouble: opened.id, namespace: target.namespace, workload, ...which }
  const decision = await decideInLedger(cluster, asked, deps, batch)
  if (decision.kind === 'suppressed') {
    const { suppression, message, diagnosis } = decision
    // First what is to be told, for nobody looks at a settled alert again.
    if (suppression === 'storm') await tellStorm(cluster, alert, deps, cache)
    else await tellSuppressed(opened, diagnosis, deps, cache)
    return join(seed, { ...told, outcome: 'suppressed', suppression, message, ...(diagnosis === undefined ? {} : { diagnosis }) })
  }
  const { report, complaint } = reportOf(alert, wanted, deps)
  const request = requestOf(alert, { mapped, source, started: decision.entry, trouble: opened, report }, deps)
  await startDiagnosis(request, deps)
  return join(seed, { ...told, outcome: 'diagnosed', diagnosis: request.id, ...(complaint === undefined ? {} : { message: complaint }) })
}

type Decision =
  | { readonly kind: 'start'; readonly entry: Started }
  | {
      readonly kind: 'suppressed'
      readonly suppression: NonNullable<AlertRecord['suppression']>
      readonly message: string
      readonly diagnosis?: string
    }

type Asked = Parameters<typeof decide>[1]

const ledgerOf = (cluster: string): string => `intake:${cluster}`

async function hasStarted({ id }: AlertRecord, cluster: string, { records }: Deps): Promise<boolean> {
  const entries = await records.getValue<readonly Started[]>(ledgerOf(cluster))
  return entries?.some(({ alert }) => alert === id) ?? false
}

/** What is decided to start is put down first, so that whoever comes after a crash starts the same and nothing else. */
async function decideInLedger(cluster: string, asked: Asked, { records, config, clock }: Deps, { ledgers }: Batch): Promise<Decision> {
  let decision: ReturnType<typeof decide> | undefined
  const decideFrom = (before: readonly Started[] | undefined) => {
    const now = clock.now()
    decision = decide(before ?? [], asked, config.intake, now, () => makeId(now))
    return decision.kind === 'start' ? decision.entries : before
  }
  const key = ledgerOf(cluster)
  // Most alerts of a storm change nothing, and what stood in the way a moment ago still does.
  const known = ledgers.get(key) ?? (await records.getValue<readonly Started[]>(key)) ?? []
  ledgers.set(key, known)
  decideFrom(known)
  if (decision?.kind === 'start') {
    const after = await records.changeValue<readonly Started[], readonly Started[] | undefined>(key, decideFrom)
    ledgers.set(key, after ?? [])
  }
  if (!decision) throw new TypeError('Nothing was decided')
  if (decision.kind !== 'suppressed') return { kind: 'start', entry: decision.entry }
  const { why, message, diagnosis } = decision
  return { kind: 'suppressed', suppression: why, message, ...(diagnosis === undefined ? {} : { diagnosis }) }
}

/** The report that the rule's author names in an annotation, where policy lets this source write to it. */
function reportOf(
  alert: AlertRecord,
  wanted: { readonly cluster: string; readonly target: Target; readonly profile: AlertSource['profile'] },
  { config, trackers }: Deps,
): { readonly report?: ReportRef; readonly complaint?: string } {
  const given = alert.annotations.report
  if (given === undefined) return {}
  const report = parseReport(given, trackers)
  if (typeof report === 'string') return { complaint: `Its annotation report "${given.slice(0, 100)}" was left out: ${report}` }
  const verdict = admit(config.policy, alert.source, { ...wanted, checks: [], report })
  return verdict.kind === 'denied' ? { complaint: `Its annotation report was left out: ${verdict.message}` } : { report }
}

interface Given {
  readonly mapped: MappedAlert
  readonly source: AlertSource
  readonly started: Started
  readonly trouble: Trouble
  readonly report: ReportRef | undefined
}

/** Nothing in it depends on when it is made, but for what the ledger has: made again, it is the same request. */
function requestOf(alert: AlertRecord, { mapped, source, started, trouble, report }: Given, { config }: Deps): DiagnosisRequest {
  const { cluster, target, container } = mapped
  const { workload, namespace, name } = trouble
  const about = { ...mapped.labels, alertname: name, cluster, namespace, workload, source: alert.source }
  const route = report ? undefined : routeOf(about, config.reports.routes)
  const reason = alert.annotations.summary ?? alert.annotations.description
  return {
    id: started.id,
    createdAt: started.at,
    requester: alert.source,
    cluster,
    target,
    ...(container === undefined ? {} : { container }),
    profile: source.profile,
    checks: [],
    ...(report ? { report } : {}),
    ...(route ? { route } : {}),
    alert: alertRef(alert, trouble),
    reason: `Alert ${name}${reason === undefined ? '' : `: ${reason}`}`.slice(0, 500),
  }
}

const maxPairs = 40
const maxValue = 500

function alertRef({ source, startsAt, labels, annotations, links }: AlertRecord, { id, name }: Trouble): AlertRef {
  return { trouble: id, source, name, startsAt, labels: bounded(labels), annotations: bounded(annotations), links: links.slice(0, 8) }
}

function bounded(map: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = Object.entries(map).slice(0, maxPairs)
  return Object.fromEntries(pairs.map(([key, value]) => [key, value.length > maxValue ? `${value.slice(0, maxValue - 1)}…` : value]))
}

/**
 * Asks a cluster, but not one that gave no answer within this minute, whatever it was asked: each alert would wait as long as a request may take, and
 * hold up those of other clusters. Throws ClusterUnavailable.
 */
async function ifThere<T>(name: string, { clusters, stopping }: Deps, cache: WorkloadCache, ask: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = clusters.get(name)
  if (!cluster) throw new Error(`Cluster "${name}" is not configured any more`)
  const key = `cluster ${name} is away`
  const away = cache.known<ClusterUnavailable>(key)
  if (away) throw away
  try {
    return await ask(cluster)
  } catch (error) {
    if (!(error instanceof ClusterUnavailable)) throw error
    // It may be this one question that it does not answer.
    await cluster.version(stopping).catch(() => cache.get(key, async () => error))
    throw error
  }
}
