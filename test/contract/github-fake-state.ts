import { description } from './github-fake-description.ts'

/** What GitHub keeps of a comment and of an issue; ids grow, as they do there. */
export interface FakeComment {
  readonly id: number
  readonly login: string
  body: string
}
export interface FakeIssue {
  readonly number: number
  readonly login: string
  title: string
  body: string
  state: 'open' | 'closed'
  stateReason: string | null
  readonly labels: readonly string[]
  readonly comments: FakeComment[]
  locked: boolean
  /** A pull request is an issue, too. */
  readonly pull: boolean
}
export interface FakeRepository {
  readonly name: string
  readonly issues: FakeIssue[]
  readonly deleted: Set<number>
  movedTo?: string
}

const example = (name: string) => (description.components.examples[name]?.value ?? {}) as Readonly<Record<string, unknown>>

/** How GitHub tells of what it keeps: its own examples, with what we know put in. */
export function githubViews(api: string, web: string) {
  const user = (login: string) => {
    const { user: base } = example('issue-comment') as { user: Record<string, unknown> }
    return { ...base, login, type: login.endsWith('[bot]') ? 'Bot' : 'User', html_url: `${web}/${login.replace(/^(.*)\[bot\]$/, 'apps/$1')}` }
  }
  return {
    user: (login: string) => ({ ...example('private-user-response-with-public-and-private-profile-information'), login }),
    app: (slug: string) => ({ ...example('integration'), slug }),
    token: (token: string, expires: number) => ({ ...example('installation-token'), token, expires_at: new Date(expires).toISOString() }),
    comment: (repository: FakeRepository, issue: FakeIssue, comment: FakeComment) => ({
      ...example('issue-comment'),
      id: comment.id,
      body: comment.body,
      user: user(comment.login),
      html_url: `${web}/${repository.name}/issues/${issue.number}#issuecomment-${comment.id}`,
      issue_url: `${api}/repos/${repository.name}/issues/${issue.number}`,
    }),
    issue: (repository: FakeRepository, issue: FakeIssue) => ({
      ...Object.fromEntries(Object.entries(example('issue')).filter(([name]) => name !== 'pull_request')),
      number: issue.number,
      title: issue.title,
      body: issue.body,
      state: issue.state,
      state_reason: issue.stateReason,
      locked: issue.locked,
      labels: issue.labels.map((name, at) => ({ id: at + 1, name, color: 'ededed', default: false })),
      comments: issue.comments.length,
      user: user(issue.login),
      html_url: `${web}/${repository.name}/${issue.pull ? 'pull' : 'issues'}/${issue.number}`,
      ...(issue.pull ? { pull_request: example('issue').pull_request } : {}),
    }),
  }
}
