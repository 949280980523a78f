import { describe, expect, onTestFinished, test } from 'vitest'
import { jira } from '../../src/ports/tracker/jira.ts'
import { TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { email, type JiraFakeOptions, jiraFake, token } from './jira-fake.ts'
import { person, service } from './jira-fake-state.ts'
import { exampleDraft, exampleNote } from './tracker-notes.ts'

const signal = AbortSignal.timeout(120_000)
const variants = [
  ['cloud', true],
  ['server', false],
] as const

function setup(options: JiraFakeOptions) {
  const fake = jiraFake(options)
  onTestFinished(() => expect(fake.complaints).toEqual([]))
  const account = options.cloud ? { email, token } : { token }
  const at = (fetch = fake.fetch, change: { token?: string; email?: string } = {}) =>
    jira({ url: fake.site, ...account, ...change, fetch, clock: { now: () => Date.parse('2026-11-27T12:00:00Z') } })
  const tracker = at()
  const newIssue = () => fake.state.add({ project: 'OPS', summary: 'Made up', description: '', labels: [], typeId: '10004', creator: person })
  const open = (change = {}, recurrence: 'reopen' | 'comment' | 'new' = 'reopen') =>
    tracker.openIssue(exampleDraft({ project: 'OPS', ...change }), { recurrence, signal })
  return { ...fake, at, tracker, newIssue, open }
}

/** Answers every request with this instead of the fake. */
const answering =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  async () =>
    new Response(body, { status, headers })

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: Error) => error,
  )

describe.each(variants)('jira %s: notes', (_, cloud) => {
  test('finds its note behind hundreds of comments', async () => {
    const { state, tracker, newIssue, writes } = setup({ cloud })
    const { key, comments } = newIssue()
    const others = (count: number) =>
      Array.from({ length: count }, () => ({ id: state.nextId(), author: person, updateAuthor: person, body: '', properties: [] }))
    comments.push(...others(230))
    const { noteId } = await tracker.writeNote(key, exampleNote(), { signal })
    comments.push(...others(120))
    const before = writes()
    expect(await tracker.writeNote(key, exampleNote(), { signal })).toMatchObject({ noteId })
    expect(writes()).toBe(before)
  })

  test("is not misled by a person's comment with its property", async () => {
    const { tracker, newIssue } = setup({ cloud })
    const { key, comments } = newIssue()
    await tracker.writeNote(key, exampleNote(), { signal })
    const [ours] = comments
    const theirs = { ...(ours as NonNullable<typeof ours>), id: '1', author: person, updateAuthor: person }
    comments.splice(0, 1, theirs)
    await tracker.writeNote(key, exampleNote({ headline: 'Another' }), { signal })
    expect(comments.map(({ author }) => author)).toEqual([person, service])
    expect(comments[0]).toEqual(theirs)
  })

  test('knows a note that it remembers, though another account wrote it', async () => {
    const { tracker, newIssue } = setup({ cloud })
    const { key, comments } = newIssue()
    const { noteId } = await tracker.writeNote(key, exampleNote(), { signal })
    Object.assign(comments[0] ?? {}, { author: 'the-account-before', updateAuthor: 'the-account-before' })
    await tracker.writeNote(key, exampleNote({ headline: 'Another' }), { signal, knownNoteId: noteId })
    expect(comments).toHaveLength(1)
  })

  test('keeps marker and digest in a property, and the note from the customers of a service project', async () => {
    const { tracker, newIssue } = setup({ cloud })
    const { key, comments } = newIssue()
    await tracker.writeNote(key, exampleNote(), { signal })
    expect(comments[0]?.properties).toEqual([
      { key: 'autodiagnose', value: { marker: exampleNote().marker, digest: expect.stringMatching(/^[0-9a-f]{16}$/) } },
      { key: 'sd.public.comment', value: { internal: true } },
    ])
  })

  test('shows one link an issue and note, to where the note leads', async () => {
    const { tracker, newIssue } = setup({ cloud })
    const { key, links } = newIssue()
    await tracker.writeNote(key, exampleNote(), { signal })
    await tracker.writeNote(key, exampleNote({ headline: 'Another' }), { signal })
    await tracker.writeNote(key, exampleNote({ marker: 'ad-aaaaaaaaaaaaaaaaaaaa', links: [] }), { signal })
    const url = exampleNote().links[0]?.url
    expect([...links.values()]).toMatchObject([{ globalId: exampleNote().marker, object: { url, title: 'Diagnosis: Another' } }])
  })

  test('writes the note where the account may not link', async () => {
    const { tracker, newIssue } = setup({ cloud, may: { link: false } })
    const { key, comments, links } = newIssue()
    await tracker.writeNote(key, exampleNote(), { signal })
    expect([comments.length, links.size]).toEqual([1, 0])
  })

  test('says what Jira says is wrong', async () => {
    const { at, newIssue, fetch } = setup({ cloud })
    const refusing = async (request: Request) =>
      request.method === 'GET'
        ? fetch(request)
        : Response.json({ errorMessages: ['No.'], errors: { comment: 'The entered text is too long.' } }, { status: 400 })
    const error = await failure(at(refusing).writeNote(newIssue().key, exampleNote(), { signal }))
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error?.message).toBe(
      'Cannot add a comment to Jira issue "OPS-1": Jira does not accept this (400) (No.; comment: The entered text is too long.)',
    )
  })

  test('says that the token is not accepted', async () => {
    const { at, newIssue } = setup({ cloud })
    const error = await failure(at(undefined, { token: 'another' }).writeNote(newIssue().key, exampleNote(), { signal }))
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error?.message).toMatch(/token.* not accepted \(401\)/)
  })

  test.each([401, 403, 404, 410, 413, 302])('is rejected by %i', async (status) => {
    const { at } = setup({ cloud })
    const error = await failure(at(answering(status, '', { location: 'https://elsewhere.example/' })).writeNote('OPS-1', exampleNote(), { signal }))
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error?.message).toContain(status === 302 ? 'redirects are not followed' : String(status))
  })

  test('is unavailable while a proxy answers with its own page, and rejected by what is no Jira', async () => {
    const { at } = setup({ cloud })
    expect(await failure(at(answering(200, '<html>')).writeNote('OPS-1', exampleNote(), { signal }))).toBeInstanceOf(TrackerUnavailable)
    const stranger = await failure(at(answering(200, '{"key":7}')).writeNote('OPS-1', exampleNote(), { signal }))
    expect(stranger).toBeInstanceOf(TrackerRejected)
    expect(stranger?.message).toContain("this is not Jira's answer")
  })

  test.each([
    ['Retry-After', { 'retry-after': '30', 'x-ratelimit-reset': '2026-11-27T12:05:00Z' }, 30_000],
    ['X-RateLimit-Reset', { 'x-ratelimit-reset': '2026-11-27T12:01:00Z' }, 60_000],
    ['nothing', {}, 10_000],
  ])('429 with %s: waits as long', async (_name, headers, retryAfterMs) => {
    const { at } = setup({ cloud })
    expect(await failure(at(answering(429, '', headers)).writeNote('OPS-1', exampleNote(), { signal }))).toMatchObject({
      name: 'TrackerUnavailable',
      retryAfterMs,
    })
  })
})

