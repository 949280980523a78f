import type { Deps } from '../deps.ts'
import { routeOf } from '../diagnosis/admit/report-route.ts'
import type { Diagnosis, ReportRef } from '../diagnosis/diagnosis.ts'
import { alone } from '../diagnosis/share/report-lease.ts'
import { moreNote, recurredNote, resolvedNote, stormDraft } from '../diagnosis/share/trouble-notes.ts'
import type { Telling, Trouble } from '../ports/records/intake.ts'
import { RecordsUnavailable } from '../ports/records/records.ts'
import { type Note, type Tracker, TrackerRejected, TrackerUnavailable } from '../ports/tracker/tracker.ts'
import { urlsOfTrouble } from '../routes.ts'
import { minute } from '../stage-context.ts'
import { resolvedId } from './keep-alerts.ts'
import { stormName } from './tell-suppressed.ts'

const atOnce = 20
/** So that a tracker that does not answer holds the others up the less. Workers have six connections. */
const together = 4
const longestPauseMs = 10 * minute
const day = 24 * 60 * minute

/**
 * Tells reports what is due: that a trouble is resolved or came back, what its diagnoses stand for, what was wrong with a command. Nothing is held
 * while a tracker makes us wait: it is put down for later, for a day. Told twice, it is one note.
 */
export async function tellDue(given: Deps): Promise<void> {
  const deps = { ...given, trackers: askedOnce(given.trackers) }
  const turn = crypto.randomUUID()
  let due = await dueNow(deps)
  if (due.length === 0) return
  try {
    while (!deps.stopping.aborted && (await isOurTurn(turn, deps))) {
      // What is told of one trouble, or on one issue, is told in order.
      const lines = [...Map.groupBy(due, ({ trouble, report, id }) => trouble ?? report ?? id).values()]
      const next = async (): Promise<void> => {
        for (let line = lines.shift(); line; line = lines.shift()) {
          for (const telling of line) if (!deps.stopping.aborted) await tellOne(telling, deps)
        }
      }
      await Promise.all(Array.from({ length: together }, next))
      if (due.length < atOnce) return
      due = await dueNow(deps)
    }
  } finally {
    await deps.records.changeValue<Turn, Turn | undefined>(turnKey, (before) => (before?.turn === turn ? undefined : before))
  }
}

const dueNow = ({ records, clock }: Deps) => records.dueTellings(at(clock.now()), atOnce)

/** The trackers, of which one that is away is not asked again: each note would wait as long as a request may take. */
function askedOnce(trackers: Deps['trackers']): Deps['trackers'] {
  const patient = (tracker: Tracker): Tracker => {
    let away: TrackerUnavailable | undefined
    const once = async <T>(ask: () => Promise<T>): Promise<T> => {
      if (away) throw away
      try {
        return await ask()
      } catch (error) {
        if (error instanceof TrackerUnavailable) away = error
        throw error
      }
    }
    return {
      ...tracker,
      writeNote: (...args) => once(() => tracker.writeNote(...args)),
      openIssue: (...args) => once(() => tracker.openIssue(...args)),
      closeIssue: (...args) => once(() => tracker.closeIssue(...args)),
    }
  }
  return new Map([...trackers].map(([name, tracker]) => [name, patient(tracker)]))
}

interface Turn {
  readonly turn: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

const turnKey = 'tellings'
const turnMs = 10_000

/**
 * On Workers each request that delivers alerts may tell, too, and a hundred at once would ask a tracker the same a hundred times. Nothing else
 * depends on it: whoever takes longer than 10 s gets company.
 */
async function isOurTurn(turn: string, { records, clock }: Deps): Promise<boolean> {
  const now = clock.now()
  const ours: Turn = { turn, until: now + turnMs }
  const kept = await records.changeValue<Turn>(turnKey, (before) => (before && before.turn !== turn && before.until > now ? before : ours))
  return kept.turn === turn
}

async function tellOne(telling: Telling, deps: Deps): Promise<void> {
  const { records, clock, log, redactor } = deps
  const { id, version } = telling
  const late = clock.now() > Date.parse(telling.createdAt) + day
  const giveUp = (message: string) => records.endTelling(id, version, { state: 'given-up', message })
  try {
    const message = await tell(telling, deps)
    if (message === 'later') {
      if (late) return await giveUp('The trouble got no report')
      return await records.delayTelling(id, version, at(clock.now() + 30_000), 'The trouble has no report yet')
    }
    await records.endTelling(id, version, { state: 'told', ...(message === undefined ? {} : { message }) })
  } catch (error) {
    if (error instanceof RecordsUnavailable || deps.stopping.aborted) throw error
    const message = redactor.text('message', error instanceof Error ? error.message : String(error)).text.slice(0, 1000)
    if (error instanceof TrackerRejected || late) {
      log('error', 'A report took no note', { telling: id, message })
      return await giveUp(message)
    }
    log('warn', 'A report will be told later', { telling: id, message })
    const afterMs = error instanceof TrackerUnavailable ? error.retryAfterMs : 10_000
    const pauseMs = Math.max(afterMs, Math.min(longestPauseMs, 1000 * 2 ** telling.attempts))
    await records.delayTelling(id, version, at(clock.now() + pauseMs), message)
  }
}

/** Undefined where it was told, `later` where there is no report yet, else why there is nothing to tell. */
async function tell(telling: Telling, deps: Deps): Promise<'later' | string | undefined> {
  const { records, config } = deps
  if (telling.kind === 'reply') {
    if (!telling.report || !telling.note) return 'It says nothing'
    return write(refOf(telling.report), telling.note, deps)
  }
  const trouble = telling.trouble === undefined ? undefined : await resolvedOrAsIs(telling, deps)
  if (!trouble) return 'The trouble is not there, or its alert fires'
  if (telling.kind === 'resolved' && config.reports.resolved === 'quiet') return 'The configuration says to be quiet'
  if (trouble.report === undefined && telling.kind === 'storm') await openStorm(trouble, telling, deps)
  const own = trouble.report ?? (await records.getTrouble(trouble.id))?.report
  const last = own === undefined ? await lastDiagnosis(trouble, deps) : undefined
  const ref = own === undefined ? last?.report : refOf(own)
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
    await records.setTroubleReport(trouble.id, `${report.tracker}:${key}`)
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
    await records.setTroubleReport(trouble.id, `${route.tracker}:${opened.key}`)
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

function refOf(report: string): ReportRef {
  const colon = report.indexOf(':')
  return { tracker: report.slice(0, colon), key: report.slice(colon + 1) }
}

const at = (ms: number): string => new Date(ms).toISOString()
