import { describe, expect, test } from 'vitest'
import { github } from '../../src/ports/tracker/github.ts'
import { failure, githubWorld, now, signal } from './github-fake-world.ts'
import { exampleNote, hostileTexts } from './tracker-notes.ts'

describe('notes', () => {
  test('are found on the last of several pages, and made one', async () => {
    const { fake, issue, write } = githubWorld()
    const first = await write()
    const [note] = issue.comments
    issue.comments.unshift(...Array.from({ length: 250 }, (_, at) => ({ id: at + 1, login: 'ada', body: 'me too' })))
    fake.addComment(issue, 'autodiagnose', note?.body ?? '')
    expect(await write()).toEqual(first)
    expect(issue.comments).toHaveLength(251)
    expect(issue.comments.at(-1)?.id).toBe(note?.id)
  })

  test('of other users are never touched, whatever they contain', async () => {
    const { fake, issue, write } = githubWorld()
    await write()
    const body = issue.comments.pop()?.body ?? ''
    const theirs = fake.addComment(issue, 'mallory', body)
    await write()
    expect(issue.comments.map(({ login }) => login)).toEqual(['mallory', 'autodiagnose'])
    expect(theirs.body).toBe(body)
  })

  test('of an earlier user are known by their id, and followed where they may not be edited', async () => {
    const { fake, issue, tracker, write } = githubWorld()
    const { noteId } = await write()
    const other = tracker({ auth: { token: fake.user('successor').token } })
    expect((await other.writeNote('fruit/desk#1', exampleNote(), { signal: signal(), knownNoteId: noteId })).noteId).toBe(noteId)
    const later = await other.writeNote('fruit/desk#1', exampleNote({ headline: 'Later' }), { signal: signal(), knownNoteId: noteId })
    expect(later.noteId).not.toBe(noteId)
    expect(issue.comments).toHaveLength(2)
  })

  test('that a list does not have yet are not taken for lost', async () => {
    const { fake, issue, write } = githubWorld()
    fake.lag(3)
    const { noteId } = await write()
    expect(issue.comments.map(({ id }) => String(id))).toEqual([noteId])
  })

  test('that were deleted while a list could not be had are written again', async () => {
    const { clock, fake, issue, tracker, write } = githubWorld()
    const same = tracker()
    const pass = () => undefined
    fake.answer(pass, pass, () => new Response(null, { status: 502 }))
    expect(await failure(write(same))).toMatchObject({ name: 'TrackerUnavailable' })
    issue.comments.splice(0)
    clock.time += 60_000
    await write(same)
    expect(issue.comments).toHaveLength(1)
  })

  test('that are quoted are not taken for notes', async () => {
    const { fake, issue, write } = githubWorld()
    const first = await write()
    fake.addComment(issue, 'autodiagnose', `${issue.comments[0]?.body.replace(/^/gm, '> ')}\n\nSo it is bananas?`)
    expect(await write()).toEqual(first)
    expect(issue.comments).toHaveLength(2)
  })

  test('lead to where a person reads them', async () => {
    const { write } = githubWorld()
    const { noteId, url } = await write()
    expect(url).toBe(`https://github.example/fruit/desk/issues/1#issuecomment-${noteId}`)
  })

  test('are written apart, and later where that would take long', async () => {
    const { clock, tracker, write } = githubWorld()
    const slow = tracker({ writeIntervalMs: 60_000 })
    await write(slow)
    const error = await failure(write(slow, exampleNote({ headline: 'Later' })))
    expect(error).toMatchObject({ name: 'TrackerUnavailable', retryAfterMs: 60_000 })
    clock.time += 60_000
    await write(slow, exampleNote({ headline: 'Later' }))
  })
})

