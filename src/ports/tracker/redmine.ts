import { boundNote } from './bound-note.ts'
import { type MarkedText, markedText, ownNote } from './marked-text.ts'
import { type FoundIssue, type IssueApi, oneIssue } from './one-issue.ts'
import { oneNote } from './one-note.ts'
import { cutLine, plainLine } from './plain-text.ts'
import { type Journal, type RedmineIssue, redmineApi } from './redmine-api.ts'
import { renderTextile } from './textile.ts'
import { type Note, type Tracker, TrackerRejected, type WrittenNote } from './tracker.ts'
import type { TrackerHttp } from './tracker-http.ts'

/**
 * Redmine. A note is ours if our user wrote it and it has the marker line of {@link markedText}. Editing and deleting notes takes Redmine 5.0 or newer
 * and the right "Edit own notes".
 *
 * An issue is ours if our user opened it and its description has the marker line. It is closed and reopened with the first status of that sort
 * which the workflow lets our user set. Redmine has no labels: they are left out. A type is the name of one of the project's trackers.
 */
export function redmine(options: TrackerHttp & { readonly url: string; readonly apiKey: string }): Tracker {
  const base = new URL(options.url.replace(/\/+$/, ''))
  const root = base.href.replace(/\/$/, '')
  const api = redmineApi({ ...options, url: root })
  const urlOf = (key: string | number) => `${root}/issues/${key}`
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

  const found = async (issue: RedmineIssue, signal: AbortSignal): Promise<FoundRedmineIssue> => {
    const closed = issue.status.is_closed ?? (await api.statuses(signal)).find(({ id }) => id === issue.status.id)?.is_closed
    return { key: String(issue.id), url: urlOf(issue.id), open: closed !== true, issue }
  }
  /** Sets the first status of that sort which the workflow allows; why it could not, or undefined. Redmine ignores without a word what the user may not. */
  async function move({ key, issue }: FoundRedmineIssue, open: boolean, signal: AbortSignal): Promise<string | undefined> {
    const statuses = issue.allowed_statuses ?? (await api.statuses(signal))
    const status = statuses.find((each) => (each.is_closed !== true) === open)
    const refusal = status && (await api.setStatus(key, status.id, signal))
    if (refusal !== undefined) return refusal
    const now = status && (await api.issue(key, signal))
    return status && now?.status.id === status.id ? undefined : "the workflow does not let the API key's user"
  }
  async function typeOf(name: string, project: string, signal: AbortSignal): Promise<number> {
    const types = await api.types(project, signal)
    const type = types.find((each) => each.name.toLowerCase() === name.toLowerCase())
    if (type) return type.id
    throw new TrackerRejected(
      `Cannot open an issue of type "${name}": Redmine project "${project}" has the trackers ${types.map((each) => `"${each.name}"`).join(', ')}`,
    )
  }
  const issues: IssueApi<FoundRedmineIssue> = {
    async get(key, signal) {
      const issue = complainAboutKey(key) === undefined ? await api.issue(key, signal) : undefined
      return issue && found(issue, signal)
    },
    async newest({ project, note }, signal) {
      const text = await markedText(note.marker, '')
      // A Redmine that does not know the filter by words gives all issues of ours.
      for (let page = 0; page < maxPages; page++) {
        const some = await api.ownIssues(project, note.marker, page * 100, signal)
        const marked = await Promise.all(some.map(async (issue) => (await ownNote('', issue.description ?? '', text)) !== undefined))
        const issue = some[marked.indexOf(true)]
        // What the workflow allows is told of one issue only.
        if (issue) return issues.get(String(issue.id), signal)
        if (some.length < 100) break
      }
      return undefined
    },
    async make({ project, type, title, note }, signal) {
      const text = await textOf(note)
      const fields = { project, type: type === undefined ? undefined : await typeOf(type, project, signal), subject: subjectOf(title) }
      const { id, description } = await api.addIssue({ ...fields, description: text.whole }, signal)
      if (await ownNote('', description ?? '', text)) return { key: String(id), url: urlOf(id) }
      throw new TrackerRejected(
        `Cannot open an issue in Redmine project "${project}": issue ${id} was made without its description; let the API key's user set the field "Description"`,
      )
    },
    reopen: async (issue, signal) => (await move(issue, true, signal)) === undefined,
  }

  return {
    complainAboutKey,
    complainAboutProject(project) {
      if (/^(?!\d+$)[a-z0-9][a-z0-9_-]{0,99}$/.test(project)) return undefined
      return `"${project.slice(0, 50)}" is not the identifier of a Redmine project, such as shop`
    },
    keyOfUrl(url) {
      const parsed = URL.parse(url)
      if (parsed?.origin !== base.origin || !parsed.href.startsWith(`${root}/`)) return undefined
      return /^\/issues\/([1-9]\d{0,9})(?:\.[a-z]+)?\/?$/.exec(parsed.pathname.slice(new URL(root).pathname.replace(/\/$/, '').length))?.[1]
    },
    async writeNote(key, note, { knownNoteId, signal }): Promise<WrittenNote> {
      const { id } = await write(key, await textOf(note), knownNoteId, signal)
      return { noteId: id, url: `${urlOf(key)}#change-${id}` }
    },
    openIssue: (draft, openOptions) => oneIssue(issues, draft, openOptions),
    async closeIssue(key, { signal }) {
      const issue = await issues.get(key, signal)
      const what = `Cannot close Redmine issue "${key}"`
      if (!issue) throw new TrackerRejected(`${what}: there is no such issue for the API key's user; check the number, and that the user may see it`)
      const refusal = issue.open ? await move(issue, false, signal) : undefined
      if (refusal === undefined) return
      throw new TrackerRejected(`${what}: ${refusal}; give its role "Edit own issues" and a status transition to a closed status`)
    },
  }
}

/** At most so many pages of a hundred issues are looked through for a marker. */
const maxPages = 10

type FoundRedmineIssue = FoundIssue & { readonly issue: RedmineIssue }

const textOf = (note: Note) => markedText(note.marker, renderTextile(boundNote(note, renderTextile)))

/** Characters beyond the basic plane are written as `\u{1f600}`: a MySQL of three-byte UTF-8 refuses them with the whole issue. */
const subjectOf = (title: string) =>
  cutLine(
    plainLine(title).replace(/[\u{10000}-\u{10ffff}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`),
    255,
  )

function complainAboutKey(key: string): string | undefined {
  return /^[1-9]\d{0,9}$/.test(key) ? undefined : `"${key.slice(0, 50)}" is not the number of a Redmine issue, such as 12`
}
