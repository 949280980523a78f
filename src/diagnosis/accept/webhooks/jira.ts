import { z } from '@hono/zod-openapi'
import { fieldErrors, type Parsed } from '../field-error.ts'
import { mapOf } from './delivery.ts'
import { jiraText } from './jira-text.ts'
import { authorKeysOf, type CommandEvent, type EventAround, holdsCommand, ignored, type TrackerEvent } from './tracker-event.ts'

const id = z.union([z.string(), z.number()])
const user = z.object({
  accountId: z.string().nullish(),
  accountType: z.string().nullish(),
  key: z.string().nullish(),
  name: z.string().nullish(),
  displayName: z.string().nullish(),
})
type User = z.infer<typeof user>

const message = z.object({
  webhookEvent: z.string(),
  issue_event_type_name: z.string().nullish(),
  timestamp: z.number().nullish(),
  user: user.nullish(),
  issue: z
    .object({ id, key: z.string(), fields: z.object({ description: z.unknown().optional(), labels: z.array(z.string()).nullish() }).nullish() })
    .nullish(),
  comment: z
    .object({ id, author: user.nullish(), body: z.unknown().optional(), created: z.string().nullish(), updated: z.string().nullish() })
    .nullish(),
  changelog: z.object({ id: id.nullish(), items: z.array(z.unknown()).nullish() }).nullish(),
})
type Message = z.infer<typeof message>
type Issue = NonNullable<Message['issue']>

const fields = Object.keys(message.shape)

/**
 * What a webhook of Jira delivers: `comment_created`, `jira:issue_updated` and `jira:issue_created`; `label` starts a diagnosis. Anything else
 * is ignored. A comment comes by `comment_created` from Cloud. Server and Data Center leave out the issue there, and tell the comment again
 * by `jira:issue_updated`; its id is the same. A Jira is never public.
 * https://developer.atlassian.com/cloud/jira/platform/webhooks/, https://developer.atlassian.com/server/jira/platform/webhooks/
 */
export function jiraEvent(body: unknown, { label }: EventAround): Parsed<TrackerEvent> {
  const parsed = message.safeParse(body)
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, body, fields) }
  const { webhookEvent, issue } = parsed.data
  if (!['comment_created', 'jira:issue_updated', 'jira:issue_created'].includes(webhookEvent))
    return { ok: true, value: ignored(`${webhookEvent.slice(0, 100)} means nothing here`) }
  if (!issue)
    return { ok: true, value: ignored('the issue is not in it; where this is Server or Data Center, "Issue updated" tells the same with it') }
  return {
    ok: true,
    value: commentOf(parsed.data, issue) ?? labelOf(parsed.data, issue, label) ?? ignored('there is neither a new command nor the label'),
  }
}

function commentOf({ comment, issue_event_type_name: type }: Message, issue: Issue): TrackerEvent | undefined {
  if (!comment || type === 'issue_comment_edited' || type === 'issue_comment_deleted') return undefined
  // Older ones do not tell an edit by name.
  if (comment.updated != null && comment.updated !== comment.created) return undefined
  const text = jiraText(comment.body)
  return holdsCommand(text) ? eventOf(comment.author, issue, { trigger: 'comment', id: `comment:${comment.id}`, text }) : undefined
}

function labelOf({ webhookEvent, user, changelog, timestamp }: Message, issue: Issue, wanted: string): TrackerEvent | undefined {
  const isNew = webhookEvent === 'jira:issue_created'
  if (isNew ? !issue.fields?.labels?.includes(wanted) : !(changelog?.items ?? []).some((item) => adds(item, wanted))) return undefined
  // Issues of ours have their trouble's id among the labels, and words of a pod in the description.
  if (issue.fields?.labels?.some((name) => /^tr-[0-9a-f]{20}$/.test(name))) return ignored('the text is our own')
  const when = isNew ? 'created' : (changelog?.id ?? timestamp ?? '')
  return eventOf(user, issue, { trigger: 'label', id: `label:${issue.id}:${wanted}:${when}`, text: jiraText(issue.fields?.description) })
}

/** A change lists all labels before and after, with spaces between. Its field `toString` is every object's method where it is missing. */
function adds(item: unknown, label: string): boolean {
  const change = mapOf(item)
  if (change?.field !== 'labels') return false
  const has = (text: unknown) => typeof text === 'string' && text.split(' ').includes(label)
  return has(change.toString) && !has(change.fromString)
}

function eventOf(author: User | null | undefined, issue: Issue, from: Pick<CommandEvent, 'trigger' | 'id' | 'text'>): TrackerEvent {
  if (!author) return ignored('it has no author')
  if (author.accountType === 'app') return ignored('an app did it')
  const { accountId, key, name, displayName } = author
  return {
    kind: 'command',
    ...from,
    author: displayName ?? name ?? accountId ?? '?',
    // Cloud has no names: the id may stand for one, as people copy it from the address of a profile.
    authorKeys: accountId == null ? authorKeysOf(key ?? undefined, name ?? undefined) : authorKeysOf(accountId, accountId),
    issueKey: issue.key,
    isPublic: false,
  }
}
