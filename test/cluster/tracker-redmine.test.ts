import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { redmine } from '../../src/ports/tracker/redmine.ts'
import { TrackerRejected } from '../../src/ports/tracker/tracker.ts'
import { type TrackerUnderTest, trackerContract } from '../contract/tracker.ts'
import { exampleNote } from '../contract/tracker-notes.ts'
import { isLab, needsLab } from './environment.ts'
import { faultyProxy, redmineLab, renderedNote, withoutReferences } from './redmine-lab.ts'

needsLab()

/** How long one that stays silent is waited for: the lab's Redmine was seen to take 1.5 s beside other work. */
const requestTimeoutMs = 8000
const at = (url: string, apiKey: string) => redmine({ url, apiKey, fetch, clock: { now: Date.now }, requestTimeoutMs })
const signal = () => AbortSignal.timeout(60_000)

/** The contract through a proxy that fails on demand, with the key of the administrator or of a user with the role. */
function underTest(roleName?: string) {
  return async (): Promise<TrackerUnderTest> => {
    const lab = redmineLab()
    const proxy = await faultyProxy(lab.url)
    const project = await lab.newProject()
    const apiKey = roleName ? await lab.newUser({ project, roleName }) : lab.adminKey
    return {
      tracker: at(proxy.url, apiKey),
      another: () => at(proxy.url, apiKey),
      newIssue: () => lab.newIssue(project),
      notesOf: async (key) =>
        Promise.all((await lab.notesOf(key)).map(async ({ id }) => ({ id: String(id), text: await renderedNote(lab.url, key, id) }))),
      writes: proxy.writes,
      missingKey: '999999999',
      impossibleKey: '12/../13',
      urlOf: (key) => `${proxy.url}/issues/${key}?tab=history#note-1`,
      failNext: proxy.fail,
      deleteNote: async (_, id) => void (await lab.editNote(id, '')),
      editNote: async (key, id, words) => {
        const note = (await lab.notesOf(key)).find((each) => String(each.id) === id)
        await lab.editNote(id, `${words}\r\n\r\n${note?.notes.replaceAll('\n', '\r\n')}`)
      },
      project,
      impossibleProject: 'Apples & Pears',
      missingProject: 'tracker-that-is-not-there',
      issuesOf: async (of) =>
        (await lab.issuesOf(of)).map(({ id, subject, description, status }) => ({
          key: String(id),
          title: subject,
          text: withoutReferences(description ?? ''),
          open: !status.is_closed,
        })),
      closeIssue: async (key) => void (await lab.changeIssue(key, { status_id: 5 })),
      quoteIssue: async (key) => {
        const { subject, description } = await lab.issueOf(key)
        const theirKey = await lab.newUser({ project, roleName: 'Manager' })
        const { issue } = await lab.call('POST', '/issues.json', { issue: { project_id: project, subject, description } }, theirKey)
        return String(issue?.id)
      },
      deleteIssue: async (key) => void (await lab.deleteIssue(key)),
      editIssue: async (key, words) => {
        const { description } = await lab.issueOf(key)
        await lab.changeIssue(key, { description: `${description}\r\n\r\n${words}` })
      },
      close: async () => {
        await proxy.close()
        await lab.clean()
      },
    }
  }
}

// Where this cluster is not the lab, there is no Redmine to make these with; one test says so.
if (isLab) {
  trackerContract('redmine', ['updating', 'processes', 'missing', 'urls', 'faults', 'deleting', 'editing', 'issues'], underTest())
  trackerContract('redmine without the right to edit', ['missing', 'urls', 'faults', 'deleting', 'editing'], underTest('Reporter'))
}

