import { z } from '@hono/zod-openapi'
import { fieldErrors, type Parsed } from '../field-error.ts'
import { authorKeysOf, type EventAround, holdsCommand, ignored, isOurs, type TrackerEvent } from './tracker-event.ts'

const user = z.object({ id: z.number().nullish(), username: z.string() })
const project = z.object({ path_with_namespace: z.string(), visibility_level: z.number().nullish(), visibility: z.string().nullish() })
type Project = z.infer<typeof project>
/** Groups have work items, too, of which the issues of the API know nothing. */
const noProject = { ok: true, value: ignored('it belongs to a group; use an issue of a project') } as const
const labelled = z.array(z.object({ title: z.string() })).nullish()

const noted = z.object({
  user,
  project: project.nullish(),
  event_type: z.string().nullish(),
  object_attributes: z.object({
    id: z.number(),
    note: z.string().nullish(),
    created_at: z.string().nullish(),
    updated_at: z.string().nullish(),
    system: z.boolean().nullish(),
    action: z.string().nullish(),
    noteable_type: z.string(),
  }),
  issue: z.object({ iid: z.number(), confidential: z.boolean().nullish() }).nullish(),
})

const changed = z.object({
  user,
  project: project.nullish(),
  event_type: z.string().nullish(),
  object_attributes: z.object({
    id: z.number(),
    iid: z.number(),
    description: z.string().nullish(),
    updated_at: z.string().nullish(),
    confidential: z.boolean().nullish(),
    action: z.string().nullish(),
    labels: labelled,
  }),
  changes: z.object({ labels: z.object({ previous: labelled, current: labelled }).nullish() }).nullish(),
  labels: labelled,
})

const fields = ['object_kind', 'user', 'project', 'object_attributes', 'issue', 'labels', 'changes']
/** Beside `issue`, those that GitLab tells apart as work items: incidents, tasks and their like. */
const issueKinds = ['issue', 'work_item']

/**
 * What a webhook of GitLab delivers, triggers "Comments", "Work item events" and their confidential kin; `label` starts a diagnosis.
 * Anything else is ignored, and what GitLab and we ourselves write.
 * https://docs.gitlab.com/user/project/integrations/webhook_events/
 */
export function gitlabEvent(body: unknown, around: EventAround): Parsed<TrackerEvent> {
  const kind = z.object({ object_kind: z.string() }).safeParse(body)
  if (!kind.success) return { ok: false, errors: fieldErrors(kind.error.issues, body, fields) }
  const { object_kind } = kind.data
  if (object_kind === 'note') return readNote(body)
  if (issueKinds.includes(object_kind)) return readIssue(body, around.label)
  return { ok: true, value: ignored(`${object_kind.slice(0, 100)} means nothing here`) }
}

function readNote(body: unknown): Parsed<TrackerEvent> {
  const parsed = noted.safeParse(body)
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, body, fields) }
  const { user, project, object_attributes: note, issue, event_type } = parsed.data
  const text = note.note ?? ''
  if (!project) return noProject
  if (!issue) return { ok: true, value: ignored(`comments on a ${note.noteable_type.slice(0, 100)} mean nothing here; use an issue`) }
  if (note.system === true) return { ok: true, value: ignored('GitLab wrote it') }
  // Before 16.11 only new comments were delivered, without an action.
  if ((note.action ?? 'create') !== 'create') return { ok: true, value: ignored('only new comments count') }
  if (isOurs(text)) return { ok: true, value: ignored('the text is our own') }
  if (!holdsCommand(text)) return { ok: true, value: ignored('the comment holds no command') }
  return {
    ok: true,
    value: {
      kind: 'command',
      trigger: 'comment',
      id: `comment:${note.id}`,
      author: user.username,
      authorKeys: authorKeysOf(user.id ?? undefined, user.username),
      issueKey: `${project.path_with_namespace}#${issue.iid}`,
      isPublic: isPublic(project) && issue.confidential !== true && event_type !== 'confidential_note',
      text,
    },
  }
}

function readIssue(body: unknown, wanted: string): Parsed<TrackerEvent> {
  const parsed = changed.safeParse(body)
  if (!parsed.success) return { ok: false, errors: fieldErrors(parsed.error.issues, body, fields) }
  const { user, project, object_attributes: issue, event_type } = parsed.data
  const text = issue.description ?? ''
  if (!project) return noProject
  if (!isNew(parsed.data, wanted)) return { ok: true, value: ignored(`the label "${wanted}" was not added`) }
  if (isOurs(text)) return { ok: true, value: ignored('the text is our own') }
  return {
    ok: true,
    value: {
      kind: 'command',
      trigger: 'label',
      id: `label:${issue.id}:${wanted}:${issue.updated_at ?? ''}`,
      author: user.username,
      authorKeys: authorKeysOf(user.id ?? undefined, user.username),
      issueKey: `${project.path_with_namespace}#${issue.iid}`,
      isPublic: isPublic(project) && issue.confidential !== true && event_type !== 'confidential_issue',
      text,
    },
  }
}

/** Whether the label came with this change; a new issue has no change that says so. */
function isNew({ object_attributes: issue, changes, labels }: z.infer<typeof changed>, wanted: string): boolean {
  const has = (list: z.infer<typeof labelled>) => (list ?? []).some(({ title }) => title === wanted)
  if (changes?.labels) return has(changes.labels.current) && !has(changes.labels.previous)
  return issue.action === 'open' && (has(issue.labels) || has(labels))
}

/** 0 is private, 10 internal: for who has an account there. https://docs.gitlab.com/user/public_access/ */
function isPublic({ visibility_level, visibility }: Project): boolean {
  return visibility_level === 20 || (visibility_level == null && visibility === 'public')
}
