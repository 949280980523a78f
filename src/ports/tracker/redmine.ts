import { boundNote } from './bound-note.ts'
import { digestOf } from './digest.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { type Journal, redmineApi } from './redmine-api.ts'
import { renderTextile } from './textile.ts'
import { type Note, type Tracker, TrackerRejected, TrackerUnavailable, type WrittenNote } from './tracker.ts'
import type { TrackerHttp } from './tracker-http.ts'

/**
 * Redmine. A note ends with a comment line that Redmine does not show, the marker: `<!-- autodiagnose <marker> <digest> -->`, the digest
 * being of the text above it as we wrote it. So a note is ours if our user wrote it and it has the marker; whether it says what it
 * should, and whether a person has edited it since, can be told without memory.
 *
 * - A note of ours that says this already: nothing is written, whatever a person added to it.
 * - Else the oldest of our notes that no person has edited gets the new text (Redmine 5.0 and newer, with the right "Edit own notes").
 * - Else a note is added. Words of a person are never overwritten.
 * - Afterwards the issue is read again. Where two writers met, the oldest note stays, with the text of who wrote last, and the others, if
 *   no person has edited them, are deleted; where notes cannot be edited, they stay.
 */
export function redmine(options: TrackerHttp & { readonly url: string; readonly apiKey: string }): Tracker {
  const base = new URL(options.url.replace(/\/+$/, ''))
  const root = base.href.replace(/\/$/, '')
  const api = redmineApi({ ...options, url: root })
  const inTurn = oneAtATime()
  let userId: number | undefined

  async function write(key: string, text: Text, knownNoteId: string | undefined, signal: AbortSignal): Promise<OwnNote> {
    userId ??= await api.userId(signal)
    const isOurs = (journal: Journal) => journal.userId === userId || String(journal.id) === knownNoteId
    const find = async () => {
      const journals = (await api.journals(key, signal)).filter(isOurs)
      return (await Promise.all(journals.map((journal) => ownNote(journal, text)))).filter((own) => own !== undefined)
    }
    const edit = (own: OwnNote, notes: string) => api.editNote(key, own.id, notes, signal)

    const edited = new Set<number>()
    const refused = new Set<number>()
    let added = false
    for (let round = 1; round <= maxRounds; round++) {
      const notes = await find()
      const kept = staying(notes)
      if (kept && (kept.says || edited.has(kept.id))) {
        // Edited by us and saying something else: another writer came after us and has the last word.
        for (const extra of notes) if (extra !== kept && extra.intact) await edit(extra, '')
        return kept
      }
      if (kept && !refused.has(kept.id)) {
        // A refusal may mean that another writer has just deleted it: read again before believing that notes cannot be edited.
        const outcome = (await edit(kept, text.whole)) ? edited : refused
        outcome.add(kept.id)
        continue
      }
      const said = notes.find((own) => own.says)
      if (said) return said
      if (added) {
        throw new TrackerRejected(`Cannot add a note to Redmine issue "${key}": it was taken but is not there; give the API key's user "Add notes"`)
      }
      await api.addNote(key, text.whole, signal)
      added = true
    }
    throw new TrackerUnavailable(`Cannot add a note to Redmine issue "${key}": others change it at the same time`, 5000)
  }

  return {
    keyOfUrl(url) {
      const parsed = URL.parse(url)
      if (parsed?.origin !== base.origin || !parsed.href.startsWith(`${root}/`)) return undefined
      return /^\/issues\/([1-9]\d{0,9})(?:\.[a-z]+)?\/?$/.exec(parsed.pathname.slice(new URL(root).pathname.replace(/\/$/, '').length))?.[1]
    },
    complainAboutKey(key) {
      return /^[1-9]\d{0,9}$/.test(key) ? undefined : `"${key.slice(0, 50)}" is not the number of a Redmine issue, such as 12`
    },
    async writeNote(key, note, { knownNoteId, signal }): Promise<WrittenNote> {
      const text = await textOf(note)
      const { id } = await inTurn(key, () => write(key, text, knownNoteId, signal))
      return { noteId: String(id), url: `${root}/issues/${key}#change-${id}` }
    },
  }
}

/** More than that many reads with a change by others between each of them is no coincidence. */
const maxRounds = 8

/** Of several notes of one diagnosis, the one that stays: one with words of a person that says what it should, else the oldest of ours. */
function staying(notes: readonly OwnNote[]): OwnNote | undefined {
  return notes.find((own) => own.says && !own.intact) ?? notes.find((own) => own.intact)
}

/** What the note is to be: its text with the marker line, what comes before the digest there, and the digest. */
interface Text {
  readonly whole: string
  readonly mark: string
  readonly digest: string
}

async function textOf(note: Note): Promise<Text> {
  const body = renderTextile(boundNote(note, renderTextile))
  const mark = `<!-- autodiagnose ${note.marker} `
  const digest = await digestOf(body)
  return { whole: `${body}\n\n${mark}${digest} -->`, mark, digest }
}

/** A note of ours in the tracker. */
interface OwnNote {
  readonly id: number
  /** We wrote into it what we want to say now. */
  readonly says: boolean
  /** No person has edited it. */
  readonly intact: boolean
}

/** The note with our marker in this journal entry, if there is one. The marker is a line of its own; no text of a pod can look like it. */
async function ownNote(journal: Journal, text: Text): Promise<OwnNote | undefined> {
  const lines = journal.notes.trimEnd().split('\n')
  const at = lines.findLastIndex((line) => line.startsWith(text.mark))
  const digest = /^([0-9a-f]{16}) -->\s*$/.exec(lines[at]?.slice(text.mark.length) ?? '')?.[1]
  if (digest === undefined) return undefined
  const intact = at === lines.length - 1 && (await digestOf(lines.slice(0, at).join('\n').trimEnd())) === digest
  return { id: journal.id, says: digest === text.digest, intact }
}