describe('redmine', () => {
  let lab: ReturnType<typeof redmineLab>
  beforeAll(() => {
    if (isLab) lab = redmineLab()
  })
  afterAll(() => lab?.clean())

  const rejection = async (apiKey: string, key: string) => {
    const error = await at(lab.url, apiKey)
      .writeNote(key, exampleNote(), { signal: signal() })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TrackerRejected)
    return (error as Error).message
  }

  test('says that the key is wrong', async () => {
    expect(await rejection('0123456789012345678901234567890123456789', '1')).toMatch(/API key is not accepted \(401\).*REST web service/)
  })

  test('says which right is missing in a project that is not for this user', async () => {
    const project = await lab.newProject({ is_public: false })
    const key = await lab.newIssue(project)
    expect(await rejection(await lab.newUser(), key)).toMatch(
      new RegExp(`^Cannot read Redmine issue "${key}": .*\\(403\\).*"View issues" and "Add notes"`),
    )
  })

  test('says that the project may be closed', async () => {
    const project = await lab.newProject()
    const key = await lab.newIssue(project)
    await lab.call('PUT', `/projects/${project}/close.json`)
    expect(await rejection(lab.adminKey, key)).toMatch(
      new RegExp(`^Cannot add a note to Redmine issue "${key}": .*\\(403\\).*reopen the project if it is closed`),
    )
  })

  test('says that a right is missing where the note is taken but not added', async () => {
    const proxy = await faultyProxy(lab.url)
    proxy.fail('swallowed')
    const writing = at(proxy.url, lab.adminKey).writeNote(await lab.newIssue(), exampleNote(), { signal: signal() })
    await expect(writing).rejects.toThrow(/taken but is not there; give the API key's user "Add notes"/)
    await proxy.close()
  })

  test('never touches a note of another user, whatever it says', async () => {
    const project = await lab.newProject()
    const key = await lab.newIssue(project)
    const manager = await lab.newUser({ project, roleName: 'Manager' })
    await at(lab.url, lab.adminKey).writeNote(key, exampleNote(), { signal: signal() })
    const [theirs] = await lab.notesOf(key)
    await at(lab.url, manager).writeNote(key, exampleNote({ headline: 'Ours' }), { signal: signal() })
    const notes = await lab.notesOf(key)
    expect(notes[0]).toEqual(theirs)
    expect(notes).toHaveLength(2)
  })

  test('recognises a note that it wrote with an earlier key by its known id', async () => {
    const project = await lab.newProject()
    const key = await lab.newIssue(project)
    const manager = await lab.newUser({ project, roleName: 'Manager' })
    const { noteId } = await at(lab.url, lab.adminKey).writeNote(key, exampleNote(), { signal: signal() })
    await at(lab.url, manager).writeNote(key, exampleNote({ headline: 'Later' }), { signal: signal(), knownNoteId: noteId })
    expect((await lab.notesOf(key)).map(({ id }) => String(id))).toEqual([noteId])
  })

  test('makes one note of two that two writers left, and keeps the oldest', async () => {
    const key = await lab.newIssue()
    const tracker = at(lab.url, lab.adminKey)
    const first = await tracker.writeNote(key, exampleNote(), { signal: signal() })
    const [note] = await lab.notesOf(key)
    await lab.addNote(key, note?.notes ?? '')
    await lab.addNote(key, 'A remark of a person, between them.')
    await lab.addNote(key, note?.notes ?? '')
    expect(await lab.notesOf(key)).toHaveLength(4)
    expect(await tracker.writeNote(key, exampleNote(), { signal: signal() })).toEqual(first)
    expect((await lab.notesOf(key)).map(({ notes }) => notes)).toEqual([note?.notes, 'A remark of a person, between them.'])
  })

  test('takes a quotation of its note by a person for what it is', async () => {
    const key = await lab.newIssue()
    const tracker = at(lab.url, lab.adminKey)
    const first = await tracker.writeNote(key, exampleNote(), { signal: signal() })
    const [note] = await lab.notesOf(key)
    await lab.addNote(key, `Redmine Admin wrote:\n${note?.notes.replace(/^/gm, '> ')}\n\nSo it is bananas?`)
    expect(await tracker.writeNote(key, exampleNote(), { signal: signal() })).toEqual(first)
    await tracker.writeNote(key, exampleNote({ headline: 'Later' }), { signal: signal() })
    const notes = await lab.notesOf(key)
    expect(notes).toHaveLength(2)
    expect(notes[1]?.notes).toContain('So it is bananas?')
  })
})
