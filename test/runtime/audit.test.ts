import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { callsOf } from '../cluster/audit.ts'

/** One line of the audit log: a pod is got at that minute. */
const line = (minute: number, name: string, username = 'alice') =>
  `${JSON.stringify({
    user: { username },
    stage: 'ResponseComplete',
    verb: 'get',
    requestReceivedTimestamp: `2026-01-31T12:0${minute}:00.123456Z`,
    objectRef: { resource: 'pods', namespace: 'shop', name },
    responseStatus: { code: 200 },
  })}\n`
const at = (minute: number) => `2026-01-31T12:0${minute}:00.000Z`

function auditLog(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'audit-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return join(directory, 'audit.log')
}

test('what the API server audited is read over rotations, in its order', async () => {
  const log = auditLog({
    'audit.log': line(5, 'e') + line(6, 'f', 'bob'),
    'audit-2026-01-31T12-04-00.000.log': line(3, 'c') + line(4, 'd'),
    'audit-2026-01-31T12-02-00.000.log': line(0, 'a', 'bob') + line(2, 'b'),
  })
  expect((await callsOf('alice', at(1), log)).map(({ name }) => name)).toEqual(['b', 'c', 'd', 'e'])
  expect((await callsOf('alice', at(4), log)).map(({ name }) => name)).toEqual(['d', 'e'])
})

test('an audit log that begins too late proves nothing', async () => {
  const log = auditLog({ 'audit.log': line(5, 'e'), 'audit-2026-01-31T12-04-00.000.log': line(3, 'c') })
  await expect(callsOf('alice', at(2), log)).rejects.toThrow('the audit log begins at 2026-01-31T12:03:00.123456Z')
  await expect(callsOf('alice', at(2), auditLog({ 'audit.log': '' }))).rejects.toThrow('is rotated away')
})
