import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gitlabEvent } from '../../src/diagnosis/accept/webhooks/gitlab.ts'
import examples from '../fixtures/commands/gitlab.json' with { type: 'json' }

type Body = Readonly<Record<string, unknown>>
type Change = Readonly<Record<string, Readonly<Record<string, unknown>> | string>>

const example = (name: string): Body => examples.find((one) => one.name === name)?.body ?? {}
const read = (body: unknown, label = 'Platform') => gitlabEvent(body, { headers: new Headers(), label })
const changed = (body: Body, change: Change): Body => ({
  ...body,
  ...Object.fromEntries(
    Object.entries(change).map(([name, value]) => [name, typeof value === 'string' ? value : { ...(body[name] as object), ...value }]),
  ),
})

const command = '/diagnose shop/cart-1'
const note = (attributes: Body = {}, change: Change = {}) =>
  read(changed(example('comment on an issue'), { object_attributes: { note: command, ...attributes }, ...change }))
const issue = (attributes: Body = {}, change: Change = {}, label?: string) =>
  read(changed(example('issue'), { object_attributes: { action: 'update', description: command, ...attributes }, ...change }), label)

describe('a comment', () => {
  test('is a command', () => {
    expect(note()).toEqual({
      ok: true,
      value: {
        kind: 'command',
        trigger: 'comment',
        id: 'comment:1241',
        author: 'root',
        authorKeys: ['id:1', 'root'],
        issueKey: 'gitlab-org/gitlab-test#17',
        isPublic: false,
        text: command,
      },
    })
  })

  test('of a GitLab before 16.11, which tells no action, is one', () => {
    expect(note({ action: undefined })).toMatchObject({ value: { kind: 'command' } })
  })

  test('of an incident is one', () => {
    expect(note({ noteable_type: 'WorkItem' })).toMatchObject({ value: { kind: 'command', issueKey: 'gitlab-org/gitlab-test#17' } })
  })

  test.each([
    ['private', { project: { visibility_level: 0 } }, false],
    ['internal', { project: { visibility_level: 10 } }, false],
    ['public', { project: { visibility_level: 20 } }, true],
    ['public by name', { project: { visibility_level: undefined, visibility: 'public' } }, true],
    ['private by name', { project: { visibility_level: undefined, visibility: 'private' } }, false],
    ['private by level, public by name', { project: { visibility_level: 0, visibility: 'public' } }, false],
    ['a confidential issue', { project: { visibility_level: 20 }, issue: { confidential: true } }, false],
    ['a confidential comment', { project: { visibility_level: 20 }, event_type: 'confidential_note' }, false],
  ])('tells who may read it: %s', (_, change, isPublic) => {
    expect(note({}, change as Change)).toMatchObject({ value: { kind: 'command', isPublic } })
  })

  test.each([
    ['without a command', { note: 'Thank you' }, 'the comment holds no command'],
    ['in code', { note: `\`\`\`\n${command}\n\`\`\`` }, 'the comment holds no command'],
    ['that was edited', { action: 'update' }, 'only new comments count'],
    ['of GitLab itself', { system: true }, 'GitLab wrote it'],
    ['of ours', { note: `${command}\n\n<!-- autodiagnose ad-01 0123456789abcdef -->` }, 'the text is our own'],
  ])('is ignored: %s', (_, attributes, why) => {
    expect(note(attributes)).toEqual({ ok: true, value: { kind: 'ignored', why } })
  })

  test.each(['merge request', 'commit', 'snippet'])('on a %s is ignored', (what) => {
    const body = changed(example(`comment on a ${what}`), { object_attributes: { note: command } })
    expect(read(body)).toMatchObject({ ok: true, value: { kind: 'ignored', why: expect.stringContaining('use an issue') } })
  })
})

describe('a label', () => {
  test('that was added is a command', () => {
    expect(issue()).toEqual({
      ok: true,
      value: {
        kind: 'command',
        trigger: 'label',
        id: 'label:301:Platform:2013-12-03T17:15:43Z',
        author: 'root',
        authorKeys: ['id:1', 'root'],
        issueKey: 'gitlabhq/gitlab-test#23',
        isPublic: true,
        text: command,
      },
    })
  })

  test('of a work item of another type is one', () => {
    expect(issue({}, { object_kind: 'work_item' })).toMatchObject({ value: { kind: 'command' } })
  })

  test('that a new issue has is one', () => {
    const body = { ...changed(example('issue'), { object_attributes: { action: 'open', description: command } }), changes: {} }
    expect(read(body, 'API')).toMatchObject({ value: { kind: 'command', trigger: 'label' } })
    expect(read(body, 'Platform')).toMatchObject({ value: { kind: 'ignored' } })
  })

  test.each([
    ['that was there before', {}, 'API'],
    ['that is another', {}, 'diagnose'],
    ['of another case, which is another label in GitLab', {}, 'platform'],
    ['where labels did not change', { changes: { labels: undefined } }, 'Platform'],
  ])('is ignored: %s', (_, change, label) => {
    expect(issue({}, change as unknown as Change, label)).toEqual({ ok: true, value: { kind: 'ignored', why: `the label "${label}" was not added` } })
  })

  test('is ignored on an issue of ours', () => {
    const description = `${command}\n\n<!-- autodiagnose tr-01 0123456789abcdef -->`
    expect(issue({ description })).toEqual({ ok: true, value: { kind: 'ignored', why: 'the text is our own' } })
  })

  test('of a confidential issue is not public', () => {
    expect(issue({ confidential: true })).toMatchObject({ value: { isPublic: false } })
    expect(issue({}, { event_type: 'confidential_issue' })).toMatchObject({ value: { isPublic: false } })
  })
})

describe('anything else', () => {
  test.each(examples.map(({ name, body }) => [name, body] as const))('as documented is ignored: %s', (_, body) => {
    expect(read(body, 'diagnose')).toMatchObject({ ok: true, value: { kind: 'ignored' } })
  })

  test.each(['issue', 'comment on an issue'])('is ignored: %s of a group, which is in no project', (name) => {
    for (const body of [
      { ...example(name), project: null },
      { ...example(name), project: undefined },
    ])
      expect(read(body)).toEqual({ ok: true, value: { kind: 'ignored', why: 'it belongs to a group; use an issue of a project' } })
  })

  test('is ignored: a push', () => {
    expect(read({ object_kind: 'push' })).toEqual({ ok: true, value: { kind: 'ignored', why: 'push means nothing here' } })
  })

  test('is told by its fields where it is no event', () => {
    expect(read({})).toMatchObject({ ok: false, errors: [{ field: 'object_kind' }] })
    const event = read({ object_kind: 'note', user: { username: 7 } })
    expect(event.ok ? [] : event.errors.map(({ field }) => field)).toEqual(expect.arrayContaining(['user.username', 'object_attributes']))
  })

  test('never throws', () => {
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.record({ object_kind: fc.constantFrom('note', 'issue'), object_attributes: fc.jsonValue(), issue: fc.jsonValue(), changes: fc.jsonValue() }),
    )
    fc.assert(fc.property(bodies, (body) => void read(body)))
  })
})
