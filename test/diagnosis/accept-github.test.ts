import examples from '@octokit/webhooks-examples/api.github.com/index.json' with { type: 'json' }
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { githubEvent } from '../../src/diagnosis/accept/webhooks/github.ts'

interface Example {
  readonly action?: string
  readonly [field: string]: unknown
}

const of = (name: string): Example[] =>
  (examples as unknown as { name: string; examples: Example[] }[]).find((event) => event.name === name)?.examples ?? []
const example = (name: string, action: string): Example => of(name).findLast((body) => body.action === action) ?? {}
const around = (event: string, label = 'diagnose') => ({ headers: new Headers({ 'X-GitHub-Event': event }), label })

type Change = Readonly<Record<string, Readonly<Record<string, unknown>>>>
/** The example with some fields of its objects changed. */
const changed = (body: Example, change: Change): Example => ({
  ...body,
  ...Object.fromEntries(Object.entries(change).map(([name, fields]) => [name, { ...(body[name] as object), ...fields }])),
})

const command = '/diagnose shop/cart-1'
const comment = (change: Change = {}) =>
  githubEvent(changed(example('issue_comment', 'created'), { comment: { body: command }, ...change }), around('issue_comment'))
const label = (change: Change = {}, wanted = 'bug') =>
  githubEvent(changed(example('issues', 'labeled'), { issue: { body: command }, ...change }), around('issues', wanted))

describe('a comment', () => {
  test('is a command', () => {
    expect(comment()).toEqual({
      ok: true,
      value: {
        kind: 'command',
        trigger: 'comment',
        id: 'comment:492700400',
        author: 'Codertocat',
        authorKeys: ['id:21031067', 'Codertocat'],
        issueKey: 'Codertocat/Hello-World#1',
        isPublic: true,
        text: command,
      },
    })
  })

  test('of a pull request is one, too', () => {
    expect(comment({ issue: { pull_request: { url: 'https://api.github.com/repos/o/r/pulls/1' } } })).toMatchObject({ value: { kind: 'command' } })
  })

  test.each([
    ['a private repository', { private: true, visibility: 'private' }, false],
    ['an internal repository', { private: true, visibility: 'internal' }, false],
    ['an internal repository that calls itself public', { private: false, visibility: 'internal' }, false],
    ['an old server, private', { private: true, visibility: undefined }, false],
    ['an old server, public', { private: false, visibility: undefined }, true],
  ])('tells who may read it: %s', (_, repository, isPublic) => {
    expect(comment({ repository })).toMatchObject({ value: { isPublic } })
  })

  test.each([
    ['without a command', { comment: { body: 'Thank you' } }, 'the comment holds no command'],
    ['without words', { comment: { body: null } }, 'the comment holds no command'],
    ['with a quoted command', { comment: { body: `> ${command}` } }, 'the comment holds no command'],
    ['of a bot', { sender: { type: 'Bot', login: 'github-actions[bot]' } }, 'a bot did it'],
    ['of ours', { comment: { body: `Usage:\n\n${command}\n\n<!-- autodiagnose ad-01 0123456789abcdef -->` } }, 'the text is our own'],
  ])('is ignored: %s', (_, change, why) => {
    expect(comment(change as Change)).toEqual({ ok: true, value: { kind: 'ignored', why } })
  })

  test('that is edited into a command is ignored', () => {
    const body = changed(example('issue_comment', 'edited'), { comment: { body: command } })
    expect(githubEvent(body, around('issue_comment'))).toEqual({
      ok: true,
      value: { kind: 'ignored', why: 'issue_comment edited means nothing here' },
    })
  })
})

