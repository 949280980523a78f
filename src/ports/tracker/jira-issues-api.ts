import { z } from 'zod'
import type { JiraBody } from './jira-body.ts'
import { complaintOf, type JiraHttp } from './jira-http.ts'
import { TrackerRejected } from './tracker.ts'

export interface JiraIssue {
  /** As it is now: an issue that was moved has another key. */
  readonly key: string
  readonly closed: boolean
}

export interface NewJiraIssue {
  readonly project: string
  readonly typeId: string
  readonly summary: string
  readonly labels: readonly string[]
  readonly description: JiraBody['body']
}

/** Jira's categories of statuses: open, in progress, closed. */
export type StatusCategory = 'new' | 'indeterminate' | 'done'

/** The part of Jira's REST API that issues need. */
export interface JiraIssuesApi {
  /** Undefined where there is none, or not for the account. */
  issue(key: string, signal: AbortSignal): Promise<JiraIssue | undefined>
  /** Keys of at most `limit` issues, in the order of the query. */
  search(what: string, jql: string, limit: number, signal: AbortSignal): Promise<readonly string[]>
  /** Those of the keys that name an issue of this account with this label, whatever the index says. Cloud only; at most 100 keys. */
  withLabel(what: string, keys: readonly string[], label: string, account: string, signal: AbortSignal): Promise<readonly string[]>
  /** Types that an issue of the project may have, subtasks left out. */
  types(project: string, signal: AbortSignal): Promise<readonly z.infer<typeof type>[]>
  create(issue: NewJiraIssue, signal: AbortSignal): Promise<string>
  /** Moves the issue to a status of the first of these categories that its workflow offers. What is wrong, for a message, or undefined when it is done. */
  move(what: string, key: string, to: readonly StatusCategory[], signal: AbortSignal): Promise<string | undefined>
}

const status = z.object({ statusCategory: z.object({ key: z.string() }) })
const issueAnswer = z.object({ key: z.string(), fields: z.object({ status }) })
const found = z.object({ issues: z.array(z.object({ key: z.string() })).default([]) })
const labelled = z.object({
  issues: z.array(
    z.object({
      key: z.string(),
      fields: z.object({ labels: z.array(z.string()).default([]), creator: z.object({ accountId: z.string() }).nullish() }),
    }),
  ),
})
// Sites in other languages call them otherwise, and still know the English name.
const type = z.object({ id: z.string(), name: z.string(), untranslatedName: z.string().optional(), subtask: z.boolean().default(false) })
// Cloud calls its list `issueTypes`, Data Center `values`.
const typePage = z.object({ issueTypes: z.array(type).optional(), values: z.array(type).optional() })
const created = z.object({ key: z.string() })
const named = z.object({ id: z.string(), name: z.string().default('') })
const transition = z.object({
  id: z.string(),
  hasScreen: z.boolean().default(false),
  to: status,
  fields: z.object({ resolution: z.object({ allowedValues: z.array(named).default([]) }).optional() }).default({}),
})
const transitionList = z.object({ transitions: z.array(transition) })

export function jiraIssuesApi({ cloud, call, read, accept }: JiraHttp): JiraIssuesApi {
  return {
    async issue(key, signal) {
      const what = `Cannot read Jira issue "${key}"`
      const answer = await call(what, 'GET', `/issue/${key}?fields=status`, signal)
      if (answer.status === 404) return undefined
      const { key: now, fields } = read(answer, issueAnswer, what)
      return { key: now, closed: fields.status.statusCategory.key === 'done' }
    },
    async search(what, jql, limit, signal) {
      const query = { jql, maxResults: limit, fields: ['status'] }
      return read(await call(what, 'POST', cloud ? '/search/jql' : '/search', signal, query), found, what).issues.map(({ key }) => key)
    },
    async withLabel(what, keys, label, account, signal) {
      const query = { issueIdsOrKeys: keys, fields: ['labels', 'creator'] }
      const { issues } = read(await call(what, 'POST', '/issue/bulkfetch', signal, query), labelled, what)
      return issues.filter(({ fields }) => fields.labels.includes(label) && fields.creator?.accountId === account).map(({ key }) => key)
    },
    async types(project, signal) {
      const what = `Cannot tell the issue types of Jira project "${project}"`
      const answer = await call(what, 'GET', `/issue/createmeta/${project}/issuetypes?maxResults=100`, signal)
      const { issueTypes, values } = read(answer, typePage, what)
      return (issueTypes ?? values ?? []).filter(({ subtask }) => !subtask)
    },
    async create({ project, typeId, summary, labels, description }, signal) {
      const what = `Cannot open an issue in Jira project "${project}"`
      const fields = { project: { key: project }, issuetype: { id: typeId }, summary, description, labels }
      return read(await call(what, 'POST', '/issue', signal, { fields }), created, what).key
    },
    async move(what, key, to, signal) {
      const list = await call(what, 'GET', `/issue/${key}/transitions?expand=transitions.fields`, signal)
      const rank = ({ to: { statusCategory }, hasScreen }: z.infer<typeof transition>) => {
        const at = (to as readonly string[]).indexOf(statusCategory.key)
        // One with a screen may ask for fields that we do not know.
        return at < 0 ? -1 : 2 * at + Number(hasScreen)
      }
      const ways = read(list, transitionList, what).transitions.filter((way) => rank(way) >= 0)
      let wrong = 'its workflow offers the account no transition to such a status; give it "Transition issues", or add a transition'
      for (const way of ways.sort((a, b) => rank(a) - rank(b))) {
        const resolution = to.includes('done') ? resolutionOf(way.fields.resolution?.allowedValues ?? []) : undefined
        const fields = resolution ? { fields: { resolution: { id: resolution.id } } } : {}
        const answer = await call(what, 'POST', `/issue/${key}/transitions`, signal, { transition: { id: way.id }, ...fields })
        if (![400, 409, 422].includes(answer.status)) return void accept(answer, what)
        wrong = `Jira does not accept the transition (${answer.status})${complaintOf(answer)}`
      }
      return wrong
    },
  }
}

/** An issue that is closed without a resolution counts as unresolved in Jira's own reports. */
function resolutionOf(allowed: readonly z.infer<typeof named>[]): z.infer<typeof named> | undefined {
  return allowed.find(({ name }) => /^(done|fixed)$/i.test(name)) ?? allowed[0]
}

/** The type of a new issue: the one asked for, by its name; else Bug, where the project has it, else its first. */
export async function typeOf(api: JiraIssuesApi, project: string, wanted: string | undefined, signal: AbortSignal): Promise<string> {
  const types = await api.types(project, signal)
  const isCalled = (name: string, wanted: string | undefined) => wanted?.toLowerCase() === name.toLowerCase()
  const named = (name: string) => types.find((each) => isCalled(name, each.name) || isCalled(name, each.untranslatedName))
  const chosen = wanted === undefined ? (named('Bug') ?? types[0]) : named(wanted)
  if (chosen) return chosen.id
  const has = types.map(({ name }) => `"${name}"`).join(', ') || 'none that the account may create'
  throw new TrackerRejected(
    `Cannot open an issue in Jira project "${project}": it has no issue type ${wanted ? `"${wanted}"` : 'for it'}; it has ${has}`,
  )
}
