import { expect, test } from 'vitest'
import { encode, listenToEnd, stored, world } from './world.ts'

test('a secret of several lines is hidden wherever segments, turns and streams end in it', async () => {
  const key = ['-----BEGIN PRIVATE KEY-----', ...Array.from({ length: 5 }, (_, n) => `MadeUp${n}${'Secret0'.repeat(8)}`), '-----END PRIVATE KEY-----']
  const texts = Array.from({ length: 4 }, (_, n) => [`line ${n}`, ...key, '- name: DB_PASSWORD', `  value: made-up-value-${n}`]).flat()
  const lines = texts.map((text, n) => ({ ns: BigInt(Date.parse('2026-01-02T03:04:05Z') + n * 700) * 1_000_000n, bytes: encode(text) }))
  for (const size of [16, 33, 97]) {
    // A chunk takes 20 ms, so a segment is cut every 50 chunks.
    const there = world(lines, {
      chunks: [size],
      breaks: [
        { after: 700, how: 'error' },
        { after: 1501, how: 'eof' },
      ],
    })
    const cursor = await listenToEnd(there, 4000, true)
    const { text, segments } = await stored(there.store)
    expect(segments).toBeGreaterThan(2)
    expect(text).not.toMatch(/Secret0|made-up-value/)
    expect(text.match(/^line \d$/gm)).toHaveLength(4)
    expect(cursor).toMatchObject({ lines: texts.length, gaps: [] })
  }
})