describe.each(variants)('jira %s: issues', (_, cloud) => {
  test('makes a bug with the labels and the marker, in one word each', async () => {
    const { state, open } = setup({ cloud })
    const { key } = await open({ labels: ['team fruit', 'autodiagnose'] })
    expect(state.get(key)).toMatchObject({ typeId: '10004', labels: ['team-fruit', 'autodiagnose', 'tr-0123456789abcdef0123'], creator: service })
  })

  test('makes an issue of the type asked for, by its name', async () => {
    const { state, open } = setup({ cloud })
    expect(state.get((await open({ type: 'task' })).key).typeId).toBe('10001')
  })

  test('knows a type of a site in another language by its English name', async () => {
    const { at, state, fetch } = setup({ cloud })
    const german = async (request: Request) => {
      const response = await fetch(request)
      if (!request.url.includes('/createmeta/')) return response
      return new Response((await response.text()).replaceAll('"name":"Bug"', '"name":"Fehler","untranslatedName":"Bug"'), response)
    }
    const { key } = await at(german).openIssue(exampleDraft({ project: 'OPS' }), { recurrence: 'reopen', signal })
    expect(state.get(key).typeId).toBe('10004')
  })

  test.each(['Incident', 'Sub-task'])('names the types that there are where "%s" is not one of them', async (type) => {
    const { open } = setup({ cloud })
    const error = await failure(open({ type }))
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error?.message).toBe(`Cannot open an issue in Jira project "OPS": it has no issue type "${type}"; it has "Task", "Bug"`)
  })

  test('closes with a resolution where the workflow asks for one', async () => {
    const { state, open, tracker } = setup({ cloud })
    const { key } = await open()
    await tracker.closeIssue(key, { signal })
    expect(state.get(key)).toMatchObject({ status: 'Done', resolution: '1' })
  })

  test('reopens to what is to be done, not to what is in progress', async () => {
    const { state, open } = setup({ cloud })
    const { key } = await open()
    state.get(key).status = 'Done'
    expect(await open()).toMatchObject({ key, state: 'reopened' })
    expect(state.get(key).status).toBe('To Do')
  })

  test('rejects closing where the workflow has no way, and leaves a closed issue closed', async () => {
    const { state, open, tracker } = setup({ cloud, may: { transition: false } })
    const { key } = await open()
    const error = await failure(tracker.closeIssue(key, { signal }))
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error?.message).toMatch(/^Cannot close Jira issue "OPS-1": its workflow offers the account no transition/)
    state.get(key).status = 'Done'
    expect(await open()).toMatchObject({ key, state: 'found' })
    expect(state.get(key).status).toBe('Done')
  })
})

