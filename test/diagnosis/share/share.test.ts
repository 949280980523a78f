import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { platform } from '#platform'
import { share } from '../../../src/diagnosis/share/share.ts'
import type { Records } from '../../../src/ports/records/records.ts'
import { local } from '../../../src/ports/tracker/local.ts'
import { type Note, type Tracker, TrackerRejected, TrackerUnavailable } from '../../../src/ports/tracker/tracker.ts'
import { wallClock } from '../../contract/wall-clock.ts'
import { exampleDiagnosis, urls } from './example.ts'

describe('share', () => {
  let directory: string
  let records: Records
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'autodiagnose-share-'))
  })
  beforeEach(async () => {
    records = await platform.openRecords(wallClock)
  })
  afterAll(() => rm(directory, { recursive: true }))

  const clock = { now: () => Date.parse('2026-11-23T12:00:08.000Z') }
  const deps = (tracker: Tracker) => ({
    trackers: new Map([['redmine', tracker]]),
    records,
    urls,
    clock,
    recurrence: 'reopen' as const,
    signal: AbortSignal.timeout(5000),
  })
  /** A tracker that answers as told, and keeps what it was asked. */
  const answering = (answer: () => Promise<{ noteId: string }>) => {
    const asked: { key: string; known: string | undefined }[] = []
    const tracker: Tracker = {
      ...local({ directory }),
      writeNote: async (key, _, { knownNoteId }) => {
        asked.push({ key, known: knownNoteId })
        return answer()
      },
    }
    return { tracker, asked }
  }

  test('writes the note and says where it is', async () => {
    const status = await share(exampleDiagnosis(), deps(local({ directory })))
    expect(status).toMatchObject({ kind: 'written', noteId: 'ad-01hzy3v8kq5m7n9p2r4t', at: '2026-11-23T12:00:08.000Z' })
    const note = JSON.parse(await readFile(new URL(status.kind === 'written' ? (status.url ?? '') : ''), 'utf8')) as Note
    expect(note.headline).toBe('GET http://bananas:8080 answers 500 Internal Server Error')
  })

  test('tells the tracker which note it wrote before', async () => {
    const { tracker, asked } = answering(async () => ({ noteId: '7' }))
    await share(exampleDiagnosis({ reported: { kind: 'written', noteId: '7', at: '2026-11-23T12:00:00.000Z' } }), deps(tracker))
    await share(exampleDiagnosis({ reported: { kind: 'delayed', message: 'later', at: '2026-11-23T12:00:00.000Z' } }), deps(tracker))
    expect(asked).toEqual([
      { key: '12', known: '7' },
      { key: '12', known: undefined },
    ])
  })

  test('is rejected with the tracker’s own words', async () => {
    const { tracker } = answering(async () => {
      throw new TrackerRejected('Cannot read issue "12": there is none')
    })
    expect(await share(exampleDiagnosis(), deps(tracker))).toEqual({
      kind: 'rejected',
      message: 'Cannot read issue "12": there is none',
      at: '2026-11-23T12:00:08.000Z',
    })
  })

  test('leaves an unavailable tracker to the durable step', async () => {
    const unavailable = new TrackerUnavailable('Cannot read issue "12": it answered 503', 7000)
    const { tracker } = answering(() => Promise.reject(unavailable))
    await expect(share(exampleDiagnosis(), deps(tracker))).rejects.toBe(unavailable)
  })

  test('does not hide an error of ours', async () => {
    const { tracker } = answering(() => Promise.reject(new TypeError('ours')))
    await expect(share(exampleDiagnosis(), deps(tracker))).rejects.toThrow(TypeError)
    const { report: _, ...unasked } = exampleDiagnosis()
    await expect(share(unasked, deps(tracker))).rejects.toThrow('it names no bug report')
  })
})
