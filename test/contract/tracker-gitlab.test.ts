import { describe, expect, test } from 'vitest'
import { fakeGitLab } from './gitlab-fake.ts'
import { failure, gitlabAt, gitlabWorld, signal } from './gitlab-fake-world.ts'
import { readable } from './markdown-page.ts'
import { type TrackerUnderTest, trackerContract } from './tracker.ts'
import { exampleDraft, exampleNote, hostileNote } from './tracker-notes.ts'

trackerContract(
  'gitlab',
  ['updating', 'processes', 'missing', 'urls', 'faults', 'deleting', 'editing', 'issues'],
  async (): Promise<TrackerUnderTest> => {
    const fake = fakeGitLab()
    const bot = fake.user('project_7_bot')
    const person = fake.user('ada')
    const desk = fake.project('fruit/desk')
    const reports = fake.project('fruit/sub.group/reports')
    const clock = { now: Date.now }
    return {
      tracker: gitlabAt(fake, bot.token, clock),
      another: () => gitlabAt(fake, bot.token, clock),
      newIssue: async () => `${desk.path}#${fake.issue(desk, person, { title: 'Apples are slow' }).iid}`,
      notesOf: async (key) => fake.issueOf(key).notes.map(({ id, body }) => ({ id: String(id), text: readable(body) })),
      writes: fake.writes,
      missingKey: `${desk.path}#999`,
      impossibleKey: 'desk#12',
      urlOf: (key) => `${fake.url}/${key.replace('#', '/-/issues/')}?tab=notes#note_1`,
      failNext: fake.fail,
      deleteNote: async (key, id) => {
        const issue = fake.issueOf(key)
        issue.notes = issue.notes.filter((note) => String(note.id) !== id)
      },
      editNote: async (key, id, words) => {
        const note = fake.issueOf(key).notes.find((each) => String(each.id) === id)
        if (note) note.body = `${words}\n\n${note.body}`
      },
      project: reports.path,
      impossibleProject: 'reports',
      missingProject: 'fruit/nowhere',
      issuesOf: async (path) =>
        (fake.projectOf(path)?.issues ?? []).map(({ iid, title, description, open, labels }) => ({
          key: `${path}#${iid}`,
          title,
          text: readable(description),
          open,
          labels,
        })),
      closeIssue: async (key) => {
        fake.issueOf(key).open = false
      },
      quoteIssue: async (key) => {
        const { title, description } = fake.issueOf(key)
        return `${reports.path}#${fake.issue(reports, person, { title, description }).iid}`
      },
      deleteIssue: async (key) => {
        reports.issues = reports.issues.filter((issue) => issue !== fake.issueOf(key))
      },
      editIssue: async (key, words) => {
        const issue = fake.issueOf(key)
        issue.description = `${words}\n\n${issue.description}`
        fake.note(issue, bot, 'changed the description', { system: true })
      },
      close: async () => expect(fake.complaints).toEqual([]),
    }
  },
)

