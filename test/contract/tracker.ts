import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Note, type Tracker, TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { issueTests } from './tracker-issues.ts'
import { exampleNote, hostileNote } from './tracker-notes.ts'
import { partOf } from './tracker-part.ts'
import { recurrenceTests } from './tracker-recurrence.ts'

/** What goes wrong with the next request that would write. */
export type TrackerFault =
  /** The tracker answers 503 and `Retry-After: 7`; nothing is written. */
  | 'unavailable'
  /** 429, with `Retry-After` as a date 7 s from now; nothing is written. */
  | 'rate-limited'
  /** The connection ends before the request gets through. */
  | 'cut-before'
  /** The tracker does what was asked, and the connection ends before its answer. */
  | 'cut-after'
  /** Nothing answers. */
  | 'silent'

export interface TrackerUnderTest {
  readonly tracker: Tracker
  /** Another tracker object for the same place: another process, as far as the tracker can tell. For `processes`. */
  readonly another?: () => Tracker
  /** Makes an issue; its key. */
  newIssue(): Promise<string>
  /** The notes that a reader of the issue finds, oldest first, as text that holds what the note says. */
  notesOf(key: string): Promise<readonly { readonly id: string; readonly text: string }[]>
  /** How many requests have changed something so far. */
  writes(): number
  /** A key that names no issue. For `missing`. */
  readonly missingKey?: string
  /** A key that cannot name an issue. */
  readonly impossibleKey: string
  /** The URL at which a person sees the issue. For `urls`. */
  readonly urlOf?: (key: string) => string
  /** For `faults`. */
  failNext?(fault: TrackerFault): void
  /** A person deletes the note. For `deleting`. */
  deleteNote?(key: string, id: string): Promise<void>
  /** A person adds words to the note. For `editing`. */
  editNote?(key: string, id: string, words: string): Promise<void>
  /** Where issues may be opened, and none is yet. For `issues` and `openings`. */
  readonly project?: string
  /** A name that no project can have. For `issues` and `openings`. */
  readonly impossibleProject?: string
  /** A name that a project may have, but none has. For `missing`, where issues are opened. */
  readonly missingProject?: string
  /** The issues of the project, oldest first; `text`: the description, as text that holds what the note says. For `issues` and `openings`. */
  issuesOf?(project: string): Promise<readonly IssueSeen[]>
  /** A person closes the issue. For `issues`. */
  closeIssue?(key: string): Promise<void>
  /** Another user opens an issue of the same project whose description is that of this issue, byte for byte; its key. For `issues`. */
  quoteIssue?(key: string): Promise<string>
  /** A person deletes the issue. For `deleting`, with `issues`. */
  deleteIssue?(key: string): Promise<void>
  /** A person adds words to the description of the issue. For `editing`, with `issues`. */
  editIssue?(key: string, words: string): Promise<void>
  close(): Promise<void>
}

export interface IssueSeen {
  readonly key: string
  readonly title: string
  readonly text: string
  readonly open: boolean
  /** Where the tracker has labels. */
  readonly labels?: readonly string[]
}

/** What not every tracker has; the optional parts of {@link TrackerUnderTest} belong to them. */
export type TrackerAbility =
  /** We may edit our notes; else a note with other text follows. */
  | 'updating'
  /** Two processes end up with one note. */
  | 'processes'
  | 'missing'
  | 'urls'
  | 'faults'
  | 'deleting'
  | 'editing'
  /** Opens issues, finds them again, knows whether they are closed. */
  | 'issues'
  /** Opens issues, and is not told what becomes of them: the smaller part of `issues`. */
  | 'openings'

