/** What a fake Jira holds, and what a person does there. */
export interface FakeIssue {
  readonly id: string
  key: string
  readonly project: string
  summary: string
  description: unknown
  labels: readonly string[]
  readonly typeId: string
  status: keyof typeof statuses
  resolution: string | undefined
  readonly creator: string
  readonly comments: FakeComment[]
  readonly links: Map<string, { readonly id: number; readonly globalId: string; readonly object: { readonly url: string; readonly title: string } }>
  /** The search knows it from its so many-th query on. */
  readonly indexedAt: number
}

export interface FakeComment {
  readonly id: string
  readonly author: string
  updateAuthor: string
  body: unknown
  properties: readonly { readonly key: string; readonly value: unknown }[]
}

export const statuses = { 'To Do': 'new', 'In Progress': 'indeterminate', Done: 'done' } as const

export const service = 'user-of-the-service'
export const person = 'user-of-a-person'

/** The issue types of every project. */
export const types = [
  { id: '10010', name: 'Sub-task', subtask: true },
  { id: '10001', name: 'Task', subtask: false },
  { id: '10004', name: 'Bug', subtask: false },
] as const

export class FakeJiraState {
  readonly issues: FakeIssue[] = []
  /** Of issues that were deleted and that the search still finds. */
  readonly ghosts: string[] = []
  /** Issues become known to the search so many queries after they were made. */
  indexDelay = 0
  queries = 0
  private ids = 10_000
  private numbers = 0

  nextId(): string {
    this.ids += 1
    return String(this.ids)
  }

  add(issue: Pick<FakeIssue, 'project' | 'summary' | 'description' | 'labels' | 'typeId' | 'creator'>): FakeIssue {
    this.numbers += 1
    const made: FakeIssue = {
      ...issue,
      id: this.nextId(),
      key: `${issue.project}-${this.numbers}`,
      status: 'To Do',
      resolution: undefined,
      comments: [],
      links: new Map(),
      indexedAt: this.queries + this.indexDelay,
    }
    this.issues.push(made)
    return made
  }

  find(keyOrId: string): FakeIssue | undefined {
    return this.issues.find(({ key, id }) => key === keyOrId || id === keyOrId)
  }

  get(key: string): FakeIssue {
    const issue = this.find(key)
    if (!issue) throw new Error(`Cannot find issue "${key}" in the fake Jira`)
    return issue
  }

  remove(key: string): void {
    this.issues.splice(this.issues.indexOf(this.get(key)), 1)
    this.ghosts.push(key)
  }
}

type Node = { readonly text?: string; readonly type?: string; readonly marks?: readonly Mark[]; readonly content?: readonly Node[] }
type Mark = { readonly attrs?: { readonly href?: string } }

/** A body as a reader has it: a document's text and where its links lead, or wiki markup with its character references shown. */
export function readable(body: unknown): string {
  if (typeof body === 'string') return body.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
  const { text = '', type = '', marks = [], content = [] } = (body ?? {}) as Node
  const links = marks.flatMap(({ attrs }) => (attrs?.href ? [` <${attrs.href}>`] : []))
  const inside = content.map(readable).join('')
  return `${text}${links.join('')}${inside}${['paragraph', 'heading', 'codeBlock'].includes(type) ? '\n' : ''}`
}
