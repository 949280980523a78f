import { boundNote } from './bound-note.ts'
import { type MarkedText, markedText, ownNote } from './marked-text.ts'
import { oneNote } from './one-note.ts'
import { type Journal, redmineApi } from './redmine-api.ts'
import { renderTextile } from './textile.ts'
import type { Tracker, WrittenNote } from './tracker.ts'
import type { TrackerHttp } from './tracker-http.ts'

/**
 * Redmine. A note is ours if our user wrote it and it has the marker line of {@link markedText}. Editing and deleting notes takes Redmine 5.0 or newer
 * and the right "Edit own notes".
 */
export function redmine(options: TrackerHttp & { readonly url: string; readonly apiKey: string }): Tracker {
  const base = new URL(options.url.replace(/\/+$/, ''))
  const root = base.href.replace(/\/$/, '')
  const api = redmineApi({ ...options, url: root })
  let userId: number | undefined
  const write = oneNote<MarkedText>({
    issue: 'Redmine issue',
    addNeeds: 'give the API key\'s user "Add notes"',
    async find(key, text, knownNoteId, signal) {
      userId ??= await api.userId(signal)
      const isOurs = (journal: Journal) => journal.userId === userId || String(journal.id) === knownNoteId
      const journals = (await api.journals(key, signal)).filter(isOurs)
      return (await Promise.all(journals.map(({ id, notes }) => ownNote(String(id), notes, text)))).filter((own) => own !== undefined)
    },
    add: (key, text, signal) => api.addNote(key, text.whole, signal),
    edit: (key, id, text, signal) => api.editNote(key, Number(id), text.whole, signal),
    async remove(key, id, signal) {
      await api.editNote(key, Number(id), '', signal)
    },
  })

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
      const text = await markedText(note.marker, renderTextile(boundNote(note, renderTextile)))
      const { id } = await write(key, text, knownNoteId, signal)
      return { noteId: id, url: `${root}/issues/${key}#change-${id}` }
    },
  }
}
