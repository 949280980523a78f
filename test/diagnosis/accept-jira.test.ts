import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCommand } from '../../src/diagnosis/accept/command.ts'
import { jiraEvent } from '../../src/diagnosis/accept/webhooks/jira.ts'
import { jiraText } from '../../src/diagnosis/accept/webhooks/jira-text.ts'
import examples from '../fixtures/commands/jira.json' with { type: 'json' }

type Body = Readonly<Record<string, unknown>>

const example = (name: string): Body => (examples.find((one) => one.name === name)?.body ?? {}) as Body
const read = (body: unknown, label = 'diagnose') => jiraEvent(body, { headers: new Headers(), label })
const comment = (fields: Body, name = 'Cloud: comment created') => {
  const body = example(name)
  return read({ ...body, comment: { ...(body.comment as Body), ...fields } })
}
const ignoredWhy = 'there is neither a new command nor the label'

describe('a comment', () => {
  test('of Cloud is a command', () => {
    expect(read(example('Cloud: comment created'))).toEqual({
      ok: true,
      value: {
        kind: 'command',
        trigger: 'comment',
        id: 'comment:10019',
        author: 'Mia Krystof',
        authorKeys: ['id:5b10a2844c20165700ede21g', '5b10a2844c20165700ede21g'],
        issueKey: 'OPS-12',
        isPublic: false,
        text: '/diagnose shop/cart-1',
      },
    })
  })

  test.each(['Server: commented', 'Server before 7: commented'])('of Server is one: %s', (name) => {
    expect(read(example(name))).toMatchObject({
      ok: true,
      value: { kind: 'command', id: 'comment:10118', author: 'Mia Krystof', authorKeys: ['id:JIRAUSER10100', 'mia'], issueKey: 'OPS-42' },
    })
  })

  test.each(['Server: comment edited', 'Server before 7: comment edited'])('that was edited is ignored: %s', (name) => {
    expect(read(example(name))).toEqual({ ok: true, value: { kind: 'ignored', why: ignoredWhy } })
  })

  test('without its issue is ignored, because it comes again with it', () => {
    const event = read(example('Server: comment created, without its issue'))
    expect(event).toMatchObject({ ok: true, value: { kind: 'ignored', why: expect.stringContaining('"Issue updated" tells the same') } })
  })

  test.each([
    ['without a command', { body: 'Thank you' }, ignoredWhy],
    ['of an app', { author: { accountId: '557058:1', accountType: 'app' } }, 'an app did it'],
    ['without an author', { author: null }, 'it has no author'],
  ])('is ignored: %s', (_, fields, why) => {
    expect(comment(fields)).toEqual({ ok: true, value: { kind: 'ignored', why } })
  })

  test('knows nobody by name or address where there is an account', () => {
    const author = { accountId: '557058:1', name: 'admin', key: 'admin', emailAddress: 'mia@example.com', displayName: 'admin' }
    expect(comment({ author })).toMatchObject({ value: { authorKeys: ['id:557058:1', '557058:1'] } })
  })

  test('knows nobody by a name that looks like an id', () => {
    expect(comment({ author: { key: 'JIRAUSER2', name: 'id:JIRAUSER1' } }, 'Server: commented')).toMatchObject({
      value: { authorKeys: ['id:JIRAUSER2'] },
    })
  })
})

