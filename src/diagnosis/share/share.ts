import { type Tracker, TrackerRejected } from '../../ports/tracker/tracker.ts'
import type { Diagnosis, ReportStatus } from '../diagnosis.ts'
import { composeNote, type ShareUrls } from './compose-note.ts'

/**
 * Tells the bug report how the diagnosis ended: one note, found again and updated when this is repeated. A tracker that will not take the
 * note gives `rejected`. Throws TrackerUnavailable, for the durable step to try again.
 */
export async function share(
  diagnosis: Diagnosis,
  deps: { readonly tracker: Tracker; readonly urls: ShareUrls; readonly clock: { now(): number }; readonly signal: AbortSignal },
): Promise<Extract<ReportStatus, { kind: 'written' | 'rejected' }>> {
  if (!diagnosis.report) throw new Error(`Cannot share diagnosis "${diagnosis.id}": it names no bug report`)
  const known = diagnosis.reported?.kind === 'written' ? { knownNoteId: diagnosis.reported.noteId } : {}
  const at = () => new Date(deps.clock.now()).toISOString()
  try {
    const note = composeNote(diagnosis, { urls: deps.urls })
    const written = await deps.tracker.writeNote(diagnosis.report.key, note, { ...known, signal: deps.signal })
    return { kind: 'written', ...written, at: at() }
  } catch (error) {
    if (error instanceof TrackerRejected) return { kind: 'rejected', message: error.message, at: at() }
    throw error
  }
}
