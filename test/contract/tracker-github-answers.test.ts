import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { appJwt } from '../../src/ports/tracker/github-app.ts'
import { TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { app, failure, githubWorld, now, pem } from './github-fake-world.ts'
import { exampleNote } from './tracker-notes.ts'

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
    const { fake, write } = githubWorld()
    fake.answer(() => Response.json({ message }, { status, headers }))
    const error = await failure(write())
    expect(error).toBeInstanceOf(TrackerUnavailable)
    expect(error.retryAfterMs).toBe(waitMs)
    expect(error.message).toMatch(/: GitHub limits our rate \(4(03|29)\)$/)
    expect(fake.requests).toHaveLength(1)
  })

  test('403 with requests left is a right that is missing', async () => {
    const { fake, write } = githubWorld()
    fake.answer(() =>
      Response.json({ message: 'Forbidden' }, { status: 403, headers: { 'x-ratelimit-remaining': '4999', 'x-ratelimit-reset': inSeconds(90) } }),
    )
    expect(await failure(write())).toBeInstanceOf(TrackerRejected)
  })
})

describe('what GitHub refuses is said with what to do', () => {
  test('a token that is not accepted', async () => {
    const { tracker, write } = githubWorld()
    expect((await failure(write(tracker({ auth: { token: 'github_pat_made-up' } })))).message).toMatch(
      /the token is not accepted \(401\).*\(Bad credentials/,
    )
  })

  test('a token that may only read', async () => {
    const { fake, tracker, write } = githubWorld()
    const { token } = fake.user('reader', { readOnly: true })
    expect((await failure(write(tracker({ auth: { token } })))).message).toMatch(
      /^Cannot add a note to GitHub issue "fruit\/desk#1": the token may not \(403\); give it "Issues: Read and write".*\(Resource not accessible/,
    )
  })

  test('an issue that is locked', async () => {
    const { issue, write } = githubWorld()
    issue.locked = true
    expect((await failure(write())).message).toMatch(/see that the issue is not locked.*issue is locked/)
  })

  test('an issue that was deleted', async () => {
    const { desk, write } = githubWorld()
    desk.deleted.add(1)
    expect((await failure(write())).message).toMatch(/^Cannot read GitHub issue "fruit\/desk#1": it was deleted.*\(410\)/)
  })

  test('a repository that has another name now', async () => {
    const { desk, write } = githubWorld()
    desk.movedTo = 'https://github.example/api/v3/repositories/7'
    const error = await failure(write())
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error.message).toBe('Cannot read GitHub issue "fruit/desk#1": it has moved or has another name now (301); use that one')
  })

  test('a redirect elsewhere, which is not followed', async () => {
    const { fake, write } = githubWorld()
    fake.answer(() => new Response(null, { status: 302, headers: { location: 'https://evil.example/' } }))
    expect((await failure(write())).message).toMatch(/it redirects to "https:\/\/evil\.example\/"; redirects are not followed/)
    expect(fake.requests).toHaveLength(1)
  })

  test('a page of a proxy, which may pass', async () => {
    const { fake, write } = githubWorld()
    fake.answer(() => new Response('<html>Sign in</html>', { headers: { 'content-type': 'text/html' } }))
    const error = await failure(write())
    expect(error).toBeInstanceOf(TrackerUnavailable)
    expect(error.message).toMatch(/the answer is not JSON$/)
  })

  test('an answer cut in the middle, which may pass', async () => {
    const { fake, write } = githubWorld()
    fake.answer(() => new Response('{"login": "auto', { headers: { 'content-type': 'application/json; charset=utf-8' } }))
    expect(await failure(write())).toBeInstanceOf(TrackerUnavailable)
  })

  test('JSON that is not GitHub’s', async () => {
    const { fake, write } = githubWorld()
    fake.answer(() => Response.json({ kind: 'PodList' }))
    expect((await failure(write())).message).toMatch(/this is not GitHub's answer; check the tracker's url$/)
  })

  test('a token never stands in a message', async () => {
    const { bot, fake, tracker, write } = githubWorld()
    fake.answer(() => Response.json({ message: 'x'.repeat(10_000) }, { status: 422 }))
    const error = await failure(write(tracker()))
    expect(error.message).not.toContain(bot.token)
    expect(error.message.length).toBeLessThan(400)
  })
})

describe('apps', () => {
  test.each(['pkcs1', 'pkcs8'] as const)('sign with a %s key, its newlines written either way', async (type) => {
    expect(await appJwt({ ...app, privateKey: pem(type) }, now)).toBe(await appJwt(app, now))
    expect(await appJwt({ ...app, privateKey: pem(type).trim().replaceAll('\n', '\\n') }, now)).toBe(await appJwt(app, now))
  })

  test('use one token for an hour but for a minute, then another', async () => {
    const { clock, fake, tracker, write } = githubWorld()
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
    const { fake, issue, tracker, write } = githubWorld()
    const as = tracker({ auth: app })
    await write(as)
    fake.revokeAppTokens()
    await write(as, exampleNote({ headline: 'Later' }))
    expect(issue.comments.map(({ login }) => login)).toEqual(['autodiagnose[bot]'])
  })

  test('try again later where a token that was made just now is not known everywhere yet', async () => {
    const { fake, tracker, write } = githubWorld()
    const refusal = () => Response.json({ message: 'Bad credentials' }, { status: 401 })
    fake.answer(
      () => undefined,
      refusal,
      () => undefined,
      refusal,
    )
    const as = tracker({ auth: app })
    expect(await failure(write(as))).toMatchObject({ name: 'TrackerUnavailable', retryAfterMs: 5000 })
    await write(as)
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
    const { tracker, write } = githubWorld()
    const error = await failure(write(tracker({ auth: { ...app, ...change } })))
    expect(error).toBeInstanceOf(TrackerRejected)
    expect(error.message).toMatch(message)
  })

  test.each([
    ['nothing of the kind'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----'],
    ['-----BEGIN RSA PRIVATE KEY-----'],
  ])('refuse at once a key that is %j', (privateKey) => {
    expect(() => githubWorld().tracker({ auth: { ...app, privateKey } })).toThrow(/^Cannot use the private key of a github tracker: /)
  })
})
