import type { Config } from '../../config.ts'
import type { Clock, Deps } from '../../deps.ts'
import { TrackerRejected } from '../../ports/tracker/tracker.ts'
import type { Diagnosis, ReportStatus } from '../diagnosis.ts'
import { composeNote, type ShareUrls } from './compose-note.ts'
import { openReport } from './open-report.ts'

interface ShareDeps extends Pick<Deps, 'records'> {
  readonly clock: Pick<Clock, 'now'>
  readonly trackers: Deps['trackers']
  readonly urls: ShareUrls
  readonly recurrence: Config['reports']['recurrence']
  readonly signal: AbortSignal
}

/**
 * Tells the bug report how the diagnosis ended: one note, found again and updated when this is repeated. Where only a
 * route is known, the report is found or opened first. A tracker that will not take it gives `rejected`. Throws TrackerUnavailable, for the
 * durable step to try again.
 */
export async function share(diagnosis: Diagnosis, deps: ShareDeps): Promise<Extract<ReportStatus, { kind: 'written' | 'rejected' }>> {
  const at = () => new Date(deps.clock.now()).toISOString()
  const name = (diagnosis.report ?? diagnosis.route)?.tracker
  if (name === undefined) throw new Error(`Cannot share diagnosis "${diagnosis.id}": it names no bug report`)
  const tracker = deps.trackers.get(name)
  if (!tracker) return { kind: 'rejected', message: `Tracker "${name}" is not configured any more`, at: at() }
  const known = diagnosis.reported?.kind === 'written' ? { knownNoteId: diagnosis.reported.noteId } : {}
  const { urls, signal } = deps
  try {
    const { alert, route } = diagnosis
    const report = diagnosis.report ?? (alert && route && (await openReport({ ...diagnosis, alert, route }, { ...deps, tracker })))
    if (!report) throw new Error(`Cannot share diagnosis "${diagnosis.id}": it has no alert to open a report for`)
    const written = await tracker.writeNote(report.key, composeNote(diagnosis, { urls }), { ...known, signal })
    return { kind: 'written', ...written, at: at() }
  } catch (error) {
    if (error instanceof TrackerRejected) return { kind: 'rejected', message: error.message, at: at() }
    throw error
  }
}
