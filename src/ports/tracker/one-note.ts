import { oneAtATime } from './one-at-a-time.ts'
import { TrackerRejected, TrackerUnavailable } from './tracker.ts'

/** A note of ours, with the marker that is looked for, in the tracker. */
export interface OwnNote {
  readonly id: string
  /** We wrote into it what we want to say now. */
  readonly says: boolean
  /** No person has edited it. */
  readonly intact: boolean
}

/** What a tracker can do with the notes of an issue; `Text` is a note ready to be sent. */
export interface NoteApi<Text> {
  /** For messages: `Redmine issue`. */
  readonly issue: string
  /** For messages: what the account needs that may add notes: `give the API key's user "Add notes"`. */
  readonly addNeeds: string
  /** Those of ours with the marker of the text, oldest first. */
  find(key: string, text: Text, knownNoteId: string | undefined, signal: AbortSignal): Promise<readonly OwnNote[]>
  add(key: string, text: Text, signal: AbortSignal): Promise<void>
  /** False where it is gone, or this server or our rights do not allow it. */
  edit(key: string, id: string, text: Text, signal: AbortSignal): Promise<boolean>
  /** May do nothing where it is gone, or this server or our rights do not allow it. */
  remove(key: string, id: string, signal: AbortSignal): Promise<void>
}

/** More than that many reads with a change by others between each of them is no coincidence. */
const maxRounds = 8

/**
 * Makes sure that an issue has one note with a marker, and that it says the text, in a tracker that knows neither idempotency keys nor transactions:
 *
 * - A note of ours that says this already: nothing is written, whatever a person added to it.
 * - Else the oldest of our notes that no person has edited gets the new text, where notes can be edited.
 * - Else a note is added. Words of a person are never overwritten.
 * - Afterwards the issue is read again. Where two writers met, the oldest note stays, with the text of who wrote last, and the others, if
 *   no person has edited them, are removed; where notes cannot be edited, they stay.
 */
export function oneNote<Text>(
  api: NoteApi<Text>,
): (key: string, text: Text, knownNoteId: string | undefined, signal: AbortSignal) => Promise<OwnNote> {
  const inTurn = oneAtATime()

  async function write(key: string, text: Text, knownNoteId: string | undefined, signal: AbortSignal): Promise<OwnNote> {
    const edited = new Set<string>()
    const refused = new Set<string>()
    let added = false
    for (let round = 1; round <= maxRounds; round++) {
      const notes = await api.find(key, text, knownNoteId, signal)
      const kept = staying(notes)
      if (kept && (kept.says || edited.has(kept.id))) {
        // Edited by us and saying something else: another writer came after us and has the last word.
        for (const extra of notes) if (extra !== kept && extra.intact) await api.remove(key, extra.id, signal)
        return kept
      }
      if (kept && !refused.has(kept.id)) {
        // A refusal may mean that another writer has just deleted it: read again before believing that notes cannot be edited.
        const outcome = (await api.edit(key, kept.id, text, signal)) ? edited : refused
        outcome.add(kept.id)
        continue
      }
      const said = notes.find((own) => own.says)
      if (said) return said
      if (added) throw new TrackerRejected(`Cannot add a note to ${api.issue} "${key}": it was taken but is not there; ${api.addNeeds}`)
      await api.add(key, text, signal)
      added = true
    }
    throw new TrackerUnavailable(`Cannot add a note to ${api.issue} "${key}": others change it at the same time`, 5000)
  }

  return (key, text, knownNoteId, signal) => inTurn(key, () => write(key, text, knownNoteId, signal))
}

/** Of several notes with one marker, the one that stays: one with words of a person that says what it should, else the oldest of ours. */
function staying(notes: readonly OwnNote[]): OwnNote | undefined {
  return notes.find((own) => own.says && !own.intact) ?? notes.find((own) => own.intact)
}
