import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { listenTurn } from '../../../src/diagnosis/listen/turn.ts'
import { readSegment, segmentKey } from '../../../src/diagnosis/segment.ts'
import { container, encode, id, listenToEnd, numbered, stored, timeOf, type Written, world } from './world.ts'

const textOf = (lines: readonly Written[]): string =>
  lines.map(({ bytes, ended = true }) => new TextDecoder().decode(bytes) + (ended ? '\n' : '')).join('')
const at = (ms: number): bigint => BigInt(Date.parse('2026-01-02T03:04:05Z') + ms) * 1_000_000n
const written = (...texts: string[]): Written[] => texts.map((text, n) => ({ ns: at(n * 10), bytes: encode(text) }))

/** Every other pair of lines has its timestamps in the wrong order, as two writers may. */
const swapped = (lines: readonly Written[]): Written[] => lines.map((line, n) => ({ ...line, ns: lines[n ^ 1]?.ns ?? line.ns }))

describe('every line exactly once', () => {
  test('whatever the chunks, breaks and turns', async () => {
    const breaks = fc.array(fc.record({ after: fc.nat(4000), how: fc.constantFrom('error' as const, 'words' as const) }), { maxLength: 12 })
    const chunks = fc.array(fc.integer({ min: 40, max: 700 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 1, max: 3 }),
        chunks,
        breaks,
        fc.integer({ min: 3000, max: 9000 }),
        fc.boolean(),
        fc.boolean(),
        async (count, same, sizes, failing, turnMs, stale, disorder) => {
          const lines = disorder ? swapped(numbered(count, same)) : numbered(count, same)
          const there = world(lines, { chunks: sizes, breaks: failing })
          const cursor = await listenToEnd(there, turnMs, stale)
          expect((await stored(there.store)).text).toBe(textOf(lines))
          expect(cursor).toMatchObject({ end: 'terminated', lines: count, gaps: [] })
        },
      ),
      { numRuns: 100 },
    )
  })

  test('when a turn resumes between every two segments', async () => {
    const lines = numbered(200)
    const whole = world(lines, { chunks: [16] })
    await listenToEnd(whole, 60_000)
    const { segments, text } = await stored(whole.store)
    expect(segments).toBeGreaterThan(3)
    for (let n = 0; n <= segments; n++) {
      const there = world(lines, { chunks: [97] })
      for (let k = 1; k <= n; k++) {
        const key = segmentKey(id, container, k)
        there.store.objects.set(key, whole.store.objects.get(key) as Uint8Array)
      }
      const cursor = await listenToEnd(there, 60_000, true)
      expect((await stored(there.store)).text).toBe(text)
      expect(cursor.lines).toBe(200)
    }
  })

  test('when two workers listen at the same time', async () => {
    const lines = numbered(300)
    const one = world(lines, { chunks: [50] })
    const other = world(lines, { chunks: [333], breaks: [{ after: 999, how: 'error' }] })
    const shared = { ...other, store: one.store, deps: { ...other.deps, store: one.store } }
    const [a, b] = await Promise.all([listenToEnd(one, 1500), listenToEnd(shared, 2500)])
    expect((await stored(one.store)).text).toBe(textOf(lines))
    expect([a.lines, b.lines]).toEqual([300, 300])
  })

  test('when the store fails for a while', async () => {
    const lines = numbered(50)
    const there = world(lines, { chunks: [80] })
    let failures = 3
    const { StoreUnavailable } = await import('../../../src/ports/store/store.ts')
    const create = there.store.create.bind(there.store)
    there.store.create = async (key, body) => {
      if (failures-- > 0) throw new StoreUnavailable('503 Slow Down')
      return create(key, body)
    }
    await listenToEnd(there, 60_000)
    expect((await stored(there.store)).text).toBe(textOf(lines))
  })
})

describe('what a log can hold', () => {
  test('the last line without a newline', async () => {
    const there = world([...written('one'), { ns: at(50), bytes: encode('two'), ended: false }])
    await listenToEnd(there, 60_000)
    expect((await stored(there.store)).text).toBe('one\ntwo')
  })

  test('bytes that are no UTF-8', async () => {
    const there = world([{ ns: at(0), bytes: new Uint8Array([0x61, 0xff, 0xc3, 0x62]) }])
    const cursor = await listenToEnd(there, 60_000)
    expect((await stored(there.store)).text).toBe('a\ufffd\ufffdb\n')
    expect(cursor.bytes).toBe(5)
  })

  test('a line of 16 KiB and more is whole, one of over 64 KiB is cut and said', async () => {
    const there = world([
      { ns: at(0), bytes: encode('x'.repeat(40_000)) },
      { ns: at(1), bytes: encode('y'.repeat(70_000)) },
    ])
    const cursor = await listenToEnd(there, 60_000)
    const { text } = await stored(there.store)
    expect(text).toContain(`${'x'.repeat(40_000)}\n`)
    expect(text).toContain(`${'y'.repeat(61_440)} [autodiagnose: 8560 bytes of this line were dropped]\n`)
    expect(cursor.gaps).toEqual(['a line of 70000 bytes was cut after 61440'])
    expect(cursor.bytes).toBe(110_002)
  })

  test("the kubelet's own words inside the body are no line of the log", async () => {
    const lines = numbered(40)
    const there = world(lines, {
      chunks: [100],
      breaks: [
        { after: 700, how: 'words' },
        { after: 1300, how: 'words' },
      ],
    })
    await listenToEnd(there, 60_000)
    expect((await stored(there.store)).text).toBe(textOf(lines))
  })
})