describe('gitlab notes', () => {
  test('are found behind hundreds of others, where pages are shorter than was asked for', async () => {
    const { fake, person, issue, write } = gitlabWorld()
    for (let at = 0; at < 150; at++) fake.note(issue, person, `Remark ${at}`, { unreadable: at % 3 === 0 })
    const first = await write('Once')
    for (let at = 0; at < 150; at++) fake.note(issue, person, `Later remark ${at}`, { system: at % 2 === 0 })
    expect((await write('Twice')).noteId).toBe(first.noteId)
    expect(issue.notes.filter(({ body }) => body.includes('Twice'))).toHaveLength(1)
    expect(issue.notes).toHaveLength(301)
  })

  test('of other users are never touched, whatever they say', async () => {
    const { fake, person, issue, write } = gitlabWorld()
    await write('Ours')
    const quoted = fake.note(issue, person, issue.notes[0]?.body ?? '')
    const { body } = quoted
    await write('Later')
    expect(issue.notes.map((note) => note.body.includes('Later'))).toEqual([true, false])
    expect(quoted.body).toBe(body)
  })

  test('that a person has copied from another issue are not taken for ours', async () => {
    const { fake, person, project, issue, tracker, write } = gitlabWorld()
    await write('Once')
    const other = fake.issue(project, person, { title: 'Pears are slow' })
    const copy = fake.note(other, person, issue.notes[0]?.body ?? '')
    const { noteId } = await tracker.writeNote(`fruit/desk#${other.iid}`, exampleNote({ headline: 'Once' }), { signal: signal() })
    expect(other.notes.map(({ id }) => String(id))).toEqual([String(copy.id), noteId])
  })

  test('of the system are not taken for ours', async () => {
    const { fake, bot, issue, write } = gitlabWorld()
    const { noteId } = await write('Ours')
    fake.note(issue, bot, issue.notes[0]?.body ?? '', { system: true })
    await write('Later')
    expect(issue.notes.map(({ id, system, body }) => [String(id) === noteId, system, body.includes('Later')])).toEqual([
      [true, false, true],
      [false, true, false],
    ])
  })

  test('that two writers left become one, the oldest', async () => {
    const { fake, bot, person, issue, write } = gitlabWorld()
    const { noteId } = await write('Once')
    fake.note(issue, person, 'A remark of a person, between them.')
    fake.note(issue, bot, issue.notes[0]?.body ?? '')
    await write('Once')
    expect(issue.notes.map(({ id }) => String(id) === noteId)).toEqual([true, false])
  })

  test('of an earlier token are left, and told anew: GitLab gives those of a revoked project token to its ghost', async () => {
    const { fake, issue, write } = gitlabWorld()
    const { noteId } = await write('Once')
    const note = issue.notes[0]
    if (note) note.author = fake.user('ghost1')
    const said = await write('Once', noteId)
    expect(said.noteId).toBe(noteId)
    const later = await write('Later', noteId)
    expect(later.noteId).not.toBe(noteId)
    expect(issue.notes).toHaveLength(2)
  })

  test('of hostile text are kept by GitLab as they were written, so that they can be updated', async () => {
    const { issue, tracker, key } = gitlabWorld()
    await tracker.writeNote(key, hostileNote({ findings: 60 }), { signal: signal() })
    await tracker.writeNote(key, { ...hostileNote({ findings: 60 }), headline: 'Later' }, { signal: signal() })
    expect(issue.notes).toHaveLength(1)
    expect(issue.notes[0]?.body).toContain('Later')
  })

  test('that are taken but are not there are rejected, with what may be missing', async () => {
    const { fake, write } = gitlabWorld()
    fake.fail('swallowed')
    expect((await failure(write('Once'))) as Error).toMatchObject({
      name: 'TrackerRejected',
      message: 'Cannot add a note to GitLab issue "fruit/desk#1": it was taken but is not there; give the token’s user the role "Reporter"',
    })
  })

  test('are written to a project that is named by its id, whose page is not known', async () => {
    const { issue, project, tracker } = gitlabWorld()
    expect(await tracker.writeNote(`${project.id}#1`, exampleNote(), { signal: signal() })).toEqual({ noteId: String(issue.notes[0]?.id) })
  })

  test('are written to a GitLab below a path', async () => {
    const { tracker, write } = gitlabWorld('https://forge.example/git/lab')
    const { noteId, url } = await write('Once')
    expect(url).toBe(`https://forge.example/git/lab/fruit/desk/-/issues/1#note_${noteId}`)
    expect(tracker.keyOfUrl(url ?? '')).toBe('fruit/desk#1')
  })
})

