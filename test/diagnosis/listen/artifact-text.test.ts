import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { start } from '../../../src/diagnosis/cursor.ts'
import { looksLikeText } from '../../../src/diagnosis/listen/artifact-frame.ts'
import { Pipeline } from '../../../src/diagnosis/listen/pipeline.ts'
import { makeRedactor } from '../../../src/diagnosis/redact/make-redactor.ts'
import type { Redactor } from '../../../src/diagnosis/redact/redactor.ts'
import { encode } from './world.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function pipelineOf(redactor: Redactor = makeRedactor()) {
  const name = 'autodiagnose/orchard/tree/made-up-1-stdout.txt'
  const pipeline = new Pipeline(start, redactor, { name, maxBytes: 1_000_000, binaryArtifacts: true, endLine: false })
  const take = (text: string) => pipeline.take({ time: '2026-01-02T03:04:05Z', bytes: encode(text), length: text.length, ended: true })
  return { pipeline, take }
}
const bodyOf = (pieces: readonly { readonly body: Uint8Array }[]): string => pieces.map(({ body }) => new TextDecoder().decode(body)).join('')

test('a gap inside an artifact is marked in it, and it is not called whole', () => {
  const { pipeline, take } = pipelineOf()
  take('begin-base64 644 threads.txt')
  take(base64('thread 1 waits\nthread 2'))
  pipeline.gap('lines are missing here')
  take(base64('thread 9 waits\n'))
  expect(bodyOf(take('===='))).toBe('thread 1 waits\nthread 2\n# autodiagnose gap: lines are missing here\nthread 9 waits\n')
  expect(bodyOf(pipeline.finish('terminated'))).toBe('# artifact threads.txt is in the bundle, but not whole: lines are missing here\n')
})

test('an artifact is given to the redactor under its path in the bundle', () => {
  const names: string[] = []
  const real = makeRedactor()
  const open: Redactor['open'] = (name) => {
    names.push(name)
    return real.open(name)
  }
  const { take } = pipelineOf({ ...real, open, text: real.text.bind(real), json: real.json.bind(real) })
  take('begin-base64 644 threads.txt')
  expect(names.at(-1)).toBe('autodiagnose/orchard/tree/made-up-1-artifacts/01-threads.txt')
})

test('a line keeps its byte order mark', () => {
  const { pipeline, take } = pipelineOf()
  take('\uFEFFone')
  expect([...(pipeline.finish('terminated')[0]?.body.slice(0, 3) ?? [])]).toEqual([0xef, 0xbb, 0xbf])
})

test('an artifact is taken for a text, or not, by its first 4 KiB, before anything of it is cut', () => {
  const rows = (first: string): string => first.padEnd(3000, '.')
  const binary = pipelineOf()
  binary.take('begin-base64 644 made-up.bin')
  binary.take(base64(rows('GIF89a')))
  expect(binary.pipeline.neutral).toBe(false)
  binary.take(Buffer.from([0, 1, 2, 0xff]).toString('base64'))
  binary.take(base64(rows('')))
  expect(binary.pipeline.neutral).toBe(true)
  expect(binary.pipeline.cut().header.artifact).toMatchObject({ binary: true })

  const text = pipelineOf()
  text.take('begin-base64 644 made-up.log')
  text.take(base64('\u001b[1mpassword=made-up-secret-2\u001b[0m\n'))
  const [piece] = text.take('====')
  expect(piece?.header.artifact).toMatchObject({ binary: false })
  expect(bodyOf(piece ? [piece] : [])).not.toContain('made-up-secret-2')
})

test('a line behind an artifact is withheld where the line before it names it a secret', () => {
  const { pipeline, take } = pipelineOf()
  take('- name: DB_PASSWORD')
  const pieces = [
    ...take('begin-base64 644 threads.txt'),
    ...take('===='),
    ...take('# autodiagnose artifact'),
    ...take('  value: made-up-secret-3'),
    ...take('one'),
  ]
  const text = bodyOf([...pieces, ...pipeline.finish('terminated')])
  expect(text).not.toContain('made-up-secret-3')
  expect(text).toMatch(/bundle\n# autodiagnose artifact\n# autodiagnose: a line was withheld here, .*\none\n$/)
})

describe('looksLikeText', () => {
  test.each(['\u001b[31mred\u001b[0m', 'bell\u0007', 'page\fpage', 'bold\bbold', 'grüße\t\r\n'])('takes %j', (text) => {
    expect(looksLikeText(encode(text))).toBe(true)
  })

  test.each([[[0, 65]], [[65, 0xff, 65]]])('refuses %j', (bytes) => {
    expect(looksLikeText(Uint8Array.from(bytes))).toBe(false)
  })
})