describe('issues', () => {
  test('are found among many, beyond pull requests of ours and without their label', async () => {
    const { fake, desk, open } = githubWorld()
    const { key } = await open()
    const body = fake.issueOf(key).body
    fake.addIssue(desk, 'autodiagnose', { title: 'Bump', body, pull: true })
    for (let more = 0; more < 230; more++) fake.addIssue(desk, 'autodiagnose', { title: 'Another trouble' })
    Object.assign(fake.issueOf(key), { labels: [] })
    expect(await open()).toMatchObject({ key, state: 'found' })
  })

  test('are looked for among the newest 1,000', async () => {
    const { fake, desk, open } = githubWorld()
    const { key } = await open()
    for (let more = 0; more < 1000; more++) fake.addIssue(desk, 'autodiagnose', { title: 'Another trouble' })
    expect((await open()).key).not.toBe(key)
    expect(fake.requests.filter(({ method, path }) => method === 'GET' && path.endsWith('/issues'))).toHaveLength(11)
  })

  test('that were moved to another repository are gone', async () => {
    const { fake, open } = githubWorld()
    const { key } = await open()
    fake.repository('fruit/old').movedTo = 'https://github.example/api/v3/repositories/7/issues/3'
    expect(await open({}, { knownKey: 'fruit/old#3' })).toMatchObject({ key, state: 'found' })
  })

  test('have a title of one line and at most 256 characters, and the type where one is given', async () => {
    const { desk, fake, open } = githubWorld()
    await open({ title: hostileTexts.join('\n'), type: 'Bug' })
    const title = desk.issues.at(-1)?.title ?? ''
    expect([...title].length).toBeLessThanOrEqual(256)
    expect(title).toMatch(/^<script>alert\(1\)<\/script> <img .*…$/)
    expect(fake.requests.at(-1)).toMatchObject({ method: 'POST' })
  })

  test('that were closed by someone with more rights are left closed', async () => {
    const { desk, fake, open } = githubWorld()
    const { key } = await open()
    fake.issueOf(key).state = 'closed'
    const list = () => undefined
    fake.answer(list, list, () => Response.json({ message: 'Must have admin rights to Repository.' }, { status: 403 }))
    expect(await open()).toMatchObject({ key, state: 'found' })
    expect(desk.issues.at(-1)?.state).toBe('closed')
  })

  test('are closed as completed', async () => {
    const { fake, open, tracker } = githubWorld()
    const { key } = await open()
    await tracker().closeIssue(key, { signal: signal() })
    expect(fake.issueOf(key)).toMatchObject({ state: 'closed', stateReason: 'completed' })
  })
})

describe('keys and URLs', () => {
  const at = (url: string) => github({ url, auth: { token: 'github_pat_made-up' }, fetch, clock: { now: () => now } })
  test.each([
    ['https://api.github.com', 'https://github.com/fruit/desk/issues/12', 'fruit/desk#12'],
    ['https://api.github.com/', 'https://github.com/fruit/desk/issues/12#issuecomment-7', 'fruit/desk#12'],
    ['https://api.github.com', 'https://github.com/fruit/desk.js/pull/12/files', 'fruit/desk.js#12'],
    ['https://api.github.com', 'https://github.com/fruit/desk', undefined],
    ['https://api.github.com', 'https://github.com/fruit/desk/issues/0', undefined],
    ['https://api.github.com', 'https://github.com/fruit/../issues/12', undefined],
    ['https://api.github.com', 'https://github.com/fruit/desk/discussions/12', undefined],
    ['https://api.github.com', 'https://github.com.evil.example/fruit/desk/issues/12', undefined],
    ['https://api.github.com', 'http://github.com/fruit/desk/issues/12', undefined],
    ['https://git.example/api/v3', 'https://git.example/fruit/desk/issues/12', 'fruit/desk#12'],
    ['https://api.fruit.ghe.com', 'https://fruit.ghe.com/fruit/desk/issues/12', 'fruit/desk#12'],
    ['https://git.example/api/v3', 'https://github.com/fruit/desk/issues/12', undefined],
    ['https://api.github.com', 'no URL', undefined],
  ])('at %s the URL %s is %j', (url, text, key) => {
    expect(at(url).keyOfUrl(text)).toBe(key)
  })

  test.each([
    '12',
    '#12',
    'desk#12',
    'fruit/desk',
    'fruit/desk#',
    'fruit/desk#0',
    'fruit/desk#1e3',
    'fruit/..#12',
    'fruit/desk/x#12',
    'a b/c#1',
    '-a/b#1',
    'fruit/desk#12\n',
  ])('%j is no key', (key) => {
    expect(at('https://api.github.com').complainAboutKey(key)).toMatch(
      /is not the repository and number of a GitHub issue, such as owner\/repository#12$/,
    )
  })

  test.each(['fruit/desk#12', 'fruit_managed/.github#1', 'a/b.c_d-e#4294967295'])('%j is a key', (key) => {
    expect(at('https://api.github.com').complainAboutKey(key)).toBeUndefined()
  })
})