describe('a label', () => {
  test('is a command: that of the description, by whom it was set', () => {
    expect(label({ sender: { id: 583231, login: 'octocat' } })).toEqual({
      ok: true,
      value: {
        kind: 'command',
        trigger: 'label',
        id: 'label:444500041:bug:2019-05-15T15:20:18Z',
        author: 'octocat',
        authorKeys: ['id:583231', 'octocat'],
        issueKey: 'Codertocat/Hello-World#1',
        isPublic: true,
        text: command,
      },
    })
  })

  test('counts whatever its case', () => {
    expect(label({}, 'Bug')).toEqual(label({}, 'bug'))
  })

  test('without a command in the description goes on, so that its absence can be told', () => {
    expect(label({ issue: { body: null } })).toMatchObject({ value: { kind: 'command', text: '' } })
  })

  test.each([
    ['that is another', {}, 'diagnose', 'the label is not "diagnose"'],
    ['of a bot', { sender: { type: 'Bot' } }, 'bug', 'a bot did it'],
    ['on an issue of ours', { issue: { body: `${command}\n\n<!-- autodiagnose tr-01 0123456789abcdef -->` } }, 'bug', 'the text is our own'],
  ])('is ignored: %s', (_, change, wanted, why) => {
    expect(label(change as Change, wanted)).toEqual({ ok: true, value: { kind: 'ignored', why } })
  })

  test('set twice is two events, delivered twice one', () => {
    const id = (updated_at: string) => {
      const event = label({ issue: { body: command, updated_at } })
      return event.ok && event.value.kind === 'command' ? event.value.id : undefined
    }
    expect(id('2026-11-27T12:00:00Z')).toBe(id('2026-11-27T12:00:00Z'))
    expect(id('2026-11-27T12:00:00Z')).not.toBe(id('2026-11-27T12:00:01Z'))
  })
})

describe("GitHub's own examples", () => {
  const all = (examples as unknown as { name: string; examples: Example[] }[]).flatMap(({ name, examples: list }) =>
    list.map((body) => [name, body.action, body] as const),
  )

  test('are there', () => {
    expect(of('issue_comment').length).toBeGreaterThan(5)
    expect(of('issues').length).toBeGreaterThan(20)
  })

  test.each(all.filter(([name, action]) => name === 'issue_comment' && action === 'created'))('%s %s with a command is one', (name, _, body) => {
    const event = githubEvent(changed(body, { comment: { body: command } }), around(name))
    expect(event).toMatchObject({ ok: true, value: { kind: 'command', issueKey: expect.stringMatching(/^[\w-]+\/[\w.-]+#\d+$/) } })
  })

  test.each(all.filter(([name, action]) => name === 'issues' && action === 'labeled'))('%s %s is a command', (name, _, body) => {
    expect(githubEvent(body, around(name, 'bug'))).toMatchObject({ ok: true, value: { kind: 'command', trigger: 'label' } })
  })

  test('are ignored as they are, all of them', () => {
    const verdicts = new Set(all.map(([name, , body]) => JSON.stringify(Reflect.get(githubEvent(body, around(name)), 'value')?.kind)))
    expect([...verdicts]).toEqual(['"ignored"'])
  })

  test('of a ping says that the webhook was set up', () => {
    expect(githubEvent(of('ping').at(-1), around('ping'))).toEqual({ ok: true, value: { kind: 'ignored', why: 'the webhook was set up' } })
  })
})

describe('what is no event of GitHub', () => {
  test('has no header', () => {
    expect(githubEvent({}, { headers: new Headers(), label: 'diagnose' })).toMatchObject({ ok: false, errors: [{ field: 'x-github-event' }] })
  })

  test('is told by its fields', () => {
    const event = githubEvent({ action: 'created', repository: { full_name: 7 } }, around('issue_comment'))
    expect(event.ok ? [] : event.errors.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['repository.full_name', 'sender', 'issue', 'comment']),
    )
  })

  test('never throws', () => {
    const events = fc.constantFrom('issue_comment', 'issues', 'ping', 'push')
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.record({ action: fc.constantFrom('created', 'labeled'), issue: fc.jsonValue(), comment: fc.jsonValue(), label: fc.jsonValue() }),
    )
    fc.assert(fc.property(events, bodies, (event, body) => void githubEvent(body, around(event))))
  })
})
