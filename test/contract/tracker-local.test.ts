import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { local } from '../../src/ports/tracker/local.ts'
import { type Note, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { type TrackerUnderTest, trackerContract } from './tracker.ts'
import { exampleDraft, exampleNote } from './tracker-notes.ts'

trackerContract('local', ['updating', 'processes', 'deleting', 'issues'], async (): Promise<TrackerUnderTest> => {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-tracker-'))
  let issues = 0
  const change = async <T>(path: string, by: (value: T) => unknown) =>
    writeFile(path, JSON.stringify(by(JSON.parse(await readFile(path, 'utf8')) as T)))
  const issueFile = (key: string) => join(directory, key, 'issue.json')
  const tracker = local({ directory })
  let writes = 0
  /** Counts the calls that changed a file: its inode is another one then. */
  const counting = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
    const files = async () => {
      const paths = (await readdir(directory, { recursive: true })).sort()
      // A call beside this one renames its temporary file between the list and the look.
      const inode = (path: string) =>
        stat(join(directory, path)).then(
          ({ ino }) => ino,
          () => undefined,
        )
      return JSON.stringify(await Promise.all(paths.map(async (path) => [path, await inode(path)])))
    }
    return async (...args: A): Promise<T> => {
      const before = await files()
      const result = await call(...args)
      if ((await files()) !== before) writes += 1
      return result
    }
  }
  return {
    tracker: { ...tracker, writeNote: counting(tracker.writeNote), openIssue: counting(tracker.openIssue), closeIssue: counting(tracker.closeIssue) },
    another: () => local({ directory }),
    newIssue: async () => `apples-${++issues}`,
    notesOf: async (key) => {
      const names = (await readdir(join(directory, key)).catch(() => [])).filter((name) => name !== 'issue.json').sort()
      return Promise.all(names.map(async (name) => ({ id: name.replace(/\.json$/, ''), text: await readFile(join(directory, key, name), 'utf8') })))
    },
    writes: () => writes,
    impossibleKey: '../../etc/passwd',
    deleteNote: (key, id) => rm(join(directory, key, `${id}.json`)),
    project: 'bananas',
    impossibleProject: '../bananas',
    issuesOf: async (project) => {
      const keys = (await readdir(directory)).filter((name) => name.startsWith(`${project}-`)).sort()
      return Promise.all(
        keys.map(async (key) => {
          const { title, note, open, labels } = JSON.parse(await readFile(issueFile(key), 'utf8'))
          return { key, title, text: JSON.stringify(note), open, labels }
        }),
      )
    },
    closeIssue: (key) => change<object>(issueFile(key), (issue) => ({ ...issue, open: false })),
    quoteIssue: async (key) => {
      const theirs = 'bananas-quoted'
      await cp(join(directory, key), join(directory, theirs), { recursive: true })
      return theirs
    },
    deleteIssue: (key) => rm(join(directory, key), { recursive: true }),
    close: () => rm(directory, { recursive: true }),
  }
})

test('local says what is wrong when its directory cannot be written', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-tracker-'))
  await writeFile(join(directory, 'file'), '')
  const error = await local({ directory: join(directory, 'file') })
    .writeNote('apples-1', exampleNote(), { signal: AbortSignal.timeout(5000) })
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TrackerUnavailable)
  expect((error as Error).message).toContain('local issue "apples-1": ENOTDIR')
  await rm(directory, { recursive: true })
})

test('local keeps the note as data that a page can render', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-tracker-'))
  const { url } = await local({ directory }).writeNote('apples-1', exampleNote(), { signal: AbortSignal.timeout(5000) })
  const note = JSON.parse(await readFile(new URL(url ?? ''), 'utf8')) as Note
  expect(note).toEqual(exampleNote())
  await rm(directory, { recursive: true })
})

test('local keeps an issue as data beside its notes, and takes the ending ".2" for the one after a closed one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-tracker-'))
  const signal = AbortSignal.timeout(5000)
  const tracker = local({ directory })
  const first = await tracker.openIssue(exampleDraft(), { recurrence: 'new', signal })
  expect(first).toMatchObject({ key: 'apples-tr-0123456789abcdef0123', state: 'made' })
  expect(JSON.parse(await readFile(new URL(first.url ?? ''), 'utf8'))).toEqual({ ...exampleDraft(), open: true })
  await tracker.closeIssue(first.key, { signal })
  const second = await tracker.openIssue(exampleDraft(), { recurrence: 'new', signal })
  expect(second).toMatchObject({ key: 'apples-tr-0123456789abcdef0123.2', state: 'made' })
  await tracker.writeNote(second.key, exampleNote(), { signal })
  expect((await readdir(join(directory, second.key))).sort()).toEqual(['ad-01hzy3v8kq5m7n9p2r4t.json', 'issue.json'])
  await rm(directory, { recursive: true })
})

test('local takes a directory of a person for an open issue, and closing it changes nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-tracker-'))
  const signal = AbortSignal.timeout(5000)
  const tracker = local({ directory })
  await tracker.writeNote('bug-1', exampleNote(), { signal })
  await tracker.closeIssue('bug-1', { signal })
  expect(await tracker.openIssue(exampleDraft(), { recurrence: 'new', knownKey: 'bug-1', signal })).toMatchObject({ key: 'bug-1', state: 'found' })
  expect(await readdir(join(directory, 'bug-1'))).toEqual(['ad-01hzy3v8kq5m7n9p2r4t.json'])
  await rm(directory, { recursive: true })
})

test.each(['../bananas-x', 'bananas/..', '.'])('local never leads out of its directory by the known key %j', async (knownKey) => {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-tracker-'))
  const opened = await local({ directory }).openIssue(exampleDraft(), { recurrence: 'new', knownKey, signal: AbortSignal.timeout(5000) })
  expect(opened.state).toBe('made')
  await rm(directory, { recursive: true })
})
