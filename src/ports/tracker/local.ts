import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { boundNote } from './bound-note.ts'
import { type Note, type Tracker, TrackerUnavailable } from './tracker.ts'

/**
 * The tracker of the embedded default: every note is the JSON file `<directory>/<issue>/<marker>.json`, so that there can be only one, and
 * a report page or a person reads it. A file is replaced as a whole, and only where its text differs. Runs on Node only.
 */
export function local(options: { readonly directory: string }): Tracker {
  return {
    keyOfUrl: () => undefined,
    complainAboutKey(key) {
      return fileName.test(key) ? undefined : `"${key.slice(0, 50)}" is not a name of letters, digits, dots, dashes and underscores, such as bug-1`
    },
    async writeNote(key, note, { signal }) {
      const directory = join(options.directory, named(key))
      const path = join(directory, `${named(note.marker)}.json`)
      const text = `${JSON.stringify(boundNote(note, toText), null, 2)}\n`
      try {
        signal.throwIfAborted()
        if ((await textAt(path)) !== text) {
          await mkdir(directory, { recursive: true })
          await replace(path, text)
        }
      } catch (cause) {
        signal.throwIfAborted()
        throw new TrackerUnavailable(`Cannot write note "${note.marker}" of local issue "${key}": ${(cause as Error).message}`, 10_000, { cause })
      }
      return { noteId: note.marker, url: pathToFileURL(path).href }
    },
  }
}

const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** A last guard: neither a key nor a marker ever leads out of the directory. */
function named(part: string): string {
  if (!fileName.test(part)) throw new RangeError(`Cannot use "${part}" as a file name`)
  return part
}

const toText = (note: Note) => JSON.stringify(note)

async function textAt(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A reader sees the old file or the new one, never half of either. */
async function replace(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, text, { flush: true })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
