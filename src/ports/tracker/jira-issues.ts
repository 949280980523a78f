import { jiraBody, jiraLabels, jiraSummary } from './jira-body.ts'
import type { JiraHttp } from './jira-http.ts'
import { type JiraIssue, type JiraIssuesApi, typeOf } from './jira-issues-api.ts'
import { oneIssue } from './one-issue.ts'
import { type IssueDraft, type Tracker, TrackerRejected } from './tracker.ts'

interface JiraIssuesDeps {
  readonly http: JiraHttp
  readonly api: JiraIssuesApi
  readonly account: (signal: AbortSignal) => Promise<string>
}

/** So many of the newest issues with a marker are looked at for one that is open. */
const candidates = 5
/** How far the index of Jira Cloud may be behind: so many keys before and after the newest issue that it knows are asked for one by one. */
const window = { before: 10, after: 40 }

/**
 * Opening and closing of issues. An issue is ours if our account made it and it has its marker as a label.
 *
 * Labels are found by a search, and a search knows a new issue a while after it was made: on Cloud and in a Data Center of several nodes, usually within
 * seconds. So the known key is looked at first. Where there is none, Cloud is asked for the newest keys of the project themselves. What remains: on Data Center, a
 * crash between making and saving whose repetition reaches another node within its replication delay may make a second issue.
 */
export function jiraIssues({ http, api, account }: JiraIssuesDeps): Pick<Tracker, 'openIssue' | 'closeIssue'> {
  const url = (key: string) => `${http.root}/browse/${key}`

  /** Newest first. */
  async function withMarker({ project, note: { marker } }: IssueDraft, signal: AbortSignal): Promise<readonly string[]> {
    const what = `Cannot look for issues in Jira project "${project}"`
    const ours = `project = "${project}" AND labels = "${marker}" AND creator = currentUser() ORDER BY created DESC`
    const indexed = await api.search(what, ours, candidates, signal)
    if (!http.cloud) return indexed
    const [newest] = await api.search(what, `project = "${project}" ORDER BY created DESC`, 1, signal)
    const number = newest?.startsWith(`${project}-`) ? Number(newest.slice(project.length + 1)) : 0
    const first = Math.max(1, number - window.before)
    const keys = Array.from({ length: number + window.after - first + 1 }, (_, at) => `${project}-${first + at}`)
    const late = await api.withLabel(what, keys, marker, await account(signal), signal)
    return [...late.toReversed(), ...indexed.filter((key) => !late.includes(key))]
  }

  /** The newest that is open, else the newest. */
  async function newestWithMarker(draft: IssueDraft, signal: AbortSignal): Promise<JiraIssue | undefined> {
    let newest: JiraIssue | undefined
    for (const key of (await withMarker(draft, signal)).slice(0, candidates)) {
      const issue = await api.issue(key, signal)
      if (issue && !issue.closed) return issue
      newest ??= issue
    }
    return newest
  }

  const found = (issue: JiraIssue | undefined) => issue && { key: issue.key, url: url(issue.key), open: !issue.closed }

  return {
    openIssue(draft, openOptions) {
      return oneIssue(
        {
          get: async (key, signal) => found(await api.issue(key, signal)),
          newest: async (wanted, signal) => found(await newestWithMarker(wanted, signal)),
          async make({ note, project, type, title, labels }, signal) {
            const { body, marker } = await jiraBody(note, http.cloud)
            const issue = {
              project,
              typeId: await typeOf(api, project, type, signal),
              summary: jiraSummary(title),
              labels: [...new Set([...jiraLabels(labels), marker])],
              description: body,
            }
            const key = await api.create(issue, signal)
            return { key, url: url(key) }
          },
          // Where the workflow has no way back, the note that follows is all that can be done.
          reopen: async ({ key }, signal) => !(await api.move(`Cannot reopen Jira issue "${key}"`, key, ['new', 'indeterminate'], signal)),
        },
        draft,
        openOptions,
      )
    },
    async closeIssue(key, { signal }) {
      const what = `Cannot close Jira issue "${key}"`
      const issue = await api.issue(key, signal)
      if (!issue) throw new TrackerRejected(`${what}: there is no such issue for the account (404); check that it may browse the project`)
      if (issue.closed) return
      const wrong = await api.move(what, key, ['done'], signal)
      // Refused because another has closed it meanwhile?
      if (wrong && !(await api.issue(key, signal))?.closed) throw new TrackerRejected(`${what}: ${wrong}`)
    },
  }
}
