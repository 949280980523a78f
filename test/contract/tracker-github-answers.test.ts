import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { github } from '../../src/ports/tracker/github.ts'
import { appJwt } from '../../src/ports/tracker/github-app.ts'
import { paced } from '../../src/ports/tracker/paced.ts'
import { TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { fakeGitHub } from './github-fake.ts'
import { exampleDraft, exampleNote, hostileTexts } from './tracker-notes.ts'

const now = Date.parse('2026-11-27T12:00:00Z')
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = (type: 'pkcs1' | 'pkcs8') => privateKey.export({ type, format: 'pem' }).toString()
const app = { id: 4711, installation: 99, privateKey: pem('pkcs1') }

/** A GitHub with the repository fruit/desk and its issue 1, and trackers for it; the clock stands still. */
function world() {
  const clock = { time: now, now: () => clock.time }
  const fake = fakeGitHub({ clock, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() })
  const desk = fake.repository('fruit/desk')
  const bot = fake.user('autodiagnose')
  const issue = fake.addIssue(desk, 'ada', { title: 'Apples are slow' })
  const tracker = (change: Partial<Parameters<typeof github>[0]> = {}) =>
    github({ url: fake.url, auth: { token: bot.token }, fetch: fake.fetch, clock, requestTimeoutMs: 1000, writeIntervalMs: 0, ...change })
  worlds.push(fake)
  return {
    clock,
    fake,
    desk,
    bot,
    issue,
    tracker,
    write: (to = tracker(), note = exampleNote()) => to.writeNote('fruit/desk#1', note, { signal: signal() }),
  }
}
const worlds: ReturnType<typeof fakeGitHub>[] = []
const signal = () => AbortSignal.timeout(30_000)
const failure = async (work: Promise<unknown>) =>
  (await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as Error & { retryAfterMs?: number }
const open = (tracker: ReturnType<typeof github>, change = {}, options = {}) =>
  tracker.openIssue(exampleDraft({ project: 'fruit/desk', ...change }), { recurrence: 'reopen', signal: signal(), ...options })

afterEach(() => {
  for (const fake of worlds.splice(0)) expect(fake.complaints).toEqual([])
})

describe('rate limits', () => {
  const inSeconds = (seconds: number) => String(Math.floor(now / 1000) + seconds)
  test.each<[string, number, Record<string, string>, string, number]>([
    ['the primary limit', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(90) }, 'API rate limit exceeded', 90_000],
    ['the primary limit, as 429', 429, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(90) }, 'API rate limit exceeded', 90_000],
    ['a reset far off, at most an hour', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(9000) }, '', 3_600_000],
    ['a reset that is over, at least a second', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(-5) }, '', 1000],
    [
      'the secondary limit with Retry-After',
      403,
      { 'retry-after': '30', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inSeconds(900) },
      '',
      30_000,
    ],
    ['the secondary limit without a word on when', 403, {}, 'You have exceeded a secondary rate limit. Please wait.', 60_000],
    ['the secondary limit by its older name', 403, {}, 'You have triggered an abuse detection mechanism.', 60_000],
    ['429 without a word on when', 429, {}, '', 60_000],
  ])('%s: is unavailable for as long', async (_, status, headers, message, waitMs) => {
    const { fake, write } = world()
    fake.answer(() => Response.json({ message }, { status, headers }))
    const error = await failure(write())
    expect(error).toBeInstanceOf(TrackerUnavailable)
    expect(error.retryAfterMs).toBe(waitMs)
    expect(error.message).toMatch(/: GitHub limits our rate \(4(03|29)\)$/)
    expect(fake.requests).toHaveLength(1)
  })

  test('403 with requests left is a right that is missing', async () => {
    const { fake, write } = world()
    fake.answer(() =>
      Response.json({ message: 'Forbidden' }, { status: 403, headers: { 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': inSeconds(90) } }),
    )
    expect(await failure(write())).toBeInstanceOf(TrackerRejected)
  })
})

describe('what GitHub refuses is said with what to do', () => {
  test('a token that is not accepted', async () => {
    const { tracker, write } = world()
    expect((await failure(write(tracker({ auth: { token: 'github_pat_made-up' } })))).message).toMatch(
      /the token is not accepted \(401\).*\(Bad credentials/,
    )
  })

  test('a token that may only read', async () => {
    const { fake, tracker, write } = world()
    const { token } = fake.user('reader', { readOnly: true })
    expect((await failure(write(tracker({ auth: { token } })))).message).toMatch(
      /^Cannot add a note to GitHub issue "fruit\/desk#1": the token may not \(403\); give it "Issues: Read and write".*\(Resource not accessible/,
    )
  })

  test('an issue that is locked', async () => {
    const { issue, write } = world()
    issue.locked = true
    expect((await failure(write())).message).toMatch(/see that the issue is not locked.*issue is locked/)
  })

  test('an issue that was deleted', async () => {
    const { desk, write } = world()
    desk.deleted.add(1)
    expect((await failure(write())).message).toMatch(/^Cannot read GitHub issue "fruit\/desk#1": it was deleted.*\(410\)/)
  })

  test('a repository that has another name now', async () => {
    const { desk, write } = world()
    desk.movedTo = 'https://github.example/api/v3/repositories/7'
    const error = await failure(write())
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error.message).toBe('Cannot read GitHub issue "fruit/desk#1": it has moved or has another name now (301); use that one')
  })

  test('a redirect elsewhere, which is not followed', async () => {
    const { fake, write } = world()
    fake.answer(() => new Response(null, { status: 302, headers: { location: 'https://evil.example/' } }))
    expect((await failure(write())).message).toMatch(/it redirects to "https:\/\/evil\.example\/"; redirects are not followed/)
    expect(fake.requests).toHaveLength(1)
  })

  test('a page of a proxy, which may pass', async () => {
    const { fake, write } = world()
    fake.answer(() => new Response('<html>Sign in</html>', { headers: { 'content-type': 'text/html' } }))
    const error = await failure(write())
    expect(error).toBeInstanceOf(TrackerUnavailable)
    expect(error.message).toMatch(/the answer is not JSON$/)
  })

  test('an answer cut in the middle, which may pass', async () => {
    const { fake, write } = world()
    fake.answer(() => new Response('{"login": "auto', { headers: { 'content-type': 'application/json; charset=utf-8' } }))
    expect(await failure(write())).toBeInstanceOf(TrackerUnavailable)
  })

  test('JSON that is not GitHub’s', async () => {
    const { fake, write } = world()
    fake.answer(() => Response.json({ kind: 'PodList' }))
    expect((await failure(write())).message).toMatch(/this is not GitHub's answer; check the tracker's url$/)
  })

  test('a token never stands in a message', async () => {
    const { bot, fake, tracker, write } = world()
    fake.answer(() => Response.json({ message: 'x'.repeat(10_000) }, { status: 422 }))
    const error = await failure(write(tracker()))
    expect(error.message).not.toContain(bot.token)
    expect(error.message.length).toBeLessThan(400)
  })
})

describe('notes', () => {
  test('are found on the last of several pages, and made one', async () => {
    const { fake, issue, write } = world()
    const first = await write()
    const [note] = issue.comments
    issue.comments.unshift(...Array.from({ length: 250 }, (_, at) => ({ id: at + 1, login: 'ada', body: 'me too' })))
    fake.addComment(issue, 'autodiagnose', note?.body ?? '')
    expect(await write()).toEqual(first)
    expect(issue.comments).toHaveLength(251)
    expect(issue.comments.at(-1)?.id).toBe(note?.id)
  })

  test('of other users are never touched, whatever they contain', async () => {
    const { fake, issue, write } = world()
    await write()
    const body = issue.comments.pop()?.body ?? ''
    const theirs = fake.addComment(issue, 'mallory', body)
    await write()
    expect(issue.comments.map(({ login }) => login)).toEqual(['mallory', 'autodiagnose'])
    expect(theirs.body).toBe(body)
  })

  test('of an earlier user are known by their id, and followed where they may not be edited', async () => {
    const { fake, issue, tracker, write } = world()
    const { noteId } = await write()
    const other = tracker({ auth: { token: fake.user('successor').token } })
    expect((await other.writeNote('fruit/desk#1', exampleNote(), { signal: signal(), knownNoteId: noteId })).noteId).toBe(noteId)
    const later = await other.writeNote('fruit/desk#1', exampleNote({ headline: 'Later' }), { signal: signal(), knownNoteId: noteId })
    expect(later.noteId).not.toBe(noteId)
    expect(issue.comments).toHaveLength(2)
  })

  test('that a list does not have yet are not taken for lost', async () => {
    const { fake, issue, write } = world()
    fake.lag(3)
    const { noteId } = await write()
    expect(issue.comments.map(({ id }) => String(id))).toEqual([noteId])
  })

  test('that are quoted are not taken for notes', async () => {
    const { fake, issue, write } = world()
    const first = await write()
    fake.addComment(issue, 'autodiagnose', `${issue.comments[0]?.body.replace(/^/gm, '> ')}\n\nSo it is bananas?`)
    expect(await write()).toEqual(first)
    expect(issue.comments).toHaveLength(2)
  })

  test('lead to where a person reads them', async () => {
    const { write } = world()
    const { noteId, url } = await write()
    expect(url).toBe(`https://github.example/fruit/desk/issues/1#issuecomment-${noteId}`)
  })

  test('are written apart, and later where that would take long', async () => {
    const { clock, tracker, write } = world()
    const slow = tracker({ writeIntervalMs: 60_000 })
    await write(slow)
    const error = await failure(write(slow, exampleNote({ headline: 'Later' })))
    expect(error).toMatchObject({ name: 'TrackerUnavailable', retryAfterMs: 60_000 })
    clock.time += 60_000
    await write(slow, exampleNote({ headline: 'Later' }))
  })
})

describe('paced', () => {
  afterEach(() => vi.useRealTimers())

  test('gives turns apart, and none that is more than 10 s away', async () => {
    vi.useFakeTimers({ now })
    const turn = paced({ now: Date.now }, 1000)
    const turns: number[] = []
    const refused: unknown[] = []
    const all = Array.from({ length: 13 }, () =>
      turn('Cannot write', new AbortController().signal).then(
        () => turns.push((Date.now() - now) / 1000),
        (error) => refused.push(error),
      ),
    )
    await vi.runAllTimersAsync()
    await Promise.all(all)
    expect(turns).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(refused).toEqual(Array.from({ length: 2 }, () => expect.objectContaining({ name: 'TrackerUnavailable', retryAfterMs: 11_000 })))
  })

  test('waits no longer than the signal allows', async () => {
    const turn = paced({ now: () => now }, 9000)
    const abort = new AbortController()
    await turn('Cannot write', abort.signal)
    const waiting = turn('Cannot write', abort.signal)
    const reason = new Error('shutting down')
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
  })
})

describe('issues', () => {
  test('are found among many, beyond pull requests of ours and without their label', async () => {
    const { fake, desk, tracker } = world()
    const { key } = await open(tracker())
    const body = fake.issueOf(key).body
    fake.addIssue(desk, 'autodiagnose', { title: 'Bump', body, pull: true })
    for (let more = 0; more < 230; more++) fake.addIssue(desk, 'autodiagnose', { title: 'Another trouble' })
    Object.assign(fake.issueOf(key), { labels: [] })
    expect(await open(tracker())).toMatchObject({ key, state: 'found' })
  })

  test('are looked for among the newest 1,000', async () => {
    const { fake, desk, tracker } = world()
    const { key } = await open(tracker())
    for (let more = 0; more < 1000; more++) fake.addIssue(desk, 'autodiagnose', { title: 'Another trouble' })
    expect((await open(tracker())).key).not.toBe(key)
    expect(fake.requests.filter(({ method, path }) => method === 'GET' && path.endsWith('/issues'))).toHaveLength(11)
  })

  test('that were moved to another repository are gone', async () => {
    const { fake, tracker } = world()
    const { key } = await open(tracker())
    fake.repository('fruit/old').movedTo = 'https://github.example/api/v3/repositories/7/issues/3'
    expect(await open(tracker(), {}, { knownKey: 'fruit/old#3' })).toMatchObject({ key, state: 'found' })
  })

  test('have a title of one line and at most 256 characters, and the type where one is given', async () => {
    const { desk, fake, tracker } = world()
    await open(tracker(), { title: hostileTexts.join('\n'), type: 'Bug' })
    const title = desk.issues.at(-1)?.title ?? ''
    expect([...title].length).toBeLessThanOrEqual(256)
    expect(title).toMatch(/^<script>alert\(1\)<\/script> <img .*…$/)
    expect(fake.requests.at(-1)).toMatchObject({ method: 'POST' })
  })

  test('that were closed by someone with more rights are left closed', async () => {
    const { desk, fake, tracker } = world()
    const { key } = await open(tracker())
    fake.issueOf(key).state = 'closed'
    const list = () => undefined
    fake.answer(list, list, () => Response.json({ message: 'Must have admin rights to Repository.' }, { status: 403 }))
    expect(await open(tracker())).toMatchObject({ key, state: 'found' })
    expect(desk.issues.at(-1)?.state).toBe('closed')
  })

  test('are closed as completed', async () => {
    const { fake, tracker } = world()
    const { key } = await open(tracker())
    await tracker().closeIssue(key, { signal: signal() })
    expect(fake.issueOf(key)).toMatchObject({ state: 'closed', stateReason: 'completed' })
  })
})

describe('apps', () => {
  test.each(['pkcs1', 'pkcs8'] as const)('sign with a %s key, its newlines written either way', async (type) => {
    expect(await appJwt({ ...app, privateKey: pem(type) }, now)).toBe(await appJwt(app, now))
    expect(await appJwt({ ...app, privateKey: pem(type).trim().replaceAll('\n', '\\n') }, now)).toBe(await appJwt(app, now))
  })

  test('use one token for an hour but for a minute, then another', async () => {
    const { clock, fake, tracker, write } = world()
    const as = tracker({ auth: app })
    await write(as)
    clock.time += 58 * 60_000
    await write(as, exampleNote({ headline: 'Later' }))
    expect(fake.requests.filter(({ path }) => path.endsWith('/access_tokens'))).toHaveLength(1)
    clock.time += 60_000
    await write(as, exampleNote({ headline: 'Last' }))
    expect(fake.requests.filter(({ path }) => path.endsWith('/access_tokens'))).toHaveLength(2)
  })

  test('get another token when theirs has ended before its time', async () => {
    const { fake, issue, tracker, write } = world()
    const as = tracker({ auth: app })
    await write(as)
    fake.revokeAppTokens()
    await write(as, exampleNote({ headline: 'Later' }))
    expect(issue.comments.map(({ login }) => login)).toEqual(['autodiagnose[bot]'])
  })

  test.each([
    [
      'another key',
      { privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString() },
      /app is not accepted \(401\); check the tracker’s app.id/,
    ],
    ['another id', { id: 'Iv1.made-up' }, /app is not accepted \(401\)/],
    ['another installation', { installation: 100 }, /no such installation of this app \(404\)/],
    [
      'a key that is cut',
      { privateKey: `${app.privateKey.slice(0, 200)}\n-----END RSA PRIVATE KEY-----` },
      /private key cannot be used; check the tracker's app.privateKey/,
    ],
  ])('say that it is wrong: %s', async (_, change, message) => {
    const { tracker, write } = world()
    const error = await failure(write(tracker({ auth: { ...app, ...change } })))
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error.message).toMatch(message)
  })

  test.each([
    ['nothing of the kind'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----'],
    ['-----BEGIN RSA PRIVATE KEY-----'],
  ])('refuse at once a key that is %j', (privateKey) => {
    expect(() => world().tracker({ auth: { ...app, privateKey } })).toThrow(/^Cannot use the private key of a github tracker: /)
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
