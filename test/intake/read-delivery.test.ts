import { expect, test } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { readDelivery } from '../../src/intake/read-delivery.ts'

const { github } = configSchema.shape.sources.parse({ github: { kind: 'github', secrets: [{ env: 'UNUSED' }], tracker: 'bugs' } })

function textKept(body: string): string | undefined {
  if (!github) throw new Error('There is no source')
  const event = {
    action: 'created',
    repository: { full_name: 'fruit/apples', private: true },
    sender: { id: 1, login: 'octo', type: 'User' },
    issue: { id: 70, number: 7, body: '', updated_at: '2026-11-27T12:00:00Z' },
    comment: { id: 1, body },
  }
  const read = readDelivery('github', github, { body: event, headers: new Headers({ 'x-github-event': 'issue_comment' }) }, 0)
  return read.ok ? read.value.alerts[0]?.labels.text : undefined
}

test('a comment is kept as it is', () => {
  expect(textKept('/diagnose fruit/apples-1\nplease')).toBe('/diagnose fruit/apples-1\nplease')
})

test('of a very long comment whole lines are kept, so that no name of a pod is cut', () => {
  const long = `/diagnose fruit/apples-1\n${'x'.repeat(65_500)}\n/diagnose fruit/apples-12345`
  expect(textKept(long)).toBe(`/diagnose fruit/apples-1\n${'x'.repeat(65_500)}\n`)
})
