import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { standardWebhook } from '../../src/ports/tracker/standard-webhook.ts'
import { type Note, TrackerRejected } from '../../src/ports/tracker/tracker.ts'
import { type IssueSeen, type TrackerFault, type TrackerUnderTest, trackerContract } from './tracker.ts'
import { exampleDraft, exampleNote } from './tracker-notes.ts'

const secret = `whsec_${btoa('made up for the tests, not a secret')}`

interface Message {
  readonly type: string
  readonly timestamp: string
  readonly data: {
    readonly issue: string
    readonly marker: string
    readonly project: string
    readonly title: string
    readonly labels: readonly string[]
    readonly note: Note
  }
}

/** A receiver as the spec describes one: verifies the raw bytes, drops ids that it knows, keeps the newest message of each note and report. */
async function receiver() {
  const seen = new Set<string>()
  const notes = new Map<string, { id: string; issue: string; text: string }>()
  const reports = new Map<string, IssueSeen & { readonly project: string; readonly body: string }>()
  let fault: TrackerFault | undefined
  let status = 204
  let headers: Record<string, string> = {}
  const refused: string[] = []

  const take = (request: IncomingMessage, body: string) => {
    const message = new Webhook(secret).verify(body, request.headers as Record<string, string>) as Message
    const id = String(request.headers['webhook-id'])
    if (seen.has(id)) return
    seen.add(id)
    const { issue, marker, project, title, labels, note } = message.data
    const report = reports.get(issue)
    if (message.type === 'report.opened') reports.set(issue, { key: issue, project, title, labels, text: JSON.stringify(note), open: true, body })
    else if (message.type === 'report.closed') report && reports.set(issue, { ...report, open: false })
    else notes.set(`${issue} ${marker}`, { id, issue, text: body })
  }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const now = fault
    fault = undefined
    if (now === 'silent') return
    if (now === 'cut-before') return void request.socket.destroy()
    if (now === 'unavailable') return void response.writeHead(503, { 'retry-after': '7' }).end()
    if (now === 'rate-limited') return void response.writeHead(429, { 'retry-after': new Date(Date.now() + 7000).toUTCString() }).end()
    try {
      if (status === 204) take(request, body)
    } catch (error) {
      refused.push(String(error))
      return void response.writeHead(401).end()
    }
    if (now === 'cut-after') return void request.socket.destroy()
    response.writeHead(status, headers).end(status === 204 ? undefined : 'because of <reasons>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    seen,
    notes,
    reports,
    refused,
    fail: (next: TrackerFault) => {
      fault = next
    },
    answer: (next: number, withHeaders: Record<string, string> = {}) => {
      status = next
      headers = withHeaders
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const at = (url: string, options: { secret?: string; requestTimeoutMs?: number } = {}) =>
  standardWebhook({ url, secret, fetch, clock: { now: Date.now }, requestTimeoutMs: 1000, ...options })

trackerContract('standard-webhook', ['updating', 'faults', 'openings'], async (): Promise<TrackerUnderTest> => {
  const hook = await receiver()
  let issues = 0
  return {
    tracker: at(hook.url),
    newIssue: async () => `any text at all / ${++issues}`,
    notesOf: async (key) => [...hook.notes.values()].filter(({ issue }) => issue === key),
    writes: () => hook.seen.size,
    impossibleKey: ' ',
    failNext: hook.fail,
    project: 'any project at all',
    impossibleProject: 'two\nlines',
    issuesOf: async (project) => [...hook.reports.values()].filter((report) => report.project === project),
    close: hook.close,
  }
})

test('standard-webhook sends one signed message of the whole note', async () => {
  const hook = await receiver()
  const { noteId } = await at(hook.url).writeNote('APPLES-1', exampleNote(), { signal: AbortSignal.timeout(5000) })
  expect(hook.refused).toEqual([])
  const [received] = hook.notes.values()
  expect(noteId).toMatch(/^ad-01hzy3v8kq5m7n9p2r4t-[0-9a-f]{16}$/)
  expect(JSON.parse(received?.text ?? '')).toEqual({
    type: 'diagnosis.finished',
    timestamp: exampleNote().at,
    data: { issue: 'APPLES-1', ...exampleNote() },
  })
  await hook.close()
})

test('standard-webhook says of a note without an outcome that it is of no diagnosis', async () => {
  const hook = await receiver()
  const { outcome: _, ...note } = exampleNote({ marker: 'tr-0123456789abcdef0123-resolved' })
  await at(hook.url).writeNote('APPLES-1', note, { signal: AbortSignal.timeout(5000) })
  expect([...hook.notes.values()].map(({ text }) => (JSON.parse(text) as Message).type)).toEqual(['report.noted'])
  await hook.close()
})

test('standard-webhook opens a report by one signed message, the same whenever it is sent again', async () => {
  const hook = await receiver()
  const signal = AbortSignal.timeout(5000)
  const { key, state } = await at(hook.url).openIssue(exampleDraft({ type: 'Incident' }), { recurrence: 'new', signal })
  expect({ key, state }).toEqual({ key: 'tr-0123456789abcdef0123', state: 'made' })
  await at(hook.url).openIssue(exampleDraft({ type: 'Incident' }), { recurrence: 'reopen', signal })
  expect(hook.refused).toEqual([])
  expect([...hook.seen]).toEqual([expect.stringMatching(/^tr-0123456789abcdef0123-[0-9a-f]{16}$/)])
  const { project, labels, title, note } = exampleDraft()
  expect(JSON.parse(hook.reports.get(key)?.body ?? '')).toEqual({
    type: 'report.opened',
    timestamp: note.at,
    data: { issue: key, marker: key, project, labels, type: 'Incident', title, note },
  })
  await hook.close()
})

test('standard-webhook closes a report of any key by a message with an id of its own', async () => {
  const hook = await receiver()
  for (const key of ['tr-0123456789abcdef0123', 'Grüße / 1 \u{1f600}', 'tr-0123456789abcdef0123'])
    await at(hook.url).closeIssue(key, { signal: AbortSignal.timeout(5000) })
  expect(hook.refused).toEqual([])
  expect([...hook.seen]).toEqual([expect.stringMatching(/^closed-[0-9a-f]{16}$/), expect.stringMatching(/^closed-[0-9a-f]{16}$/)])
  await hook.close()
})

test('standard-webhook with another secret is refused by the receiver and says what to check', async () => {
  const hook = await receiver()
  const other = at(hook.url, { secret: `whsec_${btoa('another one that the other side has not')}` })
  await expect(other.writeNote('APPLES-1', exampleNote(), { signal: AbortSignal.timeout(5000) })).rejects.toThrow(
    /^Cannot send the report "APPLES-1" to the webhook http:.*\(401\); check that both sides have the same secret/,
  )
  expect(hook.refused).toHaveLength(1)
  await hook.close()
})

test.each([400, 403, 404, 410, 422, 301, 302, 307, 308])('standard-webhook is rejected by %i and follows no redirect', async (status) => {
  const hook = await receiver()
  const elsewhere = await receiver()
  hook.answer(status, { location: elsewhere.url })
  const error = await at(hook.url)
    .writeNote('APPLES-1', exampleNote(), { signal: AbortSignal.timeout(5000) })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TrackerRejected)
  expect((error as Error).message).toContain(status < 400 ? 'redirects are not followed' : String(status))
  expect(elsewhere.seen.size + elsewhere.refused.length).toBe(0)
  await hook.close()
  await elsewhere.close()
})

test.each(['', 'whsec_', 'secret', `whsec_${btoa('too short')}`, 'whsec_!!!'])('standard-webhook refuses the secret %j at its making', (bad) => {
  expect(() => at('http://127.0.0.1:1', { secret: bad })).toThrow('expected "whsec_" and base64 of 24 to 64 bytes')
})
