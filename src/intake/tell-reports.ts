import type { Deps } from '../deps.ts'
import type { Telling } from '../ports/records/intake.ts'
import { RecordsUnavailable } from '../ports/records/records.ts'
import { type Tracker, TrackerRejected, TrackerUnavailable } from '../ports/tracker/tracker.ts'
import { minute } from '../stage-context.ts'
import { tellReport } from './tell-report.ts'

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
    const message = await tellReport(telling, deps)
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

const at = (ms: number): string => new Date(ms).toISOString()