describe('jira cloud', () => {
  test('finds an issue that the search does not know yet, and makes no second one', async () => {
    const { state, open } = setup({ cloud: true })
    for (let at = 0; at < 30; at++) state.add({ project: 'OPS', summary: 'x', description: {}, labels: [], typeId: '10004', creator: person })
    state.indexDelay = 1e9
    const { key } = await open()
    expect(await open()).toMatchObject({ key, state: 'found' })
    expect(state.issues).toHaveLength(31)
  })

  test('does not take an issue for its own that the search does not know yet and a person made', async () => {
    const { state, open } = setup({ cloud: true })
    state.indexDelay = 1e9
    state.add({ project: 'OPS', summary: 'x', description: {}, labels: ['tr-0123456789abcdef0123'], typeId: '10004', creator: person })
    expect(await open()).toMatchObject({ key: 'OPS-2', state: 'made' })
  })

  test('sends an e-mail address beyond Latin-1 as UTF-8', async () => {
    let sent = ''
    const tracker = setup({ cloud: true }).at(
      async (request) => {
        sent = request.headers.get('authorization') ?? ''
        return new Response('', { status: 401 })
      },
      { email: 'ops@bücher.例え' },
    )
    await failure(tracker.writeNote('OPS-1', exampleNote(), { signal }))
    const bytes = Uint8Array.from(atob(sent.slice('Basic '.length)), (character) => character.charCodeAt(0))
    expect(new TextDecoder().decode(bytes)).toBe(`ops@bücher.例え:${token}`)
  })
})

test.each(variants)('the fake of jira %s notices a request that Atlassian does not describe', async (_, cloud) => {
  const { site, fetch, complaints, state } = jiraFake({ cloud })
  const { key } = state.add({ project: 'OPS', summary: 'x', description: '', labels: [], typeId: '10004', creator: person })
  const authorization = cloud ? `Basic ${btoa(`${email}:${token}`)}` : `Bearer ${token}`
  const ask = (path: string, body?: object) =>
    fetch(
      new Request(`${site}/rest/api/${cloud ? 3 : 2}${path}`, {
        headers: { authorization, 'content-type': 'application/json' },
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      }),
    )
  await ask(`/issue/${key}/comment?since=yesterday`)
  await ask(`/issue/${key}/comment`, { text: 'x' })
  await ask(`/issue/${key}/links`)
  expect(complaints).toEqual([
    expect.stringContaining('additional properties'),
    expect.stringContaining('no "text"'),
    expect.stringContaining('no such operation'),
  ])
})

describe('jira keyOfUrl', () => {
  test.each([
    ['https://example.atlassian.net/browse/OPS-12', 'OPS-12'],
    ['https://example.atlassian.net/browse/OPS-12?focusedCommentId=10001', 'OPS-12'],
    ['https://example.atlassian.net/projects/OPS/issues/OPS-12?filter=allopenissues', 'OPS-12'],
    ['https://example.atlassian.net/browse/OPS-12/', 'OPS-12'],
    ['https://example.atlassian.net/browse/OPS', undefined],
    ['https://example.atlassian.net/browse/OPS-0', undefined],
    ['https://example.atlassian.net/browse/OPS-12/../OPS-13', 'OPS-13'],
    ['https://example.atlassian.net.evil.example/browse/OPS-12', undefined],
    ['https://user@example.atlassian.net/browse/OPS-12', 'OPS-12'],
    ['https://jira.example.com/jira/browse/OPS-12', undefined],
    ['OPS-12', undefined],
  ])('cloud: %s', (url, key) => {
    expect(setup({ cloud: true }).tracker.keyOfUrl(url)).toBe(key)
  })

  test.each([
    ['https://jira.example.com/jira/browse/OPS-12', 'OPS-12'],
    ['https://jira.example.com/browse/OPS-12', undefined],
    ['https://jira.example.com/jirabrowse/OPS-12', undefined],
  ])('server with a context path: %s', (url, key) => {
    expect(setup({ cloud: false }).tracker.keyOfUrl(url)).toBe(key)
  })
})

test.each(['', 'OPS', 'ops-1', 'OPS-01', 'OPS-1 ', 'OPS-1/comment', '1-OPS', 'OPS-12345678901', `${'A'.repeat(90)}-1`])(
  'jira complains about the key %j',
  (key) => {
    expect(setup({ cloud: true }).tracker.complainAboutKey(key)).toEqual(expect.any(String))
  },
)

test.each(['OPS-1', 'A-1', 'MY_OPS2-1234567'])('jira takes the key %j', (key) => {
  expect(setup({ cloud: true }).tracker.complainAboutKey(key)).toBeUndefined()
})
