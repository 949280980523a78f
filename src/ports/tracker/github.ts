import { boundNote } from './bound-note.ts'
import { type GitHubComment, type GitHubIssue, type GitHubIssueRef, type GitHubOptions, githubApi } from './github-api.ts'
import { complainAboutPrivateKey } from './github-app.ts'
import { renderMarkdown } from './markdown.ts'
import { type MarkedText, markedText, ownNote } from './marked-text.ts'
import { type FoundIssue, oneIssue } from './one-issue.ts'
import { oneNote } from './one-note.ts'
import { cutLine, plainLine } from './plain-text.ts'
import { type Note, type Tracker, TrackerRejected, type WrittenNote } from './tracker.ts'

/**
 * GitHub and GitHub Enterprise Server, by token or as an app. A note is ours if our user wrote it and it has the marker line of {@link markedText}; an
 * issue likewise, by its description. An issue is looked for among the newest 1,000 that our user opened in the repository, by a list, for the search
 * lags behind; and not by label: a person may take it away, and GitHub drops those of a token that may not label.
 */
export function github(options: GitHubOptions): Tracker {
  const url = options.url.replace(/\/+$/, '')
  const complaintAboutKey = 'token' in options.auth ? undefined : complainAboutPrivateKey(options.auth.privateKey)
  if (complaintAboutKey) throw new Error(`Cannot use the private key of a github tracker: ${complaintAboutKey}`)
  const web = webOf(url)
  const api = githubApi({ ...options, url })
  /** What was added to an issue just now: a list may lag behind it. */
  const added = new Map<string, { readonly comment: GitHubComment; readonly until: number }>()
  const ours = async (user: { readonly login: string } | null | undefined, signal: AbortSignal) =>
    user?.login.toLowerCase() === (await api.login(signal)).toLowerCase()

  const write = oneNote<MarkedText>({
    issue: 'GitHub issue',
    addNeeds: 'give the token "Issues: Read and write"',
    async find(key, text, knownNoteId, signal) {
      const listed = await api.comments(refOf(key), signal)
      const last = added.get(key)
      added.delete(key)
      const lags = last !== undefined && options.clock.now() < last.until && !listed.some(({ id }) => id === last.comment.id)
      const comments = lags ? [...listed, last.comment] : listed
      const found = comments.map(async ({ id, body, user }) =>
        String(id) === knownNoteId || (await ours(user, signal)) ? ownNote(String(id), body ?? '', text) : undefined,
      )
      return (await Promise.all(found)).filter((own) => own !== undefined)
    },
    async add(key, text, signal) {
      added.set(key, { comment: await api.addComment(refOf(key), text.whole, signal), until: options.clock.now() + listLagMs })
    },
    edit: (key, id, text, signal) => api.editComment(refOf(key), Number(id), text.whole, signal),
    remove: (key, id, signal) => api.removeComment(refOf(key), Number(id), signal),
  })

  async function newestWith(text: MarkedText, project: string, signal: AbortSignal): Promise<GitHubIssue | undefined> {
    for await (const issue of api.issuesBy(await api.login(signal), project, signal)) if (await ownNote('', issue.body ?? '', text)) return issue
    return undefined
  }

  return {
    keyOfUrl(text) {
      const parsed = URL.parse(text)
      if (parsed?.origin !== web) return undefined
      const [, project = '', number] = /^\/([^/]+\/[^/]+)\/(?:issues|pull)\/([1-9]\d{0,9})(?:\/.*)?$/.exec(parsed.pathname) ?? []
      return repository.test(project) ? `${project}#${number}` : undefined
    },
    complainAboutKey(key) {
      return parseKey(key) ? undefined : `"${key.slice(0, 150)}" is not the repository and number of a GitHub issue, such as owner/repository#12`
    },
    async writeNote(key, note, { knownNoteId, signal }): Promise<WrittenNote> {
      const { id } = await write(key, await marked(note), knownNoteId, signal)
      const { owner, repo, number } = refOf(key)
      return { noteId: id, url: `${web}/${owner}/${repo}/issues/${number}#issuecomment-${id}` }
    },
    complainAboutProject(project) {
      return repository.test(project) ? undefined : `"${project.slice(0, 150)}" is not the name of a GitHub repository, such as owner/repository`
    },
    openIssue(draft, openOptions) {
      const found = (issue: GitHubIssue | undefined, project: string): FoundIssue | undefined =>
        issue && { key: `${project}#${issue.number}`, url: issue.html_url, open: issue.state === 'open' }
      return oneIssue(
        {
          async get(key, signal) {
            const ref = parseKey(key)
            return ref && found(await api.issue(ref, signal), `${ref.owner}/${ref.repo}`)
          },
          newest: async ({ note, project }, signal) => found(await newestWith(await marked(note), project, signal), project),
          async make({ title, note, labels, type, project }, signal) {
            const wanted = {
              title: cutLine(plainLine(title), maxTitle),
              body: (await marked(note)).whole,
              labels,
              ...(type === undefined ? {} : { type }),
            }
            const made = await api.addIssue(project, wanted, signal)
            return { key: `${project}#${made.number}`, url: made.html_url }
          },
          reopen: (issue, signal) => api.setState(refOf(issue.key), { state: 'open' }, signal),
        },
        draft,
        openOptions,
      )
    },
    async closeIssue(key, { signal }) {
      const ref = refOf(key)
      if ((await api.issue(ref, signal))?.state === 'closed') return
      if (!(await api.setState(ref, { state: 'closed', state_reason: 'completed' }, signal)))
        throw new TrackerRejected(`Cannot close GitHub issue "${key}": it was taken but is still open; give the token "Issues: Read and write"`)
    },
  }
}

const maxTitle = 256
const listLagMs = 10_000
const marked = (note: Note) => markedText(note.marker, renderMarkdown(boundNote(note, renderMarkdown)))

/** An owner, with the underscore of managed users, and a repository that is not `.` or `..`. */
const repository = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/

function parseKey(key: string): GitHubIssueRef | undefined {
  const [, project = '', number] = /^(.+)#([1-9]\d{0,9})$/.exec(key) ?? []
  const [owner = '', repo = ''] = project.split('/')
  return repository.test(project) ? { owner, repo, number: Number(number), key } : undefined
}

function refOf(key: string): GitHubIssueRef {
  const ref = parseKey(key)
  if (!ref) throw new TrackerRejected(`Cannot find GitHub issue "${key}": a key is like owner/repository#12`)
  return ref
}

/** Where people read: of `https://api.github.com` and `https://api.NAME.ghe.com` without `api.`; of a server's `/api/v3` the same host. */
function webOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return pathname === '/' ? origin.replace('//api.', '//') : origin
}
