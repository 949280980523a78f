import type { IssueDraft, OpenedIssue, OpenOptions } from './tracker.ts'

/** An issue as far as opening it again needs it. */
export interface FoundIssue {
  readonly key: string
  readonly url?: string
  readonly open: boolean
}

/** What a tracker can do with issues; `Issue` may hold more that reopening needs. */
export interface IssueApi<Issue extends FoundIssue> {
  /** The issue with that key, whoever opened it; undefined if it is gone or the key can name none. */
  get(key: string, signal: AbortSignal): Promise<Issue | undefined>
  /** The newest issue of ours with the marker of the draft in its project. */
  newest(draft: IssueDraft, signal: AbortSignal): Promise<Issue | undefined>
  make(draft: IssueDraft, signal: AbortSignal): Promise<Pick<FoundIssue, 'key' | 'url'>>
  /** False where the tracker does not let us. */
  reopen(issue: Issue, signal: AbortSignal): Promise<boolean>
}

/** `Tracker.openIssue` for a tracker whose issues can be found by their marker. Where reopening is not allowed, the closed issue stays as it is. */
export async function oneIssue<Issue extends FoundIssue>(api: IssueApi<Issue>, draft: IssueDraft, options: OpenOptions): Promise<OpenedIssue> {
  const { recurrence, knownKey, signal } = options
  signal.throwIfAborted()
  const fits = (issue: Issue | undefined): issue is Issue => issue !== undefined && (issue.open || recurrence !== 'new')
  const known = knownKey === undefined ? undefined : await api.get(knownKey, signal)
  // After a crash the known one may be closed and its successor made already: so the newest is looked for, too.
  const issue = fits(known) ? known : await api.newest(draft, signal)
  if (!fits(issue)) return { ...(await api.make(draft, signal)), state: 'made' }
  const reopened = !issue.open && recurrence === 'reopen' && (await api.reopen(issue, signal))
  return { key: issue.key, ...(issue.url === undefined ? {} : { url: issue.url }), state: reopened ? 'reopened' : 'found' }
}
