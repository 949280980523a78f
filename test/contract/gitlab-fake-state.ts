/** What a GitLab holds, and what it does to texts. */

export interface FakeUser {
  readonly id: number
  readonly username: string
  readonly token: string
  /** Others may read, and write notes of their own. */
  readonly role: 'member' | 'guest'
}

export interface FakeNote {
  readonly id: number
  body: string
  author: FakeUser
  readonly system: boolean
  /** Left out of answers, but counted by the pages: https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/api/notes.rb. */
  readonly unreadable: boolean
}

export interface FakeIssue {
  readonly id: number
  readonly iid: number
  readonly title: string
  description: string
  open: boolean
  movedTo: number | null
  readonly author: FakeUser
  readonly labels: readonly string[]
  readonly type: string
  notes: FakeNote[]
}

export interface FakeProject {
  readonly id: number
  readonly path: string
  archived: boolean
  iids: number
  issues: FakeIssue[]
}

export function fakeState() {
  const users: FakeUser[] = []
  const projects: FakeProject[] = []
  // GitLab's ids are of the whole installation, numbers of issues are of their project.
  let ids = 1000
  const nextId = () => ++ids
  const user = (username: string, role: FakeUser['role'] = 'member') => {
    const made: FakeUser = { id: nextId(), username, role, token: `glpat-made-up-${username}` }
    users.push(made)
    return made
  }
  const project = (path: string) => {
    const made: FakeProject = { id: nextId(), path, archived: false, iids: 0, issues: [] }
    projects.push(made)
    return made
  }
  const note = (issue: FakeIssue, author: FakeUser, body: string, kind: Partial<Pick<FakeNote, 'system' | 'unreadable'>> = {}) => {
    const made: FakeNote = { id: nextId(), author, body: stored(body), system: false, unreadable: false, ...kind }
    issue.notes.push(made)
    return made
  }
  const issue = (
    of: FakeProject,
    author: FakeUser,
    fields: { title: string; description?: string; labels?: readonly string[]; issue_type?: string },
  ) => {
    const made: FakeIssue = {
      id: nextId(),
      iid: ++of.iids,
      title: fields.title,
      description: stored(fields.description ?? ''),
      open: true,
      movedTo: null,
      author,
      // Who has no role gives no labels, and is not told so: https://docs.gitlab.com/user/permissions/.
      labels: author.role === 'member' ? (fields.labels ?? []) : [],
      type: fields.issue_type ?? 'issue',
      notes: [],
    }
    of.issues.push(made)
    return made
  }
  return {
    users,
    user,
    project,
    issue,
    note,
    /** By id or path. */
    projectOf: (name: string) => projects.find(({ id, path }) => String(id) === name || path === name),
    issueOf(key: string): FakeIssue {
      const [path = '', iid] = key.split('#')
      const found = projects.find((each) => each.path === path || String(each.id) === path)?.issues.find((each) => String(each.iid) === iid)
      if (!found) throw new Error(`Cannot find issue "${key}" in the fake`)
      return found
    },
  }
}

export type FakeState = ReturnType<typeof fakeState>

const commands = 'close|reopen|assign|unassign|label|unlabel|title|done|todo|due|confidential|lock|move|shrug|tableflip|react|cc'

/**
 * A text as GitLab keeps it: without carriage returns, white space at its end, and quick actions. It looks for those in all of the text but fenced blocks
 * that begin at a line's start, as before it knew Markdown (https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/gitlab/quick_actions/extractor.rb).
 */
export function stored(text: string): string {
  const pieces = text.replaceAll('\r', '').split(/(^```.+?\n```$)/ms)
  const command = new RegExp(`^/(?:${commands})(?: [^\\n]*)?(?:\\s*\\n|$)`, 'gim')
  return pieces
    .map((piece, at) => (at % 2 === 1 ? piece : piece.replace(command, '')))
    .join('')
    .trimEnd()
}
