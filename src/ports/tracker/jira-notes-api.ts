import { z } from 'zod'
import type { JiraBody, JiraLink } from './jira-body.ts'
import type { JiraHttp } from './jira-http.ts'

/** A comment, as far as notes go. */
export interface JiraComment {
  readonly id: string
  /** Account id (Cloud) or key (Server) of who wrote it, and of who edited it last. */
  readonly author: string | undefined
  readonly editor: string | undefined
  /** What we noted beside it, where it is a note of ours. */
  readonly mark: { readonly marker: string; readonly digest: string } | undefined
}

/** The part of Jira's REST API that notes need: comments with their properties, and links to elsewhere. */
export interface JiraNotesApi {
  /** Who the token belongs to. */
  account(signal: AbortSignal): Promise<string>
  /** All comments of the issue, oldest first. */
  comments(key: string, signal: AbortSignal): Promise<readonly JiraComment[]>
  addComment(key: string, body: JiraBody, signal: AbortSignal): Promise<void>
  /** False where it is gone or the account may not. */
  editComment(key: string, id: string, body: JiraBody, signal: AbortSignal): Promise<boolean>
  /** May do nothing where it is gone or the account may not. */
  deleteComment(key: string, id: string, signal: AbortSignal): Promise<void>
  /** Makes sure that the issue has this link. May do nothing where the account may not link, or linking is switched off. */
  link(key: string, link: JiraLink, signal: AbortSignal): Promise<void>
}

/** Where marker and digest stand: https://developer.atlassian.com/cloud/jira/platform/jira-entity-properties/ */
const property = 'autodiagnose'

const user = z.object({ accountId: z.string().nullish(), key: z.string().nullish(), name: z.string().nullish() })
// Data Center's description calls it text, its answers have it as it was sent: both are understood.
const mark = z.preprocess((value) => (typeof value === 'string' ? parsed(value) : value), z.object({ marker: z.string(), digest: z.string() }))
const comment = z.object({
  id: z.string(),
  author: user.nullish(),
  updateAuthor: user.nullish(),
  properties: z.array(z.object({ key: z.string(), value: z.unknown() })).default([]),
})
const commentPage = z.object({ total: z.number(), comments: z.array(comment) })
const remoteLink = z.object({ object: z.object({ url: z.string().nullish(), title: z.string().nullish() }).nullish() })

const pageSize = 100

/**
 * Marker and digest are a property of the comment: written with it in one request, not to be seen or changed on Jira's pages, and listed with
 * `expand=properties`. Cloud and Server take both, as integrations of Jira Service Management have relied on for years (`sd.public.comment`).
 */
export function jiraNotesApi({ call, read, accept }: JiraHttp): JiraNotesApi {
  return {
    async account(signal) {
      const what = 'Cannot tell whose token it is at Jira'
      return idOf(read(await call(what, 'GET', '/myself', signal), user, what)) ?? ''
    },
    async comments(key, signal) {
      const what = `Cannot read Jira issue "${key}"`
      const found: JiraComment[] = []
      for (;;) {
        const query = `startAt=${found.length}&maxResults=${pageSize}&orderBy=created&expand=properties`
        const page = read(await call(what, 'GET', `/issue/${key}/comment?${query}`, signal), commentPage, what)
        found.push(...page.comments.map(ours))
        if (page.comments.length === 0 || found.length >= page.total) return found.sort((a, b) => Number(a.id) - Number(b.id))
      }
    },
    async addComment(key, body, signal) {
      const what = `Cannot add a comment to Jira issue "${key}"`
      accept(await call(what, 'POST', `/issue/${key}/comment`, signal, commentOf(body)), what)
    },
    async editComment(key, id, body, signal) {
      const what = `Cannot edit comment ${id} of Jira issue "${key}"`
      const answer = await call(what, 'PUT', `/issue/${key}/comment/${id}`, signal, commentOf(body))
      // Jira says 400 where the right is missing, and on Server also where the comment is gone.
      if ([400, 401, 403, 404].includes(answer.status)) return false
      accept(answer, what)
      return true
    },
    async deleteComment(key, id, signal) {
      await call(`Cannot delete comment ${id} of Jira issue "${key}"`, 'DELETE', `/issue/${key}/comment/${id}`, signal)
    },
    async link(key, { globalId, url, title }, signal) {
      const what = `Cannot link Jira issue "${key}"`
      const path = `/issue/${key}/remotelink`
      const known = await call(what, 'GET', `${path}?globalId=${encodeURIComponent(globalId)}`, signal)
      const same = known.status === 200 ? read(known, remoteLink, what).object : undefined
      if (same?.url === url && same.title === title) return
      const application = { type: 'dev.autodiagnose', name: 'Autodiagnose' }
      await call(what, 'POST', path, signal, { globalId, application, object: { url, title } })
    },
  }
}

/** In a service project, a comment is seen by customers unless it is internal; elsewhere the second property means nothing. */
function commentOf({ body, marker, digest }: JiraBody): unknown {
  return {
    body,
    properties: [
      { key: property, value: { marker, digest } },
      { key: 'sd.public.comment', value: { internal: true } },
    ],
  }
}

function ours({ id, author, updateAuthor, properties }: z.infer<typeof comment>): JiraComment {
  return { id, author: idOf(author), editor: idOf(updateAuthor), mark: mark.safeParse(properties.find(({ key }) => key === property)?.value).data }
}

function idOf(who: z.infer<typeof user> | null | undefined): string | undefined {
  return who?.accountId ?? who?.key ?? who?.name ?? undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
