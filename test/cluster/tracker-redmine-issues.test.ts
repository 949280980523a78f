import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { redmine } from '../../src/ports/tracker/redmine.ts'
import type { IssueDraft, OpenOptions, Tracker } from '../../src/ports/tracker/tracker.ts'
import { exampleDraft, exampleNote } from '../contract/tracker-notes.ts'
import { isLab, needsLab } from './environment.ts'
import { redmineLab, renderedDescription } from './redmine-lab.ts'

/** What the rights and the workflow of a real Redmine make of the issues that we open. */
describe('redmine issues', () => {
  needsLab()
  let lab: ReturnType<typeof redmineLab>
  let project: string
  beforeAll(async () => {
    if (!isLab) return
    lab = redmineLab()
    project = await lab.newProject({ tracker_ids: [1, 3] })
  })
  afterAll(() => lab?.clean())

  let drafts = 0
  const draft = (change: Partial<IssueDraft> = {}): IssueDraft => {
    drafts += 1
    return exampleDraft({ project, note: exampleNote({ marker: `tr-${String(drafts).padStart(20, '0')}` }), ...change })
  }
  const at = (apiKey: string) => redmine({ url: lab.url, apiKey, fetch, clock: { now: Date.now } })
  const signal = () => AbortSignal.timeout(60_000)
  const open = (tracker: Tracker, wanted: IssueDraft, options: Partial<OpenOptions> = {}) =>
    tracker.openIssue(wanted, { recurrence: 'reopen', signal: signal(), ...options })

  test('shows the description as a note is shown, without its marker', async () => {
    const wanted = draft()
    const { key } = await open(at(lab.adminKey), wanted)
    const text = await renderedDescription(lab.url, key)
    expect(text).toContain(wanted.note.headline)
    for (const [, value] of wanted.note.facts) expect(text).toContain(value)
    expect(text).not.toContain('<!--')
  })

  test.each(['Support', 'support'])('takes the tracker %s by its name', async (type) => {
    const { key } = await open(at(lab.adminKey), draft({ type }))
    expect(await lab.issueOf(key)).toMatchObject({ tracker: { name: 'Support' } })
  })

  test.each(['Incident', 'Feature'])('names the trackers of the project where %s is none of them', async (type) => {
    await expect(open(at(lab.adminKey), draft({ type }))).rejects.toThrow(
      `Cannot open an issue of type "${type}": Redmine project "${project}" has the trackers "Bug", "Support"`,
    )
  })

  test('takes a title of characters that some databases refuse, and cuts it', async () => {
    const { key } = await open(at(lab.adminKey), draft({ title: `Bananas \u{1f34c} ${'x'.repeat(300)}` }))
    const { subject } = await lab.issueOf(key)
    expect(subject).toMatch(/^Bananas \\u\{1f34c\} x+…$/)
    expect(subject).toHaveLength(255)
  })

  test('a user of the role Manager, who is no administrator, opens, closes and reopens', async () => {
    const tracker = at(await lab.newUser({ project, roleName: 'Manager' }))
    const wanted = draft()
    const { key } = await open(tracker, wanted)
    await tracker.closeIssue(key, { signal: signal() })
    expect(await lab.issueOf(key)).toMatchObject({ status: { name: 'Closed', is_closed: true } })
    expect(await open(tracker, wanted)).toMatchObject({ key, state: 'reopened' })
    expect(await lab.issueOf(key)).toMatchObject({ status: { is_closed: false } })
  })

  test('says that an issue with an open subtask cannot be closed', async () => {
    const tracker = at(lab.adminKey)
    const { key } = await open(tracker, draft())
    await lab.call('POST', '/issues.json', { issue: { project_id: project, subject: 'A subtask', parent_issue_id: key } })
    await expect(tracker.closeIssue(key, { signal: signal() })).rejects.toThrow(/the workflow does not let/)
  })

  test('a user who may not change the status opens issues, comments instead of reopening, and says why it cannot close', async () => {
    const tracker = at(await lab.newUser({ project, roleName: 'Reporter' }))
    const wanted = draft()
    const { key } = await open(tracker, wanted)
    await expect(tracker.closeIssue(key, { signal: signal() })).rejects.toThrow(
      new RegExp(`^Cannot close Redmine issue "${key}": the workflow does not let.*"Edit own issues" and a status transition`),
    )
    await lab.changeIssue(key, { status_id: 5 })
    expect(await open(tracker, wanted)).toMatchObject({ key, state: 'found' })
    expect((await lab.issueOf(key)).status.is_closed).toBe(true)
  })

  test('a user of no role is told which one is needed', async () => {
    const tracker = at(await lab.newUser())
    const closed = await lab.newProject({ is_public: false })
    await expect(open(tracker, draft({ project: closed }))).rejects.toThrow(/\(403\).*"View issues" and "Add issues"/)
  })

  test('says that a closed project takes no issues', async () => {
    const closed = await lab.newProject()
    await lab.call('PUT', `/projects/${closed}/close.json`)
    await expect(open(at(lab.adminKey), draft({ project: closed }))).rejects.toThrow(/^Cannot open an issue in Redmine project ".*reopen the project/)
  })

  test('takes no issue of a subproject for one of the project', async () => {
    const { id } = (await lab.call('GET', `/projects/${project}.json`)).project as { id: number }
    const below = await lab.newProject({ parent_id: id })
    const wanted = draft()
    const { key } = await open(at(lab.adminKey), { ...wanted, project: below })
    const opened = await open(at(lab.adminKey), wanted)
    expect(opened.state).toBe('made')
    expect(opened.key).not.toBe(key)
  })

  test('keeps to the known issue when it was moved to another project', async () => {
    const wanted = draft()
    const { key } = await open(at(lab.adminKey), wanted)
    await lab.changeIssue(key, { project_id: await lab.newProject() })
    expect(await open(at(lab.adminKey), wanted, { knownKey: key })).toMatchObject({ key, state: 'found' })
  })
})