describe('rotation', () => {
  test('lines that were rotated away while nobody followed are marked where they are missing', async () => {
    const lines = numbered(100, 1)
    const there = world(lines, { chunks: [10], breaks: [{ after: 900, how: 'error' }] })
    const early = await listenTurn({ ...there.params, turnEndsAt: there.clock.ms + 2500 }, there.deps, new AbortController().signal)
    expect(early.lines).toBeGreaterThan(0)
    there.kubelet.rotated = early.lines + 20
    const cursor = await listenTurn({ ...there.params, cursor: early, turnEndsAt: there.clock.ms + 60_000 }, there.deps, new AbortController().signal)
    const { text } = await stored(there.store)
    expect(cursor.gaps).toEqual(['the log was rotated while nobody could follow it: lines may be missing here'])
    expect(text).toBe(`${textOf(lines.slice(0, early.lines))}# autodiagnose gap: ${cursor.gaps[0]}\n${textOf(lines.slice(early.lines + 20))}`)
  })

  test('rotation that took nothing is no gap', async () => {
    const lines = numbered(100, 1)
    const there = world(lines, { chunks: [10], breaks: [{ after: 900, how: 'error' }] })
    const early = await listenTurn({ ...there.params, turnEndsAt: there.clock.ms + 2500 }, there.deps, new AbortController().signal)
    there.kubelet.rotated = early.lines - 1
    const cursor = await listenTurn({ ...there.params, cursor: early, turnEndsAt: there.clock.ms + 60_000 }, there.deps, new AbortController().signal)
    expect(cursor.gaps).toEqual([])
    expect((await stored(there.store)).text).toBe(textOf(lines))
  })
})

describe('rotation right behind the last line that was read', () => {
  const texts = ['one', 'two', '# autodiagnose end lines=2 bytes=8']
  const read = async (endLine: boolean) => {
    const first = await listenToEnd(world(written('one')), 60_000)
    const { end: _, ...cursor } = first
    const there = world(written(...texts), {}, { endLine })
    there.kubelet.rotated = 1
    return listenTurn({ ...there.params, cursor }, there.deps, new AbortController().signal)
  }

  test('is a gap as long as nothing proves the contrary', async () => {
    expect(await read(false)).toMatchObject({ end: 'terminated', gaps: [expect.stringContaining('lines may be missing here')] })
  })

  test('is none when the end line does', async () => {
    expect(await read(true)).toMatchObject({ end: 'proven', gaps: [] })
  })

  test('is a gap, too, where the one line that is left has no newline', async () => {
    const { end: _, ...cursor } = await listenToEnd(world(written('one')), 60_000)
    const [one, two] = written('one', 'two') as [Written, Written]
    const there = world([one, { ...two, ended: false }])
    there.kubelet.rotated = 1
    const last = await listenTurn({ ...there.params, cursor }, there.deps, new AbortController().signal)
    expect(last).toMatchObject({ lines: 2, gaps: [expect.stringContaining('lines may be missing here')] })
  })
})

describe('the end line', () => {
  const body = 'TAP version 14\n1..0\n'
  const ending = (lines: number, bytes: number): Written[] => written('TAP version 14', '1..0', `# autodiagnose end lines=${lines} bytes=${bytes}`)

  test('proves that everything was read', async () => {
    const there = world(ending(2, body.length), {}, { endLine: true })
    expect(await listenToEnd(there, 60_000)).toMatchObject({ end: 'proven', gaps: [] })
  })

  test('with other counts it is a gap', async () => {
    const there = world(ending(3, body.length), {}, { endLine: true })
    const cursor = await listenToEnd(there, 60_000)
    expect(cursor.end).toBe('terminated')
    expect(cursor.gaps[0]).toBe(`the end line says 3 lines and ${body.length} bytes, read were 2 and ${body.length}`)
  })

  test('that never comes is a gap', async () => {
    const there = world(written('TAP version 14'), {}, { endLine: true })
    expect(await listenToEnd(there, 60_000)).toMatchObject({ end: 'terminated', gaps: ['the container ended without its end line'] })
  })
})

