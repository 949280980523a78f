import { generateKeyPairSync } from 'node:crypto'
import { expect, onTestFinished } from 'vitest'
import { github } from '../../src/ports/tracker/github.ts'
import { type FakeGitHub, fakeGitHub } from './github-fake.ts'
import { exampleDraft, exampleNote } from './tracker-notes.ts'

/** When it is in {@link githubWorld}, until a test says otherwise. */
export const now = Date.parse('2026-11-27T12:00:00Z')

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
/** The private key of the fake's app. */
export const pem = (type: 'pkcs1' | 'pkcs8') => privateKey.export({ type, format: 'pem' }).toString()
/** The fake's app as a tracker is given it. */
export const app = { id: 4711, installation: 99, privateKey: pem('pkcs1') }

export const signal = () => AbortSignal.timeout(30_000)
export const failure = async (work: Promise<unknown>) =>
  (await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as Error & { retryAfterMs?: number }

export const githubAt = (fake: FakeGitHub, options: Pick<Parameters<typeof github>[0], 'auth' | 'clock'> & Partial<Parameters<typeof github>[0]>) =>
  github({ url: fake.url, fetch: fake.fetch, requestTimeoutMs: 1000, writeIntervalMs: 0, ...options })

/**
 * A GitHub with the repository fruit/desk and its issue 1, and trackers for it; the clock stands still. When the test is over, there must have been
 * nothing that GitHub's description does not know.
 */
export function githubWorld() {
  const clock = { time: now, now: () => clock.time }
  const fake = fakeGitHub({ clock, publicKey: publicPem })
  const desk = fake.repository('fruit/desk')
  const bot = fake.user('autodiagnose')
  const issue = fake.addIssue(desk, 'ada', { title: 'Apples are slow' })
  const tracker = (change: Partial<Parameters<typeof github>[0]> = {}) => githubAt(fake, { auth: { token: bot.token }, clock, ...change })
  onTestFinished(() => expect(fake.complaints).toEqual([]))
  return {
    clock,
    fake,
    desk,
    bot,
    issue,
    tracker,
    write: (to = tracker(), note = exampleNote()) => to.writeNote('fruit/desk#1', note, { signal: signal() }),
    open: (change: Partial<Parameters<typeof exampleDraft>[0]> = {}, options: { readonly knownKey?: string } = {}) =>
      tracker().openIssue(exampleDraft({ project: 'fruit/desk', ...change }), { recurrence: 'reopen', signal: signal(), ...options }),
  }
}
