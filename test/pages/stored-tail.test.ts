import { expect, test } from 'vitest'
import { platform } from '#platform'
import { start } from '../../src/diagnosis/cursor.ts'
import { encodeSegment, segmentKey } from '../../src/diagnosis/segment.ts'
import { storedTail } from '../../src/pages/stored-tail.ts'
import type { Store } from '../../src/ports/store/store.ts'

const id = 'ad-0123456789abcdefghjk'
const signal = new AbortController().signal

async function storeOf(texts: readonly string[]) {
  const store = await platform.openStore()
  for (const [n, text] of texts.entries())
    await store.create(segmentKey(id, `${id}-1`, n + 1), encodeSegment({ cursor: { ...start, segment: n + 1 } }, new TextEncoder().encode(text)))
  let gets = 0
  const counted: Store = {
    ...store,
    get(key, options) {
      gets += 1
      return store.get(key, options)
    },
  }
  return { store: counted, gets: () => gets }
}

test('a short log is there as a whole', async () => {
  const { store } = await storeOf(['a\n', 'b\n'])
  expect(await storedTail({ id }, { store }, signal)).toEqual({ text: 'a\nb\n', cut: false })
})

test('of a long log the last 128 KiB are there, from the beginning of a line on', async () => {
  const line = `${'x'.repeat(1023)}\n`
  const { store, gets } = await storeOf(Array.from({ length: 10 }, () => line.repeat(50)))
  expect(await storedTail({ id }, { store }, signal)).toEqual({ text: line.repeat(127), cut: true })
  expect(gets()).toBe(3)
})

test('of many small segments the last hundred are read', async () => {
  const { store, gets } = await storeOf(Array.from({ length: 150 }, (_, n) => `line ${n}\n`))
  const { text, cut } = await storedTail({ id }, { store }, signal)
  expect(cut).toBe(true)
  expect(text.startsWith('line 51\n')).toBe(true)
  expect(gets()).toBe(100)
})