describe('artifacts', () => {
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, n) => `thread ${n} waits for a lock\n`).join(''))
  const frame = (name: string, content: Buffer): Written[] => {
    const rows = content.toString('base64').match(/.{1,60}/g) ?? []
    return [`begin-base64 644 ${name}`, ...rows, '===='].map((text, n) => ({ ns: at(1000 + n * 5), bytes: encode(text) }))
  }
  const around = (artifact: Written[]): Written[] => [{ ns: at(0), bytes: encode('before') }, ...artifact, { ns: at(60_000), bytes: encode('after') }]

  test('text is decoded, redacted and stored in chunks that resume anywhere', async () => {
    const content = Buffer.concat([bytes, Buffer.from('password=made-up-secret-1\n')])
    const there = world(around(frame('threads.txt', content)), { chunks: [3000], breaks: [{ after: 50_000, how: 'error' }] })
    await listenToEnd(there, 2300, true)
    const { text, artifacts } = await stored(there.store)
    expect(text).toBe('before\n# artifact threads.txt is in the bundle\nafter\n')
    const artifact = Buffer.from(artifacts.get(1) ?? []).toString()
    expect(artifact.startsWith(bytes.toString())).toBe(true)
    expect(artifact).not.toContain('made-up-secret-1')
  })

  test('binary is dropped and said, or stored as it is where policy allows', async () => {
    const content = Buffer.from(Array.from({ length: 3000 }, (_, n) => n % 256))
    const dropped = world(around(frame('capture.pcap', content)))
    await listenToEnd(dropped, 60_000)
    expect((await stored(dropped.store)).text).toContain(
      '# artifact capture.pcap was binary and is not stored: policy evidence.binaryArtifacts is off\n',
    )
    expect((await stored(dropped.store)).artifacts.get(1)?.length ?? 0).toBe(0)
    const kept = world(around(frame('capture.pcap', content)), { chunks: [500] }, { binaryArtifacts: true })
    await listenToEnd(kept, 2300)
    expect(Buffer.from((await stored(kept.store)).artifacts.get(1) ?? [])).toEqual(content)
  })

  test('one that is never finished is said', async () => {
    const there = world(frame('threads.txt', bytes).slice(0, 10))
    const cursor = await listenToEnd(there, 60_000)
    expect(cursor.gaps).toContain('the artifact threads.txt was not finished')
  })

  test('one that breaks off is said, and the text behind it is read on', async () => {
    const cut = frame('threads.txt', bytes).slice(0, 5)
    const there = world([
      ...cut,
      { ns: at(60_000), bytes: encode('# autodiagnose artifact threads.txt is incomplete') },
      { ns: at(60_001), bytes: encode('1..0') },
    ])
    const cursor = await listenToEnd(there, 60_000)
    expect(cursor).toMatchObject({ end: 'terminated', gaps: ['the artifact threads.txt was not finished'], lines: 7 })
    expect((await stored(there.store)).text).toBe(
      '# artifact threads.txt was not finished\n# autodiagnose artifact threads.txt is incomplete\n1..0\n',
    )
  })

  test('a name from inside the pod names a file and nothing else', async () => {
    const there = world(frame('../../etc/passwd', Buffer.from('x\n')))
    await listenToEnd(there, 60_000)
    expect((await stored(there.store)).text).toBe('# artifact etc_passwd is in the bundle\n')
  })
})

test('the byte cap ends listening with a mark', async () => {
  const there = world(numbered(5000, 1, 1_000_000n), {}, { maxBytes: 10_000 })
  const cursor = await listenToEnd(there, 60_000)
  expect(cursor.end).toBe('cut')
  const { text } = await stored(there.store)
  expect(text.endsWith('# autodiagnose cut: the stored log ends here, after 10000 bytes\n')).toBe(true)
  expect(text.length).toBeLessThan(11_000)
})

test('cancelling ends listening within a second, with what was read', async () => {
  const lines = numbered(500)
  const there = world(lines, { chunks: [20] })
  let asked = 0
  const cursor = await listenToEnd({ ...there, deps: { ...there.deps, cancelled: async () => ++asked > 2 } }, 60_000)
  expect(cursor.end).toBe('cancelled')
  expect(cursor.lines).toBeGreaterThan(0)
  expect(cursor.lines).toBeLessThan(500)
  const mark = '# autodiagnose gap: the diagnosis was cancelled: what the container printed later is missing\n'
  expect((await stored(there.store)).text).toBe(textOf(lines.slice(0, cursor.lines)) + mark)
})

test('a segment carries the cursor behind it, so that the segments alone tell where to go on', async () => {
  const there = world(numbered(30))
  const cursor = await listenToEnd(there, 60_000)
  const last = await readSegment(there.store, segmentKey(id, container, cursor.segment))
  expect(last?.header.cursor).toEqual(cursor)
  expect(cursor.time).toBe(timeOf(numbered(30)[29]?.ns ?? 0n))
})
