import { describe, expect, test } from 'vitest'
import { gitlab } from '../../src/ports/tracker/gitlab.ts'
import { TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { failure, gitlabWorld, now } from './gitlab-fake-world.ts'
import { exampleNote } from './tracker-notes.ts'

describe('gitlab says what is wrong', () => {
  const json = (status: number, body: unknown) => Response.json(body, { status })
  test.each([
    [
      json(401, { message: '401 Unauthorized' }),
      'the token is not accepted (401); check the tracker’s token, and that it has neither expired nor been revoked (401 Unauthorized)',
    ],
    [json(401, { error: 'invalid_token', error_description: 'Token is expired.' }), ' nor been revoked (Token is expired.)'],
    [
      json(403, { error: 'insufficient_scope', error_description: 'The request requires higher privileges.', scope: 'api' }),
      'give it the scope "api"',
    ],
    [json(404, { message: '404 Project Not Found' }), 'the token’s user finds no such thing (404)'],
    [json(400, { message: { title: ["can't be blank", 'is too short'] } }), "GitLab does not accept it (400) (title can't be blank,is too short)"],
    [
      json(400, { message: { error: 'Your issue has been recognized as spam and has been discarded.' } }),
      '(400) (Your issue has been recognized as spam',
    ],
    [json(400, { error: 'issue_type does not have a valid value' }), '(400) (issue_type does not have a valid value)'],
    [
      json(409, { needs_captcha_response: true, spam_log_id: 1, message: { error: 'Solve it' } }),
      'exempt the token’s user from its spam checks (Solve it)',
    ],
    [json(422, { message: '422 Unprocessable Entity' }), 'GitLab does not accept it (422)'],
    [json(418, []), 'it answered 418 ([])'],
    [new Response('<html>', { status: 413 }), 'it is too long for this server (413)'],
    [new Response(null, { status: 302, headers: { location: 'https://gitlab.example/users/sign_in' } }), 'redirects are not followed'],
    [json(200, { id: 'x' }), "this is not GitLab's answer; check the tracker's url"],
  ])('%#: rejected', async (response, message) => {
    const { fake, write } = gitlabWorld()
    fake.answerNext(response)
    const error = await failure(write('Once'))
    expect(error).toBeInstanceOf(TrackerRejected)
    expect((error as Error).message).toContain('Cannot tell whose token it is at GitLab https://gitlab.example: ')
    expect((error as Error).message).toContain(message)
  })

  test.each([
    [409, {}, { message: '409 Conflict: Resource lock' }, 5000],
    [429, { 'retry-after': '7' }, {}, 7000],
    [429, { 'retry-after': '7', 'ratelimit-reset': String(now / 1000 + 90) }, {}, 7000],
    [429, { 'ratelimit-reset': String(now / 1000 + 90), 'ratelimit-remaining': '0' }, {}, 90_000],
    [429, { 'ratelimit-reset': String(now / 1000 - 90) }, {}, 1000],
    [429, { 'ratelimit-reset': 'soon' }, {}, 60_000],
    [429, {}, { message: { error: 'This endpoint has been requested too many times. Try again later.' } }, 60_000],
    [500, {}, { message: '500 Internal Server Error' }, 10_000],
    [200, {}, undefined, 10_000],
  ])('%i with %j: tried again later', async (status, headers, body, retryAfterMs) => {
    const { fake, write } = gitlabWorld()
    fake.answerNext(new Response(body === undefined ? '<html>' : JSON.stringify(body), { status, headers: headers as Record<string, string> }))
    const error = await failure(write('Once'))
    expect(error).toBeInstanceOf(TrackerUnavailable)
    expect(error).toMatchObject({ retryAfterMs })
  })
})

describe('gitlab believes no answer', () => {
  test('that goes on for ever', async () => {
    let requests = 0
    const endless = gitlab({
      url: 'https://gitlab.example',
      token: 'glpat-made-up',
      clock: { now: () => now },
      fetch: async (request) => {
        requests += 1
        return request.url.endsWith('/user') ? Response.json({ id: 1 }) : Response.json([], { headers: { 'x-next-page': '2' } })
      },
    })
    expect(await failure(endless.writeNote('fruit/desk#1', exampleNote(), { signal: AbortSignal.timeout(10_000) }))).toBeInstanceOf(TrackerRejected)
    expect(requests).toBeLessThan(250)
  })

  test('that takes the closing of an issue that is still open', async () => {
    const { fake, tracker, key } = gitlabWorld()
    fake.fail(Response.json({ iid: 1, state: 'opened', web_url: `${fake.url}/fruit/desk/-/issues/1` }))
    await expect(tracker.closeIssue(key, { signal: AbortSignal.timeout(10_000) })).rejects.toThrow(
      'Cannot close GitLab issue "fruit/desk#1": it was taken but is still open; give the token’s user the role "Reporter"',
    )
  })
})

describe('gitlab keys', () => {
  const tracker = (url: string) => gitlab({ url, token: 'glpat-made-up', fetch, clock: { now: () => now } })
  test.each([
    ['https://gitlab.example/fruit/desk/-/issues/12', 'fruit/desk#12'],
    ['https://gitlab.example/fruit/sub/sub-2/desk.io/-/issues/12/', 'fruit/sub/sub-2/desk.io#12'],
    ['https://gitlab.example/fruit/desk/-/work_items/12?show=x#note_3', 'fruit/desk#12'],
    ['https://gitlab.example/fruit/desk/-/issues/incident/12', 'fruit/desk#12'],
    ['https://gitlab.example/fruit/desk/-/issues/12/designs', 'fruit/desk#12'],
    ['https://gitlab.example/fruit/desk/issues/12', 'fruit/desk#12'],
    ['https://gitlab.example/fruit/issues/-/issues/12', 'fruit/issues#12'],
    ['https://gitlab.example/groups/fruit/-/work_items/12', undefined],
    ['https://gitlab.example/desk/-/issues/12', undefined],
    ['https://gitlab.example/fruit/desk/-/merge_requests/12', undefined],
    ['https://gitlab.example/fruit/desk/-/issues/0', undefined],
    ['https://gitlab.example/fruit/desk/-/issues/12x', undefined],
    ['https://gitlab.example/fruit/%2e%2e/-/issues/12', undefined],
    ['https://gitlab.example/fruit/de%23sk/-/issues/12', undefined],
    ['http://gitlab.example/fruit/desk/-/issues/12', undefined],
    ['https://gitlab.example.evil.example/fruit/desk/-/issues/12', undefined],
  ])('of %s is %s', (url, key) => {
    expect(tracker('https://gitlab.example/').keyOfUrl(url)).toBe(key)
  })

  test.each([
    ['https://forge.example/git/fruit/desk/-/issues/12', 'fruit/desk#12'],
    ['https://forge.example/fruit/desk/-/issues/12', undefined],
    ['https://forge.example/github/fruit/desk/-/issues/12', undefined],
  ])('of %s below a path is %s', (url, key) => {
    expect(tracker('https://forge.example/git').keyOfUrl(url)).toBe(key)
  })

  test.each([
    ['fruit/desk#12', true],
    ['fruit/sub/Desk_2.io#1', true],
    ['42#12', true],
    ['desk#12', false],
    ['fruit/desk#0', false],
    ['fruit/desk#012', false],
    ['fruit/desk', false],
    ['fruit/desk#', false],
    ['fruit/../desk#1', false],
    ['fruit/..#1', false],
    ['/fruit/desk#1', false],
    ['fruit/desk/#1', false],
    ['fruit/-/desk#1', false],
    ['fruit/desk#1#2', false],
    ['fruit/desk?a=b#1', false],
    ['fruit/desk\n#1', false],
    [`${'a/'.repeat(30)}b#1`, false],
  ])('may be %j: %s', (key, may) => {
    expect(tracker('https://gitlab.example').complainAboutKey(key) === undefined).toBe(may)
    if (key.includes('#') && !key.startsWith('desk')) expect(tracker('https://gitlab.example').complainAboutProject(key)).toEqual(expect.any(String))
  })
})
