import { expect } from 'vitest'
import { fakeGitHub } from './github-fake.ts'
import { app, githubAt, publicPem } from './github-fake-world.ts'
import { readable } from './markdown-page.ts'
import { type TrackerUnderTest, trackerContract } from './tracker.ts'

/** The contract for a user with a token, or for the app. */
function underTest(asApp: boolean) {
  return async (): Promise<TrackerUnderTest> => {
    const fake = fakeGitHub({ publicKey: publicPem })
    const auth = asApp ? app : { token: fake.user('autodiagnose').token }
    const person = fake.user('ada')
    const desk = fake.repository('fruit/desk')
    const reports = fake.repository('fruit/reports.of-alerts')
    return {
      tracker: githubAt(fake, { auth, clock: { now: Date.now } }),
      another: () => githubAt(fake, { auth, clock: { now: Date.now } }),
      newIssue: async () => `${desk.name}#${fake.addIssue(desk, person.login, { title: 'Apples are slow' }).number}`,
      notesOf: async (key) => fake.issueOf(key).comments.map(({ id, body }) => ({ id: String(id), text: readable(body) })),
      writes: fake.writes,
      missingKey: `${desk.name}#999999`,
      impossibleKey: 'fruit/desk/12',
      urlOf: (key) => `${fake.web}/${key.replace('#', '/issues/')}#issuecomment-1`,
      failNext: fake.fail,
      deleteNote: async (key, id) => {
        const { comments } = fake.issueOf(key)
        comments.splice(
          comments.findIndex((comment) => String(comment.id) === id),
          1,
        )
      },
      editNote: async (key, id, words) => {
        const comment = fake.issueOf(key).comments.find((each) => String(each.id) === id)
        if (comment) comment.body = `${words}\r\n\r\n${comment.body.replaceAll('\n', '\r\n')}`
      },
      project: reports.name,
      impossibleProject: 'reports',
      missingProject: 'fruit/nowhere',
      issuesOf: async () =>
        reports.issues.map(({ number, title, body, state, labels }) => ({
          key: `${reports.name}#${number}`,
          title,
          text: readable(body),
          open: state === 'open',
          labels,
        })),
      closeIssue: async (key) => void Object.assign(fake.issueOf(key), { state: 'closed', stateReason: 'completed' }),
      quoteIssue: async (key) => `${reports.name}#${fake.addIssue(reports, person.login, { title: 'Quoted', body: fake.issueOf(key).body }).number}`,
      deleteIssue: async (key) => {
        const [issue] = reports.issues.splice(reports.issues.indexOf(fake.issueOf(key)), 1)
        if (issue) reports.deleted.add(issue.number)
      },
      editIssue: async (key, words) => {
        const issue = fake.issueOf(key)
        issue.body = `${words}\r\n\r\n${issue.body.replaceAll('\n', '\r\n')}`
      },
      close: async () => expect(fake.complaints).toEqual([]),
    }
  }
}

const abilities = ['updating', 'processes', 'missing', 'urls', 'faults', 'deleting', 'editing', 'issues'] as const
trackerContract('github', abilities, underTest(false))
trackerContract('github as an app', abilities, underTest(true))
