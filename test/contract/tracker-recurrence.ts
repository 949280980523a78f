import { expect, test } from 'vitest'
import { type IssueDraft, type OpenOptions, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import type { TrackerAbility, TrackerUnderTest } from './tracker.ts'
import { exampleDraft, exampleNote } from './tracker-notes.ts'
import { partOf } from './tracker-part.ts'

/** What becomes of an issue that was opened before: the part of the contract for trackers that find their issues again. */
export function recurrenceTests(name: string, abilities: readonly TrackerAbility[], under: () => TrackerUnderTest): void {
  const ability = (needed: TrackerAbility, tests: () => void) => abilities.includes(needed) && tests()
  /** Of each call its own: one suite takes minutes on a real tracker. */
  const signal = () => AbortSignal.timeout(60_000)
  let drafts = 0
  const part = partOf(name, under)
  /** Of a trouble and with a title that no other test has. */
  const draft = (): IssueDraft => {
    drafts += 1
    const marker = `tr-${drafts.toString(16).padStart(20, 'f')}`
    return exampleDraft({ project: part('project'), title: `BananasGone: deployment/apples (${drafts})`, note: exampleNote({ marker }) })
  }
  const open = (wanted: IssueDraft, options: Partial<OpenOptions> = {}) =>
    under().tracker.openIssue(wanted, { recurrence: 'reopen', signal: signal(), ...options })
  const titled = async (title: string) => (await part('issuesOf')(part('project'))).filter((issue) => issue.title === title)
  /** An issue that was opened by us and closed by a person. */
  const closed = async () => {
    const wanted = draft()
    const { key } = await open(wanted)
    await part('closeIssue')(key)
    return { wanted, key }
  }
  const memories = (key: string): Partial<OpenOptions>[] => [{ knownKey: key }, {}]

  test('finds an open issue by its marker, whatever is asked for closed ones, and writes nothing', async () => {
    const wanted = draft()
    const { key } = await open(wanted)
    const before = under().writes()
    for (const recurrence of ['reopen', 'comment', 'new'] as const)
      for (const memory of memories(key)) expect(await open(wanted, { recurrence, ...memory })).toMatchObject({ key, state: 'found' })
    expect(under().writes()).toBe(before)
  })

  test.each(['known', 'found'])('reopen: opens the closed issue again that is %s', async (how) => {
    const { wanted, key } = await closed()
    const memory = how === 'known' ? { knownKey: key } : {}
    expect(await open(wanted, memory)).toMatchObject({ key, state: 'reopened' })
    expect(await titled(wanted.title)).toMatchObject([{ key, open: true }])
    expect(await open(wanted, memory)).toMatchObject({ key, state: 'found' })
  })

  test('reopen: opens an issue again that we closed ourselves', async () => {
    const wanted = draft()
    const { key } = await open(wanted)
    await under().tracker.closeIssue(key, { signal: signal() })
    expect(await open(wanted)).toMatchObject({ key, state: 'reopened' })
  })

  test.each(['known', 'found'])('comment: leaves the closed issue closed that is %s', async (how) => {
    const { wanted, key } = await closed()
    const before = under().writes()
    expect(await open(wanted, { recurrence: 'comment', ...(how === 'known' ? { knownKey: key } : {}) })).toMatchObject({ key, state: 'found' })
    expect(under().writes()).toBe(before)
    expect(await titled(wanted.title)).toMatchObject([{ key, open: false }])
    const { noteId } = await under().tracker.writeNote(key, exampleNote(), { signal: signal() })
    expect((await under().notesOf(key)).map(({ id }) => id)).toEqual([noteId])
  })

  test.each(['known', 'found'])('new: makes a second issue after the closed one that is %s, and one only', async (how) => {
    const { wanted, key } = await closed()
    const memory = how === 'known' ? { knownKey: key } : {}
    const second = await open(wanted, { recurrence: 'new', ...memory })
    expect(second.state).toBe('made')
    expect(second.key).not.toBe(key)
    // As after a crash before the new key was saved: the old one is still what is known.
    expect(await open(wanted, { recurrence: 'new', ...memory })).toMatchObject({ key: second.key, state: 'found' })
    expect(await titled(wanted.title)).toMatchObject([
      { key, open: false },
      { key: second.key, open: true },
    ])
  })

  test('finds the newest of several issues with the marker, and reopens it when all are closed', async () => {
    const { wanted, key } = await closed()
    const second = await open(wanted, { recurrence: 'new' })
    expect(await open(wanted)).toMatchObject({ key: second.key, state: 'found' })
    await part('closeIssue')(second.key)
    expect(await open(wanted, { recurrence: 'comment' })).toMatchObject({ key: second.key, state: 'found' })
    expect(await open(wanted)).toMatchObject({ key: second.key, state: 'reopened' })
    expect(await titled(wanted.title)).toMatchObject([
      { key, open: false },
      { key: second.key, open: true },
    ])
  })

  test("is not misled by a person's issue that quotes ours", async () => {
    const wanted = draft()
    const { key } = await open(wanted)
    const theirs = await part('quoteIssue')(key)
    expect(theirs).not.toBe(key)
    expect(await open(wanted)).toMatchObject({ key, state: 'found' })
  })

  ability('missing', () => {
    test('finds the issue by its marker where the known key names none', async () => {
      const wanted = draft()
      const { key } = await open(wanted)
      expect(await open(wanted, { knownKey: part('missingKey') })).toMatchObject({ key, state: 'found' })
    })
  })

  ability('deleting', () => {
    test('opens an issue again that a person deleted', async () => {
      const wanted = draft()
      const first = await open(wanted)
      await part('deleteIssue')(first.key)
      expect(await titled(wanted.title)).toEqual([])
      expect(await open(wanted, { knownKey: first.key })).toMatchObject({ state: 'made' })
      expect(await titled(wanted.title)).toHaveLength(1)
    })
  })

  ability('editing', () => {
    test('finds an issue whose description a person has edited, and keeps their words', async () => {
      const wanted = draft()
      const { key } = await open(wanted)
      await part('editIssue')(key, 'I have restarted bananas.')
      expect(await open(wanted)).toMatchObject({ key, state: 'found' })
      expect((await titled(wanted.title))[0]?.text).toContain('I have restarted bananas.')
    })
  })

  ability('faults', () => {
    test.each(['unavailable', 'cut-after'] as const)('%s: reopening is tried again and ends with one open issue', async (fault) => {
      const { wanted, key } = await closed()
      part('failNext')(fault)
      await expect(open(wanted)).rejects.toBeInstanceOf(TrackerUnavailable)
      expect((await open(wanted)).key).toBe(key)
      expect(await titled(wanted.title)).toMatchObject([{ key, open: true }])
    })
  })
}
