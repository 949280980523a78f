import { z } from '@hono/zod-openapi'
import { fieldError, fieldErrors, type Parsed } from '../field-error.ts'
import { authorKeysOf, type EventAround, holdsCommand, ignored, isOurs, type TrackerEvent } from './tracker-event.ts'

const repository = z.object({ full_name: z.string(), private: z.boolean(), visibility: z.string().optional() })
const sender = z.object({ id: z.number(), login: z.string(), type: z.string() })
const issue = z.object({ id: z.number(), number: z.number(), body: z.string().nullish(), updated_at: z.string() })
const commented = z.object({ repository, sender, issue, comment: z.object({ id: z.number(), body: z.string().nullish() }) })
const labelled = z.object({ repository, sender, issue, label: z.object({ name: z.string() }) })
const fields = ['action', 'repository', 'sender', 'issue', 'comment', 'label']

/**
 * What a webhook of GitHub delivers, events `issue_comment` and `issues`; `label` starts a diagnosis, whatever its case, as GitHub compares
 * labels. Anything else is ignored, and what bots and we ourselves write.
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
export function githubEvent(body: unknown, around: EventAround): Parsed<TrackerEvent> {
  const event = around.headers.get('x-github-event')
  if (event === null) return { ok: false, errors: [fieldError('x-github-event', undefined, 'the header is missing: this is no webhook of GitHub')] }
  const action = z.object({ action: z.string().optional() }).safeParse(body)
  if (!action.success) return { ok: false, errors: fieldErrors(action.error.issues, body, fields) }
  const what = `${event} ${action.data.action ?? ''}`.trimEnd()
  if (what === 'issue_comment created') return readComment(body)
  if (what === 'issues labeled') return readLabel(body, around.label)
  return { ok: true, value: ignored(event === 'ping' ? 'the webhook was set up' : `${what.slice(0, 100)} means nothing here`) }
}

function readComment(body: unknown): Parsed<TrackerEvent> {
  const parsed = commented.safeParse(body)
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, body, fields) }
  const { comment } = parsed.data
  return { ok: true, value: eventOf(parsed.data, { trigger: 'comment', id: `comment:${comment.id}`, text: comment.body ?? '' }) }
}

function readLabel(body: unknown, wanted: string): Parsed<TrackerEvent> {
  const parsed = labelled.safeParse(body)
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, body, fields) }
  const { issue, label } = parsed.data
  const name = label.name.toLowerCase()
  if (name !== wanted.toLowerCase()) return { ok: true, value: ignored(`the label is not "${wanted}"`) }
  return {
    ok: true,
    value: eventOf(parsed.data, { trigger: 'label', id: `label:${issue.id}:${name}:${issue.updated_at}`, text: issue.body ?? '' }),
  }
}

function eventOf(
  { repository, sender, issue }: Pick<z.infer<typeof commented>, 'repository' | 'sender' | 'issue'>,
  from: { readonly trigger: 'comment' | 'label'; readonly id: string; readonly text: string },
): TrackerEvent {
  if (sender.type === 'Bot') return ignored('a bot did it')
  if (isOurs(from.text)) return ignored('the text is our own')
  if (from.trigger === 'comment' && !holdsCommand(from.text)) return ignored('the comment holds no command')
  return {
    kind: 'command',
    ...from,
    author: sender.login,
    authorKeys: authorKeysOf(sender.id, sender.login),
    issueKey: `${repository.full_name}#${issue.number}`,
    isPublic: repository.visibility === undefined ? !repository.private : repository.visibility === 'public',
  }
}
