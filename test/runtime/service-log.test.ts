import { expect, test } from 'vitest'
import type { Log } from '../../src/deps.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { redactedLog } from '../../src/hosts/parts.ts'

test('the service log holds no secret: not in its message, nor in the words and stack of an error', () => {
  const written: unknown[] = []
  const sink: Log = (...line) => void written.push(line)
  const log = redactedLog(sink, makeRedactor())
  const error = new Error('dial postgres://cart:made-up-0000@db:5432: refused')
  log('error', 'Cannot ask https://api:made-up-0000@cluster', { attempt: 2, error: String(error.stack), cause: error.message })
  log('info', 'Listening')
  expect(JSON.stringify(written)).not.toContain('made-up-0000')
  expect(written).toEqual([
    [
      'error',
      'Cannot ask https://api:***HIDDEN***@cluster',
      expect.objectContaining({ attempt: 2, cause: expect.stringContaining('@db:5432: refused') }),
    ],
    ['info', 'Listening', undefined],
  ])
})