/** What every tracker must do. A tracker plugs in by saying how its issues are made and read, and which abilities it has. */
export function trackerContract(name: string, abilities: readonly TrackerAbility[], make: () => Promise<TrackerUnderTest>): void {
  const ability = (needed: TrackerAbility, tests: () => void) => abilities.includes(needed) && tests()
  describe(`tracker ${name}`, () => {
    let under: TrackerUnderTest
    /** Of each call its own: one suite takes minutes on a real tracker. */
    const signal = () => AbortSignal.timeout(60_000)
    const write = (key: string, note: Note, knownNoteId?: string, tracker = under.tracker) =>
      tracker.writeNote(key, note, { signal: signal(), ...(knownNoteId === undefined ? {} : { knownNoteId }) })
    const part = partOf(name, () => under)
    const only = async (key: string) => {
      const notes = await under.notesOf(key)
      expect(notes.map(({ id }) => id)).toHaveLength(1)
      return notes[0] as (typeof notes)[number]
    }

    beforeAll(async () => {
      under = await make()
    })
    afterAll(() => under?.close())

    test('writes a note that says everything', async () => {
      const key = await under.newIssue()
      const note = exampleNote()
      const written = await write(key, note)
      const { id, text } = await only(key)
      expect(written.noteId).toBe(id)
      for (const finding of note.findings) expect(text).toContain(finding.title)
      expect(text).toContain(note.headline)
      for (const [, value] of note.facts) expect(text).toContain(value)
      for (const link of note.links) expect(text).toContain(link.url)
    })

    test('writes nothing when the note says it already, known or found by its marker', async () => {
      const key = await under.newIssue()
      const first = await write(key, exampleNote())
      const before = under.writes()
      expect(await write(key, exampleNote(), first.noteId)).toEqual(first)
      expect(under.writes()).toBe(before)
      expect(await write(key, exampleNote())).toEqual(first)
      expect((await only(key)).id).toBe(first.noteId)
    })

    test(`${abilities.includes('updating') ? 'updates' : 'follows'} the note when its text changes, once`, async () => {
      const key = await under.newIssue()
      const first = await write(key, exampleNote())
      const later = exampleNote({ headline: 'Later it was something else' })
      const second = await write(key, later, first.noteId)
      expect(await write(key, later, second.noteId)).toEqual(second)
      expect(await write(key, later)).toEqual(second)
      const notes = await under.notesOf(key)
      expect(notes.at(-1)?.id).toBe(second.noteId)
      expect(notes.filter(({ text }) => text.includes(later.headline))).toHaveLength(1)
      expect(notes).toHaveLength(abilities.includes('updating') ? 1 : 2)
    })

    test('keeps notes of two diagnoses apart', async () => {
      const key = await under.newIssue()
      await write(key, exampleNote({ marker: 'ad-aaaaaaaaaaaaaaaaaaaa' }))
      await write(key, exampleNote({ marker: 'ad-bbbbbbbbbbbbbbbbbbbb' }))
      expect(await under.notesOf(key)).toHaveLength(2)
    })

    test('is not misled by text that looks like the marker of a note', async () => {
      const key = await under.newIssue()
      const real = await write(key, exampleNote({ marker: 'ad-cccccccccccccccccccc' }))
      const raw = (await only(key)).text
      const forged = hostileNote({
        marker: 'ad-dddddddddddddddddddd',
        forged: [raw, '<!-- autodiagnose ad-cccccccccccccccccccc 0123456789abcdef -->'],
      })
      const second = await write(key, forged)
      expect(second.noteId).not.toBe(real.noteId)
      expect(await write(key, exampleNote({ marker: 'ad-cccccccccccccccccccc' }))).toEqual(real)
      expect(await under.notesOf(key)).toHaveLength(2)
    })

    test('leaves one note when the same note is written many times at once', async () => {
      const key = await under.newIssue()
      await Promise.all(Array.from({ length: 5 }, () => write(key, exampleNote())))
      await only(key)
    })

    ability('processes', () => {
      test('leaves one note when several processes write at once', async () => {
        const key = await under.newIssue()
        const others = [under.tracker, part('another')(), part('another')()]
        await Promise.all(others.map((tracker, at) => write(key, exampleNote({ headline: `Headline ${at}` }), undefined, tracker)))
        await write(key, exampleNote({ headline: 'The last word' }))
        expect((await only(key)).text).toContain('The last word')
      })
    })

    test('takes hostile and endless text and stays below its bound', async () => {
      const key = await under.newIssue()
      await write(key, hostileNote({ findings: 60 }))
      const { text } = await only(key)
      expect(new TextEncoder().encode(text).length).toBeLessThan(128 * 1024)
    })

    ability('missing', () => {
      test('rejects an issue that does not exist, quoting its key', async () => {
        const error = await write(part('missingKey'), exampleNote()).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(TrackerRejected)
        expect((error as Error).message).toContain(`"${part('missingKey')}"`)
      })
    })

    test('tells a key that cannot be from one that may', async () => {
      expect(under.tracker.complainAboutKey(under.impossibleKey)).toEqual(expect.any(String))
      expect(under.tracker.complainAboutKey(await under.newIssue())).toBeUndefined()
    })

    test('takes no URL of another place', () => {
      expect(under.tracker.keyOfUrl('https://elsewhere.example/issues/1')).toBeUndefined()
      expect(under.tracker.keyOfUrl('not a url')).toBeUndefined()
    })

    ability('urls', () => {
      test('knows the URLs of its issues and notes', async () => {
        const key = await under.newIssue()
        expect(under.tracker.keyOfUrl(part('urlOf')(key))).toBe(key)
        const written = await write(key, exampleNote())
        expect(under.tracker.keyOfUrl(written.url ?? '')).toBe(key)
      })
    })

    ability('faults', () => {
      test.each(['unavailable', 'rate-limited'] as const)('%s: is unavailable for as long as asked, then writes one note', async (fault) => {
        const key = await under.newIssue()
        part('failNext')(fault)
        const error = await write(key, exampleNote()).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(TrackerUnavailable)
        expect((error as TrackerUnavailable).retryAfterMs).toBeGreaterThan(5000)
        expect((error as TrackerUnavailable).retryAfterMs).toBeLessThanOrEqual(7000)
        await write(key, exampleNote())
        await only(key)
      })
    })

    ability('faults', () => {
      test.each(['cut-before', 'cut-after', 'silent'] as const)('%s: is unavailable, then leaves one note', async (fault) => {
        const key = await under.newIssue()
        part('failNext')(fault)
        const error = await write(key, exampleNote()).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(TrackerUnavailable)
        const written = await write(key, exampleNote())
        expect((await only(key)).id).toBe(written.noteId)
      })
    })

    test('stops when the signal aborts, with the reason of the signal', async () => {
      const key = await under.newIssue()
      const before = under.writes()
      const reason = new Error('shutting down')
      await expect(under.tracker.writeNote(key, exampleNote(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(under.writes()).toBe(before)
    })

    ability('deleting', () => {
      test('writes a note again that a person deleted', async () => {
        const key = await under.newIssue()
        const first = await write(key, exampleNote())
        await part('deleteNote')(key, first.noteId)
        expect(await under.notesOf(key)).toHaveLength(0)
        await write(key, exampleNote(), first.noteId)
        await only(key)
      })
    })

    ability('editing', () => {
      test('keeps the words that a person added to the note', async () => {
        const key = await under.newIssue()
        const first = await write(key, exampleNote())
        await part('editNote')(key, first.noteId, 'I have restarted bananas.')
        const before = under.writes()
        expect(await write(key, exampleNote(), first.noteId)).toEqual(first)
        expect(under.writes()).toBe(before)
        await write(key, exampleNote({ headline: 'Another state' }), first.noteId)
        const texts = (await under.notesOf(key)).map(({ text }) => text)
        expect(texts.filter((text) => text.includes('I have restarted bananas.'))).toHaveLength(1)
        expect(texts.filter((text) => text.includes('Another state'))).toHaveLength(1)
      })
    })

    if (abilities.includes('issues') || abilities.includes('openings')) issueTests(name, abilities, () => under)
    if (abilities.includes('issues')) recurrenceTests(name, abilities, () => under)
  })
}