describe('a label', () => {
  test.each(['Cloud: label added', 'Cloud: created with the label'])('is a command: %s', (name) => {
    expect(read(example(name))).toMatchObject({
      ok: true,
      value: { kind: 'command', trigger: 'label', authorKeys: ['id:5b10a2844c20165700ede21g', '5b10a2844c20165700ede21g'], issueKey: 'OPS-12' },
    })
  })

  test('has an id of its change', () => {
    expect(read(example('Cloud: label added'))).toMatchObject({ value: { id: 'label:10040:diagnose:10233' } })
    expect(read(example('Cloud: created with the label'))).toMatchObject({ value: { id: 'label:10040:diagnose:created' } })
  })

  test.each([
    ['that was there before', [{ field: 'labels', fromString: 'diagnose', toString: 'diagnose shop' }]],
    ['that was removed', [{ field: 'labels', fromString: 'diagnose', toString: '' }]],
    ['of which another is a part', [{ field: 'labels', fromString: '', toString: 'diagnose-later' }]],
    ['of another field', [{ field: 'summary', fromString: '', toString: 'diagnose' }]],
    ['without a value', [{ field: 'labels' }]],
    ['without changes', undefined],
  ])('is ignored: %s', (_, items) => {
    expect(read({ ...example('Cloud: label added'), changelog: { id: '1', items } })).toEqual({
      ok: true,
      value: { kind: 'ignored', why: ignoredWhy },
    })
  })

  test('is ignored on an issue of ours', () => {
    const { issue, ...rest } = example('Cloud: label added') as { issue: { fields: Body } }
    const ours = { ...issue, fields: { ...issue.fields, labels: ['diagnose', 'tr-0123456789abcdef0123'] } }
    expect(read({ ...rest, issue: ours })).toEqual({ ok: true, value: { kind: 'ignored', why: 'the text is our own' } })
  })
})

const run = (body: unknown) => parseCommand(jiraText(body))

describe('wiki markup', () => {
  test.each([
    ['/diagnose shop/cart-1', {}],
    ['Hello [~accountid:557058:1]\n/diagnose shop/cart-1', {}],
    ['Hello\r\n/diagnose shop/cart-1\r\nThank you', {}],
    ['a < b\n/diagnose shop/cart-1', {}],
    ['{code:sh}\nlog\n{code}\n/diagnose shop/cart-1', {}],
    ['/diagnose {{shop/cart-1}}', {}],
    ['/diagnose shop/cart\\-1', {}],
    ['/diagnose shop/cart-1 –-check dns', { checks: ['dns'] }],
    ['/diagnose shop/cart-1 --check http=[http://x:8080|http://x:8080]', { checks: ['http=http://x:8080'] }],
    ['/diagnose shop/cart-1 --check http=[http://x:8080|http://x:8080|smart-link]', { checks: ['http=http://x:8080'] }],
    ['/diagnose shop/cart-1 --check http=[http://x:8080]', { checks: ['http=http://x:8080'] }],
    ['/diagnose shop/cart-1 --check tcp=\\[fd00::1\\]:8080', { checks: ['tcp=[fd00::1]:8080'] }],
    ['/diagnose shop/cart-1 --check tcp=[fd00::1]:8080', { checks: ['tcp=[fd00::1]:8080'] }],
  ])('%j is a command', (text, fields) => {
    expect(run(text)).toEqual({ pod: 'shop/cart-1', ...fields })
  })

  test.each([
    '{code}\n/diagnose shop/cart-1\n{code}',
    '{code:title=a.sh|borderStyle=solid}\n/diagnose shop/cart-1\n{code}',
    '{noformat}\n{code}\n/diagnose shop/cart-1\n{noformat}',
    '{quote}\n/diagnose shop/cart-1\n{quote}',
    '{quote}\n{code}x{code}\n/diagnose shop/cart-1\n{quote}',
    '{code}\n/diagnose shop/cart-1',
    '{code}x{code}/diagnose shop/cart-1',
    '{code}\n\\{code}\n/diagnose shop/cart-1\n{code}',
    'bq. /diagnose shop/cart-1',
    '* /diagnose shop/cart-1',
    '|a|\n||/diagnose shop/cart-1||',
    '\\/diagnose shop/cart-1',
    '```\n/diagnose shop/cart-1\n```',
    '> /diagnose shop/cart-1',
  ])('%j is none', (text) => {
    expect(run(text)).toBeUndefined()
  })

  test('of any kind is read without a throw', () => {
    const pieces = fc.array(
      fc.oneof(fc.string(), fc.constantFrom('{code}', '{quote}', '{noformat:', '[', '|', ']', '{{', '}}', '\\', '\n', '/diagnose ')),
    )
    fc.assert(fc.property(pieces, (list) => void run(list.join(''))))
  })

  test.each(['{code:', '[a|', '{{', '{quote}', '\\', '[http://'])('a megabyte of %j is read', (piece) => {
    expect(run(`/diagnose ${piece.repeat(1_000_000 / piece.length)}`)).toBeInstanceOf(Array)
  })
})

