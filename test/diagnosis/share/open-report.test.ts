import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { platform } from '#platform'
import type { AlertRef, ReportRef } from '../../../src/diagnosis/diagnosis.ts'
import { openReport } from '../../../src/diagnosis/share/open-report.ts'
import type { Records } from '../../../src/ports/records/records.ts'
import { local } from '../../../src/ports/tracker/local.ts'
import type { IssueDraft, Tracker } from '../../../src/ports/tracker/tracker.ts'
import { wallClock } from '../../contract/wall-clock.ts'
import { exampleDiagnosis, urls } from './example.ts'

const trouble = 'tr-0123456789abcdef0123'
const alert: AlertRef = {
  trouble,
  source: 'prometheus',
  name: 'CrashLooping',
  startsAt: '2026-11-23T11:45:00.000Z',
  labels: {},
  annotations: {},
  links: [],
}

describe('openReport', () => {
  let records: Records
  let tracker: Tracker
  let diagnoses = 0

  beforeEach(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'open-report-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    tracker = local({ directory })
    records = await platform.openRecords(wallClock)
    await records.openTrouble({ id: trouble, cluster: 'lab', namespace: 'fruit', workload: 'deployment/apples', name: 'CrashLooping', alert: 'al-1' })
  })

  /** By the route of the tracker with that name and that project. */
  async function open(name: string, project = 'shop', recurrence: 'reopen' | 'comment' | 'new' = 'reopen'): Promise<ReportRef> {
    const route = { tracker: name, project, labels: [] }
    diagnoses += 1
    const { report: _, ...diagnosis } = exampleDiagnosis({ id: `ad-${diagnoses}` })
    await records.accept({ ...diagnosis, alert, route })
    const signal = AbortSignal.timeout(10_000)
    return openReport({ ...diagnosis, alert, route }, { records, tracker, urls, clock: wallClock, recurrence, signal })
  }
  const known = async () => (await records.getTrouble(trouble))?.report

  test('puts it down with the trouble and with the diagnosis, and leaves no lease', async () => {
    expect(await open('bugs')).toEqual({ tracker: 'bugs', key: `shop-${trouble}` })
    expect(await known()).toBe(`bugs:shop-${trouble}`)
    expect((await records.get(`ad-${diagnoses}`))?.report).toEqual({ tracker: 'bugs', key: `shop-${trouble}` })
    expect(await records.getValue(`report:${trouble}`)).toBeUndefined()
  })

  test('has a title that a list can show, and all of it in the note', async () => {
    const message = `The pod has ${'3 MiB left, '.repeat(30)}16 MiB are needed`
    const { report: _, ...diagnosis } = exampleDiagnosis({ id: 'ad-long', outcome: 'refused', findings: [], refusal: { code: 'headroom', message } })
    const refused = { ...diagnosis, alert, route: { tracker: 'bugs', project: 'shop', labels: [] } }
    await records.accept(refused)
    const drafts: IssueDraft[] = []
    const seen: Tracker = {
      ...tracker,
      openIssue(draft, options) {
        drafts.push(draft)
        return tracker.openIssue(draft, options)
      },
    }
    await openReport(refused, { records, tracker: seen, urls, clock: wallClock, recurrence: 'reopen', signal: AbortSignal.timeout(10_000) })
    expect(drafts[0]?.title).toMatch(/^CrashLooping fruit\/\S+: Not diagnosed from inside the pod: The pod has 3 MiB left,.{20,80}…$/)
    expect(drafts[0]?.note.headline).toContain(message)
  })

  test('goes on in the one that is known, though the route has another project by now', async () => {
    await open('bugs', 'shop')
    expect(await open('bugs', 'market')).toEqual({ tracker: 'bugs', key: `shop-${trouble}` })
  })

  test('asks no tracker for the key of another one, which the route had before', async () => {
    await records.setTroubleReport(trouble, 'bugs-before:shop-1')
    await tracker.writeNote(
      'shop-1',
      { marker: 'ad-1', at: '', headline: 'Of another', findings: [], facts: [], links: [] },
      { signal: AbortSignal.timeout(5000) },
    )
    expect(await open('bugs')).toEqual({ tracker: 'bugs', key: `shop-${trouble}` })
    expect(await known()).toBe(`bugs:shop-${trouble}`)
  })

  test('finds by its marker what was opened before a crash, and nobody knows', async () => {
    const { key } = await open('bugs')
    await records.setTroubleReport(trouble, 'bugs:gone-1')
    expect((await open('bugs')).key).toBe(key)
    expect(await known()).toBe(`bugs:${key}`)
  })
})
