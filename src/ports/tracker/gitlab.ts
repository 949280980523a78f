import { boundNote } from './bound-note.ts'
import { type GitLabIssue, type GitLabIssueRef, type GitLabNote, gitlabApi, keyOf } from './gitlab-api.ts'
import { renderMarkdown } from './markdown.ts'
import { type MarkedText, markedText, ownNote } from './marked-text.ts'
import { type FoundIssue, oneIssue } from './one-issue.ts'
import { oneNote } from './one-note.ts'
import { cutLine, plainLine } from './plain-text.ts'
import { type Note, type Tracker, TrackerRejected, type WrittenNote } from './tracker.ts'
import type { TrackerHttp } from './tracker-http.ts'

/**
 * GitLab. A note is ours if our user wrote it and it has the marker line of {@link markedText}; an issue likewise, by its description. An issue is
 * looked for by its author and not by a label, which a person may take away and a Guest's token cannot give. One that was moved to another project counts as gone.
 */
export function gitlab(options: TrackerHttp & { readonly url: string; readonly token: string }): Tracker {
  const base = new URL(options.url.replace(/\/+$/, ''))
  const root = base.href.replace(/\/$/, '')
  const api = gitlabApi({ ...options, url: root })
  let userId: number | undefined
  const ourId = async (signal: AbortSignal) => {
    userId ??= await api.userId(signal)
    return userId
  }
  const write = oneNote<MarkedText>({
    issue: 'GitLab issue',
    addNeeds: 'give the token’s user the role "Reporter"',
    async find(key, text, knownNoteId, signal) {
      const us = await ourId(signal)
      const isOurs = (note: GitLabNote) => note.authorId === us || String(note.id) === knownNoteId
      const notes = (await api.notes(refOf(key), signal)).filter(isOurs)
      return (await Promise.all(notes.map(({ id, body }) => ownNote(String(id), body, text)))).filter((own) => own !== undefined)
    },
    add: (key, text, signal) => api.addNote(refOf(key), text.whole, signal),
    edit: (key, id, text, signal) => api.editNote(refOf(key), id, text.whole, signal),
    remove: (key, id, signal) => api.removeNote(refOf(key), id, signal),
  })

  async function newestWith(text: MarkedText, project: string, signal: AbortSignal): Promise<GitLabIssue | undefined> {
    for await (const issue of api.issuesBy(project, await ourId(signal), signal)) {
      if (await ownNote('', issue.description, text)) return issue
    }
    return undefined
  }

  return {
    keyOfUrl(url) {
      const parsed = URL.parse(url)
      if (parsed?.origin !== base.origin || !parsed.href.startsWith(`${root}/`)) return undefined
      const [, project = '', iid] = issueUrlPath.exec(parsed.pathname.slice(base.pathname.replace(/\/$/, '').length)) ?? []
      // Work items of a group are no issues of a project, though their URLs look so.
      return projectPath.test(project) && !project.startsWith('groups/') ? `${project}#${iid}` : undefined
    },
    complainAboutKey(key) {
      return parseKey(key) ? undefined : `"${key.slice(0, 100)}" is not the project and number of a GitLab issue, such as group/project#12`
    },
    async writeNote(key, note, { knownNoteId, signal }): Promise<WrittenNote> {
      const { id } = await write(key, await marked(note), knownNoteId, signal)
      const { project, iid } = refOf(key)
      return { noteId: id, ...(numericId.test(project) ? {} : { url: `${root}/${project}/-/issues/${iid}#note_${id}` }) }
    },
    complainAboutProject(project) {
      return isProject(project) ? undefined : `"${project.slice(0, 100)}" is neither the path of a GitLab project, such as group/project, nor its id`
    },
    openIssue(draft, openOptions) {
      return oneIssue<GitLabIssue & FoundIssue>(
        {
          async get(key, signal) {
            const ref = parseKey(key)
            return ref && found(await api.issue(ref, signal))
          },
          newest: async ({ note, project }, signal) => found(await newestWith(await marked(note), project, signal)),
          async make({ title, note, labels, type, project }, signal) {
            const issue = {
              title: harmlessTitle(title),
              description: (await marked(note)).whole,
              ...(labels.length > 0 ? { labels } : {}),
              ...(type === undefined ? {} : { issue_type: type }),
            }
            const made = await api.addIssue(project, issue, signal)
            return { key: keyOf(made), url: made.url }
          },
          reopen: async (issue, signal) => (await api.changeState(issue, 'reopen', signal)).open,
        },
        draft,
        openOptions,
      )
    },
    async closeIssue(key, { signal }) {
      const issue = refOf(key)
      if ((await api.issue(issue, signal))?.open === false) return
      if ((await api.changeState(issue, 'close', signal)).open)
        throw new TrackerRejected(`Cannot close GitLab issue "${key}": it was taken but is still open; give the token’s user the role "Reporter"`)
    },
  }
}

/** One that was moved goes on elsewhere. */
const found = (issue: GitLabIssue | undefined) => (issue && !issue.moved ? { ...issue, key: keyOf(issue) } : undefined)

const marked = (note: Note) => markedText(note.marker, renderMarkdown(boundNote(note, renderMarkdown)))

/** Groups and a project, each as https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/gitlab/path_regex.rb allows them; no `.` and `..`. */
const projectPath = /^(?:(?!\.+\/)[\w.][\w.-]{0,254}\/){1,20}(?!\.+$)[\w.][\w.-]{0,254}$/
const numericId = /^[1-9]\d{0,18}$/
const isProject = (project: string) => projectPath.test(project) || numericId.test(project)

/** Also before 12.6, without the dash; as an incident; and with the tab of designs. */
const issueUrlPath = /^\/(.+?)\/(?:-\/)?(?:issues|issues\/incident|work_items)\/([1-9]\d{0,9})(?:\/designs)?\/?$/

function parseKey(key: string): GitLabIssueRef | undefined {
  const [, project = '', iid] = /^(.+)#([1-9]\d{0,9})$/.exec(key) ?? []
  return isProject(project) ? { project, iid: Number(iid) } : undefined
}

function refOf(key: string): GitLabIssueRef {
  const ref = parseKey(key)
  if (!ref) throw new TrackerRejected(`Cannot find GitLab issue "${key}": a key is like group/project#12`)
  return ref
}

/**
 * GitLab shows a title without Markdown and character references, but looks for mentions, references, emoji and addresses in it
 * (https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/banzai/pipeline/single_line_pipeline.rb): a word joiner, which is not seen, breaks them up.
 * At most 255 characters, as GitLab takes them.
 */
function harmlessTitle(title: string): string {
  const broken = plainLine(title).replace(/[@#!&~%$](?=[\w"])|:(?=\/\/|[\w+-]+:)|[[*](?=\w+:)|(?<=\bwww)\.|(?<=\bGL)-(?=\d)/gi, '$&\u2060')
  return cutLine(broken, 255)
}
