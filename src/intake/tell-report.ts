import type { Deps } from '../deps.ts'
import { routeOf } from '../diagnosis/admit/report-route.ts'
import type { Diagnosis, ReportRef } from '../diagnosis/diagnosis.ts'
import { reportOfText, reportText } from '../diagnosis/report-ref.ts'
import { alone } from '../diagnosis/share/report-lease.ts'
import { moreNote, recurredNote, resolvedNote, stormDraft } from '../diagnosis/share/trouble-notes.ts'
import type { Telling, Trouble } from '../ports/records/intake.ts'
import type { Note } from '../ports/tracker/tracker.ts'
import { urlsOfTrouble } from '../routes.ts'
import { resolvedId } from './keep-alerts.ts'
import { stormName } from './tell-suppressed.ts'

/** Undefined where it was told, `later` where there is no report yet, else why there is nothing to tell. */
export async function tellReport(telling: Telling, deps: Deps): Promise<'later' | string | undefined> {
  const { records, config } = deps
  if (telling.kind === 'reply') {
    if (!telling.report || !telling.note) return 'It says nothing'
    return write(reportOfText(telling.report), telling.note, deps)
  }
  const trouble = telling.trouble === undefined ? undefined : await resolvedOrAsIs(telling, deps)
  if (!trouble) return 'The trouble is not there, or its alert fires'
  if (telling.kind === 'resolved' && config.reports.resolved === 'quiet') return 'The configuration says to be quiet'
  if (trouble.report === undefined && telling.kind === 'storm') await openStorm(trouble, telling, deps)
  const own = trouble.report ?? (await records.getTrouble(trouble.id))?.report
  const last = own === undefined ? await lastDiagnosis(trouble, deps) : undefined
  const ref = own === undefined ? last?.report : reportOfText(own)
  if (!ref) return last?.route && last.state !== 'done' ? 'later' : 'The trouble has no report'
  const note = await noteOf(telling, trouble, deps)
  if (!note) return 'There is no alert that it stands for'
  const goesOn = telling.kind === 'recurred' && own !== undefined ? await openAgain(ref, trouble, note, telling, deps) : ref
  const message = await write(goesOn, note, deps)
  // One that the rule's author named is closed by whoever opened it.
  if (message === undefined && telling.kind === 'resolved' && config.reports.resolved === 'close' && own !== undefined) await close(ref, deps)
  return message
}

/** For what tells that it is resolved: the trouble, if it is; undefined where something fires. */
async function resolvedOrAsIs(telling: Telling, { records, clock }: Deps): Promise<Trouble | undefined> {
  const { trouble: id = '' } = telling
  const trouble = await records.getTrouble(id)
  if (telling.kind !== 'resolved' || !trouble) return trouble
  // Late, it may be about an earlier round: the present one has its own.
  if (telling.id !== resolvedId(trouble)) return undefined
  // It was resolved by this before a crash.
  if (trouble.resolvedAt !== undefined) return trouble
  return records.resolveTrouble(id, at(clock.now()))
}

/** Undefined where there is nothing to count: the alert it was put down for has a diagnosis of its own by now. */
async function noteOf(telling: Telling, trouble: Trouble, deps: Deps): Promise<Note | undefined> {
  const { records, config } = deps
  const urls = urlsOfTrouble(config.publicUrl, trouble.id)
  const common = { marker: telling.id, at: telling.createdAt, trouble, urls }
  switch (telling.kind) {
    case 'recurred':
      return recurredNote(common)
    case 'resolved':
      return resolvedNote(common)
    default: {
      const storm = telling.kind === 'storm'
      // Alerts are received before the first of them is settled, which opens the trouble.
      const since = at(Date.parse(trouble.openedAt) - config.intake.storm.seconds * 1000)
      const groups = await (storm ? records.suppressedBy('storm', trouble.cluster, since) : records.suppressedFor(trouble.id))
      return groups.length === 0 ? undefined : moreNote({ ...common, groups, storm })
    }
  }
}

/** It is still to open the report, or names the one that an annotation named. */
async function lastDiagnosis(trouble: Trouble, { records }: Deps): Promise<Diagnosis | undefined> {
  const [last] = await records.listAlerts({ trouble: trouble.id, outcome: 'diagnosed' }, { limit: 1 })
  return last?.diagnosis === undefined ? undefined : records.get(last.diagnosis)
}

/** Where the configuration says so, the trouble's own report is opened again, though no other diagnosis does it; the report that goes on. */
async function openAgain(report: ReportRef, trouble: Trouble, note: Note, telling: Telling, deps: Deps): Promise<ReportRef> {
  const { config, records, trackers, stopping } = deps
  const tracker = trackers.get(report.tracker)
  const route = (await lastDiagnosis(trouble, deps))?.route
  if (config.reports.recurrence !== 'reopen' || !tracker || route?.tracker !== report.tracker) return report
  const { project, labels, type } = route
  const draft = { project, labels, ...(type === undefined ? {} : { type }), title: note.headline, note: { ...note, marker: trouble.id } }
  return alone(trouble.id, telling.id, deps, async (inTime) => {
    const signal = AbortSignal.any([stopping, inTime])
    const { key } = await tracker.openIssue(draft, { recurrence: 'reopen', knownKey: report.key, signal })
    await records.setTroubleReport(trouble.id, reportText({ tracker: report.tracker, key }))
    return { tracker: report.tracker, key }
  })
}

async function openStorm(trouble: Trouble, telling: Telling, deps: Deps): Promise<void> {
  const { config, records, trackers } = deps
  const { cluster } = trouble
  const route = routeOf({ alertname: stormName, cluster, namespace: '', workload: '', source: '' }, config.reports.routes)
  const tracker = route && trackers.get(route.tracker)
  if (!route || !tracker) return
  const draft = stormDraft({ trouble, route, at: telling.createdAt, urls: urlsOfTrouble(config.publicUrl, trouble.id) })
  await alone(trouble.id, telling.id, deps, async (inTime) => {
    const signal = AbortSignal.any([deps.stopping, inTime])
    const opened = await tracker.openIssue(draft, { recurrence: config.reports.recurrence, signal })
    await records.setTroubleReport(trouble.id, reportText({ tracker: route.tracker, key: opened.key }))
  })
}

async function write({ tracker: name, key }: ReportRef, note: Note, { trackers, stopping }: Deps): Promise<string | undefined> {
  const tracker = trackers.get(name)
  if (!tracker) return `Tracker "${name}" is not configured any more`
  await tracker.writeNote(key, note, { signal: stopping })
  return undefined
}

async function close({ tracker: name, key }: ReportRef, { trackers, stopping }: Deps): Promise<void> {
  await trackers.get(name)?.closeIssue(key, { signal: stopping })
}

const at = (ms: number): string => new Date(ms).toISOString()