const doc = (...content: unknown[]) => ({ type: 'doc', version: 1, content })
const paragraph = (...content: unknown[]) => ({ type: 'paragraph', content })
const text = (words: string, ...marks: string[]) => ({
  type: 'text',
  text: words,
  ...(marks.length > 0 ? { marks: marks.map((type) => ({ type })) } : {}),
})
const command = paragraph(text('/diagnose shop/cart-1'))

describe('ADF', () => {
  test.each([
    ['a paragraph', doc(command), {}],
    ['a paragraph below others', doc({ type: 'heading', content: [text('Help')] }, paragraph(text('a < b')), command), {}],
    ['a line of a paragraph', doc(paragraph(text('Hello'), { type: 'hardBreak' }, text('/diagnose shop/cart-1'))), {}],
    ['marked words', doc(paragraph(text('/diagnose '), text('shop/cart-1', 'code'))), {}],
    ['a link', doc(paragraph(text('/diagnose shop/cart-1 --check http='), text('http://x:8080', 'link'))), { checks: ['http=http://x:8080'] }],
    [
      'a card',
      doc(paragraph(text('/diagnose shop/cart-1 --check http='), { type: 'inlineCard', attrs: { url: 'http://x:8080' } })),
      { checks: ['http=http://x:8080'] },
    ],
  ])('%s is a command', (_, body, fields) => {
    expect(run(body)).toEqual({ pod: 'shop/cart-1', ...fields })
  })

  test.each([
    ['code', doc({ type: 'codeBlock', content: [text('/diagnose shop/cart-1')] })],
    ['a quotation', doc({ type: 'blockquote', content: [command] })],
    ['a list', doc({ type: 'bulletList', content: [{ type: 'listItem', content: [command] }] })],
    ['a panel', doc({ type: 'panel', content: [command] })],
    ['code in a line', doc(paragraph(text('/diagnose shop/cart-1', 'code')))],
    ['a line break inside of words, which shows as a space', doc(paragraph(text('Try\n/diagnose shop/cart-1')))],
    ['no document', { type: 'paragraph', content: [text('/diagnose shop/cart-1')] }],
    ['nothing', null],
  ])('%s is none', (_, body) => {
    expect(run(body)).toBeUndefined()
  })

  test('of any kind is read without a throw', () => {
    fc.assert(fc.property(fc.array(fc.jsonValue()), (content) => void run(doc(...content, paragraph(...content)))))
  })
})

describe('anything else', () => {
  test('is ignored', () => {
    expect(read({ webhookEvent: 'sprint_started' })).toEqual({ ok: true, value: { kind: 'ignored', why: 'sprint_started means nothing here' } })
  })

  test('is told by its fields where it is no event', () => {
    expect(read({})).toMatchObject({ ok: false, errors: [{ field: 'webhookEvent' }] })
    expect(read({ webhookEvent: 'comment_created', issue: { key: 7 } })).toMatchObject({
      ok: false,
      errors: [{ field: 'issue.id' }, { field: 'issue.key' }],
    })
  })

  test('never throws', () => {
    const bodies = fc.record({
      webhookEvent: fc.constantFrom('comment_created', 'jira:issue_updated', 'jira:issue_created'),
      issue: fc.constant({ id: '1', key: 'OPS-1' }),
      comment: fc.oneof(fc.jsonValue(), fc.record({ id: fc.string(), body: fc.jsonValue() })),
      changelog: fc.oneof(fc.jsonValue(), fc.record({ items: fc.array(fc.jsonValue()) })),
    })
    fc.assert(fc.property(bodies, (body) => void read(body)))
  })
})
