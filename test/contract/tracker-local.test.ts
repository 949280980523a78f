import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { local } from '../../src/ports/tracker/local.ts'
import { type Note, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { type TrackerUnderTest, trackerContract } from './tracker.ts'
import { exampleNote } from './tracker-notes.ts'

trackerContract('local', ['updating', 'processes', 'deleting'], async (): Promise<TrackerUnderTest> => {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-tracker-'))
  const issues: string[] = []
  const read = async (key: string) => {
    const names = await readdir(join(directory, key)).catch(() => [])
    return Promise.all(
      names.sort().map(async (name) => ({ id: name.replace(/\.json$/, ''), text: await readFile(join(directory, key, name), 'utf8') })),
    )
  }
  const tracker = local({ directory })
  let writes = 0
  /** Counts the calls that changed the file: its inode is another one then. */
  const counting = {
    ...tracker,
    writeNote: async (...[key, note, options]: Parameters<typeof tracker.writeNote>) => {
      const path = join(directory, key, `${note.marker}.json`)
      const inode = async () => (await stat(path).catch(() => undefined))?.ino
      const before = await inode()
      const written = await tracker.writeNote(key, note, options)
      if ((await inode()) !== before) writes += 1
      return written
    },
  }
  return {
    tracker: counting,
    another: () => local({ directory }),
    newIssue: async () => {
      issues.push(`apples-${issues.length + 1}`)
      return issues.at(-1) as string
    },
    notesOf: read,
    writes: () => writes,
    impossibleKey: '../../etc/passwd',
    deleteNote: (key, id) => rm(join(directory, key, `${id}.json`)),
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
