import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { boundNote, noteLimits } from './bound-note.ts'
import { type FoundIssue, type IssueApi, oneIssue } from './one-issue.ts'
import { cutLine, plainLine } from './plain-text.ts'
import { type IssueDraft, type Note, type Tracker, TrackerUnavailable } from './tracker.ts'

/** What `issue.json` holds. */
type LocalIssue = IssueDraft & { readonly open: boolean }
type FoundLocalIssue = FoundIssue & { readonly stored?: LocalIssue }

/**
 * The tracker of the embedded default: every note is the JSON file `<directory>/<issue>/<marker>.json`, so that there can be only one, and
 * a report page or a person reads it. A file is replaced as a whole, and only where its text differs. Runs on Node only.
 *
 * An issue that is opened here is the directory `<project>-<marker>`, one that follows a closed one `<project>-<marker>.2` and so on, with
 * what it says in `issue.json`; a person closes it by `"open": false` there. Notes have a `marker` at the top of their file, issues have none.
 */
export function local(options: { readonly directory: string }): Tracker {
  const fileOf = (key: string, name: string) => join(options.directory, named(key), `${named(name)}.json`)

  async function attempt<T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      signal.throwIfAborted()
      return await work()
    } catch (cause) {
      signal.throwIfAborted()
      throw new TrackerUnavailable(`Cannot ${what}: ${(cause as Error).message}`, 10_000, { cause })
    }
  }
  const write = async (path: string, value: unknown) => {
    const text = `${JSON.stringify(value, null, 2)}\n`
    if ((await textAt(path)) === text) return
    await mkdir(dirname(path), { recursive: true })
    await replace(path, text)
  }
  const issueOf = async (key: string): Promise<FoundLocalIssue> => {
    const text = await textAt(fileOf(key, 'issue'))
    const stored = text === undefined ? undefined : (JSON.parse(text) as LocalIssue)
    // A directory that a person made has no state: it is open.
    return { key, url: pathToFileURL(fileOf(key, 'issue')).href, open: stored?.open !== false, ...(stored && { stored }) }
  }
  const setOpen = async ({ key, stored }: FoundLocalIssue, open: boolean) => {
    if (stored && stored.open !== open) await write(fileOf(key, 'issue'), { ...stored, open })
  }
  /** Numbers of the issues with the marker: 1, 2… */
  const numbersOf = async ({ project, note }: IssueDraft): Promise<number[]> => {
    const first = `${project}-${note.marker}`
    const names = await entriesOf(options.directory)
    return names
      .flatMap((name) => (name === first ? [1] : name.startsWith(`${first}.`) ? [Number(name.slice(first.length + 1))] : []))
      .filter(Number.isInteger)
  }
  const keyOf = ({ project, note }: IssueDraft, number: number) => `${project}-${note.marker}${number === 1 ? '' : `.${number}`}`

  const api: IssueApi<FoundLocalIssue> = {
    async get(key) {
      return (await entriesOf(options.directory)).includes(key) ? issueOf(key) : undefined
    },
    async newest(draft) {
      for (const number of (await numbersOf(draft)).sort((a, b) => b - a)) {
        const issue = await issueOf(keyOf(draft, number))
        if (issue.stored) return issue
      }
      return undefined
    },
    async make(draft) {
      const key = keyOf(draft, Math.max(0, ...(await numbersOf(draft))) + 1)
      const issue: LocalIssue = {
        ...draft,
        title: cutLine(plainLine(draft.title), noteLimits.title),
        open: true,
        note: boundNote(draft.note, toText),
      }
      await write(fileOf(key, 'issue'), issue)
      return issueOf(key)
    },
    async reopen(issue) {
      await setOpen(issue, true)
      return true
    },
  }

  return {
    keyOfUrl: () => undefined,
    complainAboutKey(key) {
      return fileName.test(key) ? undefined : `"${key.slice(0, 50)}" is not a name of letters, digits, dots, dashes and underscores, such as bug-1`
    },
    complainAboutProject(project) {
      if (projectName.test(project)) return undefined
      return `"${project.slice(0, 50)}" is not a name of at most 50 letters, digits, dots, dashes and underscores, such as shop`
    },
    async writeNote(key, note, { signal }) {
      const path = fileOf(key, note.marker)
      await attempt(`write note "${note.marker}" of local issue "${key}"`, signal, () => write(path, boundNote(note, toText)))
      return { noteId: note.marker, url: pathToFileURL(path).href }
    },
    openIssue(draft, openOptions) {
      return attempt(`open an issue in local project "${draft.project}"`, openOptions.signal, () => oneIssue(api, draft, openOptions))
    },
    closeIssue(key, { signal }) {
      return attempt(`close local issue "${key}"`, signal, async () => setOpen(await issueOf(key), false))
    },
  }
}

const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const projectName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/

/** A last guard: neither a key nor a marker ever leads out of the directory. */
function named(part: string): string {
  if (!fileName.test(part)) throw new RangeError(`Cannot use "${part}" as a file name`)
  return part
}

const toText = (note: Note) => JSON.stringify(note)

/** Names in a directory; none where it is not there yet. */
async function entriesOf(directory: string): Promise<string[]> {
  return (await unlessMissing(readdir(directory))) ?? []
}

function textAt(path: string): Promise<string | undefined> {
  return unlessMissing(readFile(path, 'utf8'))
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
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
