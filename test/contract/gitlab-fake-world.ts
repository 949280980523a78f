import { afterEach, expect } from 'vitest'
import { gitlab } from '../../src/ports/tracker/gitlab.ts'
import type { IssueDraft, OpenOptions } from '../../src/ports/tracker/tracker.ts'
import { fakeGitLab } from './gitlab-fake.ts'
import { exampleDraft, exampleNote } from './tracker-notes.ts'

type Fake = ReturnType<typeof fakeGitLab>

export const now = Date.parse('2026-11-23T12:00:00Z')
export const signal = () => AbortSignal.timeout(10_000)
export const failure = (work: Promise<unknown>) => work.catch((thrown: unknown) => thrown as Error)

export const gitlabAt = (fake: Fake, token: string, clock = { now: () => now }) =>
  gitlab({ url: fake.url, token, fetch: fake.fetch, clock, requestTimeoutMs: 1000 })

const fakes: Fake[] = []
afterEach(() => {
  for (const fake of fakes.splice(0)) expect(fake.complaints).toEqual([])
})

/** A GitLab with an issue by a person, and our tracker; after the test nothing may have been wrong with a request or an answer. */
export function gitlabWorld(root?: string) {
  const fake = fakeGitLab(root)
  fakes.push(fake)
  const bot = fake.user('project_7_bot')
  const person = fake.user('ada')
  const project = fake.project('fruit/desk')
  const issue = fake.issue(project, person, { title: 'Apples are slow' })
  const tracker = gitlabAt(fake, bot.token)
  const key = `fruit/desk#${issue.iid}`
  const write = (headline: string, knownNoteId?: string) =>
    tracker.writeNote(key, exampleNote({ headline }), { signal: signal(), ...(knownNoteId ? { knownNoteId } : {}) })
  const open = (change: Partial<IssueDraft> = {}, options: Partial<OpenOptions> = {}) =>
    tracker.openIssue(exampleDraft({ project: project.path, ...change }), { recurrence: 'reopen', signal: signal(), ...options })
  return { fake, bot, person, project, issue, tracker, key, write, open }
}
