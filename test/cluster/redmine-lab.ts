import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TrackerFault } from '../contract/tracker.ts'
import { labVariable } from './environment.ts'

export interface RedmineRow {
  readonly id: number
  readonly subject: string
  readonly description: string | null
  readonly status: { readonly is_closed: boolean }
}

export interface RedmineNote {
  readonly id: number
  readonly notes: string
}

/** The lab's Redmine as its administrator uses it. Everything made here is deleted by {@link clean}. */
export function redmineLab() {
  const url = labVariable('LAB_REDMINE_URL')
  const adminKey = labVariable('LAB_REDMINE_API_KEY')
  const made: string[] = []

  async function call(method: string, path: string, body?: unknown, apiKey = adminKey): Promise<Record<string, Record<string, unknown>>> {
    const headers = { 'x-redmine-api-key': apiKey, 'content-type': 'application/json' }
    const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await response.text()
    if (!response.ok) throw new Error(`Cannot ${method} ${path}: Redmine answered ${response.status} ${text}`)
    return text === '' ? {} : JSON.parse(text)
  }
  const make = async (kind: string, collection: string, fields: Record<string, unknown>) => {
    const object = (await call('POST', `/${collection}.json`, { [kind]: fields }))[kind]
    made.push(`/${collection}/${object?.id}.json`)
    return object as Record<string, unknown>
  }
  return {
    url,
    adminKey,
    call,
    newIssue: async (project = labVariable('LAB_REDMINE_PROJECT')) => {
      const { id } = await make('issue', 'issues', { project_id: project, subject: 'Made by a test of the tracker port' })
      return String(id)
    },
    newProject: async (fields: Record<string, unknown> = {}) => {
      const identifier = `tracker-${randomBytes(4).toString('hex')}`
      await make('project', 'projects', {
        name: identifier,
        identifier,
        is_public: true,
        tracker_ids: [1],
        enabled_module_names: ['issue_tracking'],
        ...fields,
      })
      return identifier
    },
    /** A user with the role in the project, or in none; its API key. */
    newUser: async (member?: { readonly project: string; readonly roleName: string }) => {
      const login = `tracker-${randomBytes(4).toString('hex')}`
      const { id } = await make('user', 'users', {
        login,
        firstname: 'Tracker',
        lastname: 'Test',
        mail: `${login}@example.net`,
        password: randomBytes(9).toString('hex'),
      })
      if (member) {
        const { roles } = (await call('GET', '/roles.json')) as unknown as { roles: { id: number; name: string }[] }
        const role = roles.find(({ name }) => name === member.roleName)
        await call('POST', `/projects/${member.project}/memberships.json`, { membership: { user_id: id, role_ids: [role?.id] } })
      }
      return String((await call('GET', `/users/${id}.json`)).user?.api_key)
    },
    notesOf: async (key: string): Promise<readonly RedmineNote[]> => {
      const { issue } = await call('GET', `/issues/${key}.json?include=journals`)
      return ((issue?.journals ?? []) as RedmineNote[]).filter(({ notes }) => notes)
    },
    addNote: (key: string, notes: string) => call('PUT', `/issues/${key}.json`, { issue: { notes } }),
    editNote: (id: number | string, notes: string) => call('PUT', `/journals/${id}.json`, { journal: { notes } }),
    /** The last 100, oldest first. */
    issuesOf: async (project: string): Promise<readonly RedmineRow[]> => {
      const { issues } = await call('GET', `/issues.json?project_id=${project}&status_id=*&sort=id:desc&limit=100`)
      return (issues as unknown as RedmineRow[]).reverse()
    },
    issueOf: async (key: string) => (await call('GET', `/issues/${key}.json`)).issue as unknown as RedmineRow,
    changeIssue: (key: string, fields: Record<string, unknown>) => call('PUT', `/issues/${key}.json`, { issue: fields }),
    deleteIssue: (key: string) => call('DELETE', `/issues/${key}.json`),
    clean: async () => {
      // A project takes its issues with it; what is gone already is fine.
      for (const path of made.reverse()) await call('DELETE', path).catch(() => undefined)
    },
  }
}

/** An HTTP proxy in front of Redmine that fails as it is told at the next request that would write. */
export async function faultyProxy(upstream: string) {
  let fault: TrackerFault | 'swallowed' | undefined
  let writes = 0
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const writing = request.method !== 'GET'
    requests.push(`${request.method} ${request.url}`)
    const now = writing ? fault : undefined
    if (writing) fault = undefined
    if (now === 'silent') return
    if (now === 'swallowed') return void response.writeHead(204).end()
    if (now === 'cut-before') return void request.socket.destroy()
    if (now === 'unavailable') return void response.writeHead(503, { 'retry-after': '7' }).end()
    if (now === 'rate-limited') return void response.writeHead(429, { 'retry-after': new Date(Date.now() + 7000).toUTCString() }).end()
    const headers = Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name)) as [string, string][]
    const answer = await fetch(`${upstream}${request.url}`, {
      method: request.method ?? 'GET',
      headers,
      ...(writing ? { body } : {}),
      redirect: 'manual',
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (writing && answer.ok) writes += 1
    if (now === 'cut-after') return void request.socket.destroy()
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }).end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    writes: () => writes,
    fail: (next: TrackerFault | 'swallowed') => {
      fault = next
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What the issue's page, as anyone sees it, shows of a note: its text, and the addresses of its links. */
export function renderedNote(url: string, key: string, id: number): Promise<string> {
  return rendered(url, key, new RegExp(`<div id="journal-${id}-notes"[\\s\\S]*?</div>`))
}

/** The same of the issue's description. */
export function renderedDescription(url: string, key: string): Promise<string> {
  return rendered(url, key, /<p><strong>Description<\/strong><\/p>[\s\S]*?<\/div>/)
}

async function rendered(url: string, key: string, part: RegExp): Promise<string> {
  const page = await (await fetch(`${url}/issues/${key}`)).text()
  const found = part.exec(page)?.[0]
  if (found === undefined) throw new Error(`Cannot find ${part} on the page of issue ${key}`)
  return withoutReferences(found.replace(/<a [^>]*href="([^"]*)"[^>]*>/g, '$1 ').replace(/<[^>]+>/g, ''))
}

/** HTML's character references as the characters that they stand for. */
export function withoutReferences(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')
}
