import { expect, test } from 'vitest'
import { bytesRead, start } from '../../src/diagnosis/cursor.ts'
import { SegmentWriter } from '../../src/diagnosis/listen/segment-writer.ts'
import { listenTurn } from '../../src/diagnosis/listen/turn.ts'
import { encode, stored, type Written, world } from './listen/world.ts'

const signal = new AbortController().signal
const mebibyte = 1024 ** 2

/** As many lines of that length as make so many bytes, a millisecond between each two. */
function lines(bytes: number, length: number): Written[] {
  const from = BigInt(Date.parse('2026-01-02T03:04:05Z')) * 1_000_000n
  const text = encode('x'.repeat(length))
  return Array.from({ length: Math.ceil(bytes / (length + 32)) }, (_, n) => ({ ns: from + BigInt(n) * 1_000_000n, bytes: text }))
}

test('listenTurn ends after 32 MiB of log, behind a whole segment, and the next turn goes on there', async () => {
  const log = lines(70 * mebibyte, 1000)
  const made = world(log, { chunks: [65_536] })
  const turnEndsAt = made.clock.ms + 3_600_000
  const first = await listenTurn({ ...made.params, turnEndsAt }, made.deps, signal)
  expect(first.end).toBeUndefined()
  expect(bytesRead(first)).toBeGreaterThanOrEqual(32 * mebibyte)
  expect(bytesRead(first)).toBeLessThan(33 * mebibyte)
  const second = await listenTurn({ ...made.params, cursor: first, turnEndsAt }, made.deps, signal)
  expect(bytesRead(second) - bytesRead(first)).toBeGreaterThanOrEqual(32 * mebibyte)
  expect(bytesRead(second) - bytesRead(first)).toBeLessThan(33 * mebibyte)
  const last = await listenTurn({ ...made.params, cursor: second, turnEndsAt }, made.deps, signal)
  expect(last).toMatchObject({ end: 'terminated', lines: log.length, gaps: [] })
})

test('listenTurn counts what short lines cost: their timestamps', { timeout: 60_000 }, async () => {
  const made = world(lines(33 * mebibyte, 1), { chunks: [262_144] })
  const turnEndsAt = made.clock.ms + 3_600_000
  const first = await listenTurn({ ...made.params, turnEndsAt }, made.deps, signal)
  expect(first.end).toBeUndefined()
  expect(first.bytes).toBeLessThan(3 * mebibyte)
  expect(await listenTurn({ ...made.params, cursor: first, turnEndsAt }, made.deps, signal)).toMatchObject({ end: 'terminated', gaps: [] })
  expect((await stored(made.store)).text.length).toBe(2 * made.kubelet.lines.length)
})

test('SegmentWriter lets at most 16 MiB wait for a slow store', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<'created'>()
  const store = { create: () => answered, get: async () => undefined }
  const writer = new SegmentWriter('ad-1', 'ad-1-1', start, { store, clock: world([]).clock }, signal)
  let waiting = 0
  const put = (): void => {
    writer.put({ header: { cursor: start }, body: new Uint8Array(768 * 1024) })
    waiting += 768 * 1024
  }
  const hasRoom = () => Promise.race([writer.room().then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 5, false))])
  while (waiting < 64 * mebibyte && (await hasRoom())) put()
  expect(waiting).toBeGreaterThanOrEqual(16 * mebibyte)
  expect(waiting).toBeLessThan(17 * mebibyte)
  answer('created')
  await writer.room()
  expect(await hasRoom()).toBe(true)
})
