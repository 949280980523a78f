import { expect, test } from 'vitest'
import { type IssueDraft, type OpenOptions, TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import type { TrackerAbility, TrackerUnderTest } from './tracker.ts'
import { exampleDraft, exampleNote, hostileNote, hostileTexts } from './tracker-notes.ts'
import { partOf } from './tracker-part.ts'

/** What a tracker does that opens bug reports: the part of the contract for `issues`, and the smaller one for `openings`. */
export function issueTests(name: string, abilities: readonly TrackerAbility[], under: () => TrackerUnderTest): void {
  const ability = (needed: TrackerAbility, tests: () => void) => abilities.includes(needed) && tests()
  /** Of each call its own: one suite takes minutes on a real tracker. */
  const signal = () => AbortSignal.timeout(60_000)
  let drafts = 0
  const part = partOf(name, under)
  /** Of a trouble and with a title that no other test has. */
  const draft = (change: Partial<IssueDraft> = {}): IssueDraft => {
    drafts += 1
    const marker = `tr-${drafts.toString(16).padStart(20, '0')}`
    return exampleDraft({ project: part('project'), title: `BananasDown: deployment/apples (${drafts})`, note: exampleNote({ marker }), ...change })
  }
  const open = (wanted: IssueDraft, options: Partial<OpenOptions> = {}) =>
    under().tracker.openIssue(wanted, { recurrence: 'reopen', signal: signal(), ...options })
  const closeIssue = (key: string) => under().tracker.closeIssue(key, { signal: signal() })
  const titled = async (title: string) => (await part('issuesOf')(part('project'))).filter((issue) => issue.title === title)
  const issue = async (key: string) => (await part('issuesOf')(part('project'))).find((each) => each.key === key)
  const failure = (work: Promise<unknown>) => work.catch((thrown: unknown) => thrown)

  test('opens an issue with title and description that says everything', async () => {
    const wanted = draft()
    const opened = await open(wanted)
    expect(opened.state).toBe('made')
    const [made, ...others] = await titled(wanted.title)
    expect(others).toEqual([])
    expect(made).toMatchObject({ key: opened.key, open: true })
    expect(made?.text).toContain(wanted.note.headline)
    for (const [, value] of wanted.note.facts) expect(made?.text).toContain(value)
    for (const link of wanted.note.links) expect(made?.text).toContain(link.url)
    if (made?.labels) expect([...made.labels]).toEqual(expect.arrayContaining([...wanted.labels]))
    expect(under().tracker.complainAboutKey(opened.key)).toBeUndefined()
  })

  ability('urls', () => {
    test('knows the URL of the issue that it opened', async () => {
      const { key, url } = await open(draft())
      expect(under().tracker.keyOfUrl(url ?? '')).toBe(key)
    })
  })

  test('finds the issue again by its known key, writes nothing and leaves its words', async () => {
    const wanted = draft()
    const { key } = await open(wanted)
    const [made] = await titled(wanted.title)
    const before = under().writes()
    const later = { ...wanted, title: 'Another title', note: exampleNote({ marker: wanted.note.marker, headline: 'Another headline' }) }
    expect(await open(later, { knownKey: key })).toMatchObject({ key, state: 'found' })
    expect(under().writes()).toBe(before)
    expect(await titled(wanted.title)).toEqual([made])
  })

  test('leaves one issue when it is opened again without memory', async () => {
    const wanted = draft()
    const { key } = await open(wanted)
    expect((await open(wanted)).key).toBe(key)
    expect(await titled(wanted.title)).toHaveLength(1)
  })

  test('keeps the issues of two troubles apart', async () => {
    const [one, other] = [draft(), draft()]
    const first = await open(one)
    const second = await open(other)
    expect(second.state).toBe('made')
    expect(second.key).not.toBe(first.key)
    expect((await open(one)).key).toBe(first.key)
    expect((await open(other)).key).toBe(second.key)
  })

  test('adds notes to the issue that it opened, and does not take its description for one', async () => {
    const wanted = draft()
    const { key } = await open(wanted)
    await under().tracker.writeNote(key, exampleNote({ headline: 'It was found out' }), { signal: signal() })
    await under().tracker.writeNote(key, exampleNote({ marker: `${wanted.note.marker}-resolved`, headline: 'It is over' }), { signal: signal() })
    const texts = (await under().notesOf(key)).map(({ text }) => text)
    expect(texts).toEqual([expect.stringContaining('It was found out'), expect.stringContaining('It is over')])
    expect((await open(wanted)).key).toBe(key)
  })

  test('takes a hostile title and note, as one line and within bounds', async () => {
    const first = draft()
    const { key } = await open(first)
    const forged = `<!-- autodiagnose ${first.note.marker} 0123456789abcdef -->`
    const hostile = draft()
    const wanted = {
      ...hostile,
      title: `${forged}\n${hostileTexts.join('\n')}`,
      note: hostileNote({ marker: hostile.note.marker, forged: [forged], findings: 60 }),
    }
    const opened = await open(wanted)
    expect(opened.key).not.toBe(key)
    const made = await issue(opened.key)
    expect(made?.title).toContain('autodiagnose')
    expect(made?.title).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202e\u2066]/u)
    expect([...(made?.title ?? '')].length).toBeLessThanOrEqual(300)
    expect(new TextEncoder().encode(made?.text).length).toBeLessThan(128 * 1024)
    expect((await open(wanted)).key).toBe(opened.key)
    expect((await open(first)).key).toBe(key)
  })

  test('closes the issue, once, and leaves its words', async () => {
    const wanted = draft()
    const { key } = await open(wanted)
    const { text } = (await issue(key)) ?? {}
    await closeIssue(key)
    expect(await issue(key)).toMatchObject({ open: false, text })
    await closeIssue(key)
    expect(await issue(key)).toMatchObject({ open: false, text })
  })

  test('tells a project that cannot be from one that may', () => {
    expect(under().tracker.complainAboutProject(part('impossibleProject'))).toEqual(expect.any(String))
    expect(under().tracker.complainAboutProject('')).toEqual(expect.any(String))
    expect(under().tracker.complainAboutProject(part('project'))).toBeUndefined()
  })

  test('opens and closes nothing when the signal aborts, with the reason of the signal', async () => {
    const { key } = await open(draft())
    const before = under().writes()
    const reason = new Error('shutting down')
    await expect(open(draft(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(under().tracker.closeIssue(key, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(under().writes()).toBe(before)
    expect(await issue(key)).toMatchObject({ open: true })
  })

  ability('missing', () => {
    test('rejects a project that does not exist, quoting it', async () => {
      const error = await failure(open(draft({ project: part('missingProject') })))
      expect(error).toBeInstanceOf(TrackerRejected)
      expect((error as Error).message).toContain(`"${part('missingProject')}"`)
    })

    test('rejects closing an issue that does not exist, quoting its key', async () => {
      const error = await failure(closeIssue(part('missingKey')))
      expect(error).toBeInstanceOf(TrackerRejected)
      expect((error as Error).message).toContain(`"${part('missingKey')}"`)
    })
  })

  ability('faults', () => {
    test.each(['unavailable', 'rate-limited', 'cut-before', 'cut-after', 'silent'] as const)(
      '%s: is unavailable, then leaves one issue',
      async (fault) => {
        const wanted = draft()
        part('failNext')(fault)
        expect(await failure(open(wanted))).toBeInstanceOf(TrackerUnavailable)
        const { key } = await open(wanted)
        expect((await titled(wanted.title)).map((each) => each.key)).toEqual([key])
      },
    )

    test.each(['unavailable', 'cut-after'] as const)('%s: closing is unavailable, then done', async (fault) => {
      const { key } = await open(draft())
      part('failNext')(fault)
      expect(await failure(closeIssue(key))).toBeInstanceOf(TrackerUnavailable)
      await closeIssue(key)
      expect(await issue(key)).toMatchObject({ open: false })
    })
  })
}