describe('gitlab issues', () => {
  test('are found by their author where GitLab gave no labels', async () => {
    const { fake, project } = gitlabWorld()
    const guest = gitlabAt(fake, fake.user('guest', 'guest').token)
    const draft = exampleDraft({ project: project.path })
    const { key } = await guest.openIssue(draft, { recurrence: 'reopen', signal: signal() })
    expect(fake.issueOf(key).labels).toEqual([])
    expect(await guest.openIssue(draft, { recurrence: 'reopen', signal: signal() })).toMatchObject({ key, state: 'found' })
  })

  test('are found behind hundreds of others of ours', async () => {
    const { fake, bot, project, open } = gitlabWorld()
    const { key } = await open()
    for (let at = 0; at < 250; at++) fake.issue(project, bot, { title: `Another ${at}` })
    expect(await open()).toMatchObject({ key, state: 'found' })
  })

  test('are looked for among the newest 1,000 of ours only', async () => {
    const { fake, bot, project, open } = gitlabWorld()
    await open()
    for (let at = 0; at < 1000; at++) fake.issue(project, bot, { title: `Another ${at}` })
    fake.requests.length = 0
    expect((await open()).state).toBe('made')
    expect(fake.requests.filter((request) => request.startsWith('GET'))).toHaveLength(10)
  })

  test.each(['incident', 'task'])('are of type %s where it is asked for', async (type) => {
    const { fake, open } = gitlabWorld()
    const { key } = await open({ type, labels: [] })
    expect(fake.issueOf(key)).toMatchObject({ type, labels: [] })
  })

  test.each(['known', 'found'])('that were moved to another project are left alone: %s', async (how) => {
    const { fake, open } = gitlabWorld()
    const { key } = await open()
    Object.assign(fake.issueOf(key), { movedTo: 4711, open: false })
    const again = await open({}, how === 'known' ? { knownKey: key } : {})
    expect(again.state).toBe('made')
    expect(fake.issueOf(key).open).toBe(false)
  })

  test('are found by their known key where a person has written the description anew', async () => {
    const { fake, open } = gitlabWorld()
    const { key } = await open()
    fake.issueOf(key).description = 'It was the bananas.'
    expect(await open({}, { knownKey: key })).toMatchObject({ key, state: 'found' })
  })

  test('that may not be opened again stay closed, and are commented on', async () => {
    const { fake, project } = gitlabWorld()
    const guest = gitlabAt(fake, fake.user('guest', 'guest').token)
    const draft = exampleDraft({ project: project.path })
    const { key } = await guest.openIssue(draft, { recurrence: 'reopen', signal: signal() })
    await guest.closeIssue(key, { signal: signal() })
    expect(await guest.openIssue(draft, { recurrence: 'reopen', knownKey: key, signal: signal() })).toMatchObject({ key, state: 'found' })
    expect(fake.issueOf(key).open).toBe(false)
  })

  test('of others cannot be closed without the role, which is said', async () => {
    const { fake, key } = gitlabWorld()
    const guest = gitlabAt(fake, fake.user('guest', 'guest').token)
    expect((await failure(guest.closeIssue(key, { signal: signal() }))) as Error).toMatchObject({
      message: expect.stringMatching(
        /^Cannot close GitLab issue "fruit\/desk#1": the token may not \(403\); .*"api".*"Reporter".* \(403 Forbidden\)$/,
      ),
    })
  })

  test('are rejected by an archived project, with advice', async () => {
    const { project, open } = gitlabWorld()
    project.archived = true
    expect(String(await failure(open()))).toMatch(/project "fruit\/desk": .*\(403\).*archived/)
  })

  test('are not opened for a known key that is none', async () => {
    const { open } = gitlabWorld()
    const { key } = await open()
    expect(await open({}, { knownKey: 'APPLES-1' })).toMatchObject({ key, state: 'found' })
  })

  test.each([
    ['BananasDown: deployment/apples in fruit', 'BananasDown: deployment/apples in fruit'],
    ['50 % of 3 & more, a-b_c (x)', '50 % of 3 & more, a-b_c (x)'],
    ['cc @ada and fruit/desk#1', 'cc @\u2060ada and fruit/desk#\u20601'],
    [
      '!7 &8 ~bug ~"two words" %9 $10 ^alert#11 GL-12',
      '!\u20607 &\u20608 ~\u2060bug ~\u2060"two words" %\u20609 $\u206010 ^alert#\u206011 GL-\u206012',
    ],
    ['[vulnerability:1] *iteration:2', '[\u2060vulnerability:1] *\u2060iteration:2'],
    ['see http://evil.example and www.evil.example', 'see http:\u2060//evil.example and www.\u2060evil.example'],
    [':rocket: up', ':\u2060rocket: up'],
    ['two\nlines\u202e', 'two lines\\u{202e}'],
  ])('have the title %j without a mention, a reference or a link', async (title, written) => {
    const { fake, open } = gitlabWorld()
    expect(fake.issueOf((await open({ title })).key).title).toBe(written)
  })

  test('have a title of at most 255 characters', async () => {
    const { fake, open } = gitlabWorld()
    expect([...fake.issueOf((await open({ title: '@\u{1f600}a'.repeat(300) })).key).title]).toHaveLength(255)
  })
})
