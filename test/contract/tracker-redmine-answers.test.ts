import { expect, test } from 'vitest'
import { redmine } from '../../src/ports/tracker/redmine.ts'
import { TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { exampleDraft } from './tracker-notes.ts'

/** What Redmines answer that are not like the lab's: older, full, or set up in another way. */

interface Row {
  readonly id: number
  status: { id: number; is_closed?: boolean }
  readonly description: string
  readonly allowed_statuses?: readonly { id: number; is_closed: boolean }[]
}

interface Setup {
  readonly rows?: readonly Row[]
  /** What becomes of a change of status; default: it is taken. */
  readonly onStatus?: (row: Row, status: number) => Response | undefined
  /** What becomes of the description of a new issue; default: it is kept. */
  readonly keeps?: (description: string) => string | null
}

const statuses = [
  { id: 1, name: 'New' },
  { id: 5, name: 'Closed', is_closed: true },
]

/** A Redmine before 5.0: no filter by words, and an issue tells neither whether its status is a closed one nor what is allowed. */
function older({ rows = [], onStatus, keeps = (description) => description }: Setup = {}) {
  const table = [...rows]
  const requests: string[] = []
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    requests.push(`${request.method} ${pathname}`)
    const id = /^\/issues\/(\d+)\.json$/.exec(pathname)?.[1]
    const row = table.find((each) => String(each.id) === id)
    if (pathname === '/issue_statuses.json') return Response.json({ issue_statuses: statuses })
    if (pathname === '/issues.json' && request.method === 'POST') {
      const { issue } = (await request.json()) as { issue: { description: string } }
      const made: Row = { id: table.length + 1, status: { id: 1 }, description: keeps(issue.description) as string }
      table.push(made)
      return Response.json({ issue: made }, { status: 201 })
    }
    if (pathname === '/issues.json') {
      const offset = Number(searchParams.get('offset'))
      return Response.json({ issues: table.toReversed().slice(offset, offset + Number(searchParams.get('limit'))) })
    }
    if (!row) return new Response('', { status: 404 })
    if (request.method === 'GET') return Response.json({ issue: row })
    const { issue } = (await request.json()) as { issue: { status_id: number } }
    const said = onStatus?.(row, issue.status_id)
    if (!onStatus) row.status = { id: issue.status_id }
    return said ?? new Response(null, { status: 204 })
  }
  const tracker = redmine({ url: 'https://redmine.example', apiKey: 'made-up-key', fetch: answer, clock: { now: () => 0 } })
  return { tracker, table, requests }
}

const signal = AbortSignal.timeout(30_000)
const draft = exampleDraft()
const marked = `Text\r\n\r\n<!-- autodiagnose ${draft.note.marker} 0123456789abcdef -->`
const others = (count: number, from: number): Row[] =>
  Array.from({ length: count }, (_, at) => ({ id: from + at, status: { id: 1 }, description: 'Another' }))

test('an older Redmine tells by its list of statuses what is closed, and which status to set', async () => {
  const { tracker, table } = older({ rows: [{ id: 1, status: { id: 1 }, description: marked }] })
  await tracker.closeIssue('1', { signal })
  expect(table[0]?.status.id).toBe(5)
  expect(await tracker.openIssue(draft, { recurrence: 'comment', signal })).toMatchObject({ key: '1', state: 'found' })
  expect(await tracker.openIssue(draft, { recurrence: 'reopen', signal })).toMatchObject({ key: '1', state: 'reopened' })
  expect(table[0]?.status.id).toBe(1)
})

test('finds the issue on a later page where the list cannot be filtered by words', async () => {
  const { tracker } = older({ rows: [{ id: 1, status: { id: 1 }, description: marked }, ...others(250, 2)] })
  expect(await tracker.openIssue(draft, { recurrence: 'reopen', signal })).toMatchObject({ key: '1', state: 'found' })
})

test('gives up the search after the newest thousand issues and opens another', async () => {
  const { tracker, requests } = older({ rows: [{ id: 1, status: { id: 1 }, description: marked }, ...others(1000, 2)] })
  expect(await tracker.openIssue(draft, { recurrence: 'reopen', signal })).toMatchObject({ key: '1002', state: 'made' })
  expect(requests.filter((request) => request === 'GET /issues.json')).toHaveLength(10)
})

test.each<[string, Setup['onStatus']]>([
  ['ignores it', () => undefined],
  ['forbids it', () => new Response('', { status: 403 })],
  ['asks for more', () => Response.json({ errors: ['Resolution cannot be blank'] }, { status: 422 })],
])('a change of status where Redmine %s: the closed issue is found, and closing is rejected with why', async (_, onStatus) => {
  const rows: Row[] = [
    { id: 1, status: { id: 5 }, description: marked },
    { id: 2, status: { id: 1 }, description: 'Open' },
  ]
  const { tracker } = older({ rows, ...(onStatus && { onStatus }) })
  expect(await tracker.openIssue(draft, { recurrence: 'reopen', signal })).toMatchObject({ key: '1', state: 'found' })
  const error = await tracker.closeIssue('2', { signal }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TrackerRejected)
  expect((error as Error).message).toMatch(
    /^Cannot close Redmine issue "2": (the workflow|it answered 403;|it answered 422 \(Resolution cannot be blank\);).*"Edit own issues"/,
  )
})

test('sets no status that the workflow does not allow', async () => {
  const allowed_statuses = [{ id: 5, is_closed: true }]
  const { tracker, requests } = older({ rows: [{ id: 1, status: { id: 5, is_closed: true }, description: marked, allowed_statuses }] })
  expect(await tracker.openIssue(draft, { recurrence: 'reopen', signal })).toMatchObject({ state: 'found' })
  expect(requests.filter((request) => !request.startsWith('GET'))).toEqual([])
})

test.each<[string, string | null]>([
  ['drops', null],
  ['replaces', 'Template of the project'],
])('is rejected by a Redmine that %s the description, for the issue would not be found again', async (_, description) => {
  const { tracker } = older({ keeps: () => description })
  const error = await tracker.openIssue(draft, { recurrence: 'reopen', signal }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TrackerRejected)
  expect((error as Error).message).toMatch(/^Cannot open an issue in Redmine project "apples": issue 1 was made without its description/)
})

test('is unavailable where a proxy answers with a page', async () => {
  const tracker = redmine({
    url: 'https://redmine.example',
    apiKey: 'made-up-key',
    fetch: async () => new Response('<html>'),
    clock: { now: () => 0 },
  })
  await expect(tracker.openIssue(draft, { recurrence: 'reopen', signal })).rejects.toBeInstanceOf(TrackerUnavailable)
})

test.each(['../1', '0', '12/../13', 'apples', ''])('asks for no issue by the known key %j, which can name none', async (knownKey) => {
  const { tracker, requests } = older()
  expect((await tracker.openIssue(draft, { recurrence: 'reopen', knownKey, signal })).state).toBe('made')
  expect(requests).toEqual(['GET /issues.json', 'POST /issues.json'])
})

test.each([
  ['apples', true],
  ['a-b_c9', true],
  ['12a', true],
  ['12', false],
  ['Apples', false],
  ['a/b', false],
  ['a?b', false],
  ['a b', false],
  ['x'.repeat(101), false],
])('project %j may be one: %s', (project, may) => {
  expect(older().tracker.complainAboutProject(project) === undefined).toBe(may)
})
