import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { type FileHandle, link, open, readdir, rm, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { chunksOf } from './chunks.ts'
import { contentTypeOf } from './content-type.ts'
import { assertKey, assertPrefix } from './key.ts'
import { type Created, type PutOptions, type Store, StoreUnavailable } from './store.ts'

const readBytes = 64 * 1024

/**
 * A store in a directory, which is made if need be: `objects/<key>` holds what is whole, `partial/` what is being written.
 * One process at a time; what a killed one left partial is removed here. What is `created` is on the disk. The content type
 * of an object is the one of its key's extension. The file system must have hard links.
 */
export function filesStore({ directory }: { readonly directory: string }): Store {
  const objects = resolve(directory, 'objects')
  const partial = resolve(directory, 'partial')
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true, mode: 0o700 })
  makeDirectory(objects)

  /** Where an object is; the key was checked, so that the path cannot leave the directory. */
  const pathOf = (key: string) => {
    assertKey(key)
    return join(objects, key)
  }

  async function write(key: string, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Created> {
    const path = pathOf(key)
    const temporary = join(partial, randomBytes(12).toString('hex'))
    const file = await open(temporary, 'wx', 0o600)
    try {
      try {
        for await (const piece of pieces) {
          signal?.throwIfAborted()
          await file.writeFile(piece)
        }
        await file.sync()
      } finally {
        await file.close()
      }
      signal?.throwIfAborted()
      return await publish(temporary, path)
    } finally {
      await rm(temporary, { force: true })
    }
  }

  return {
    create: (key, body, { signal }: PutOptions = {}) => orUnavailable('create', key, () => write(key, [body], signal)),

    createFromStream: (key, body, { signal }: PutOptions = {}) =>
      orUnavailable('create', key, async () => {
        try {
          if (!(await orUndefined(stat(pathOf(key))))) return await write(key, chunksOf(body, signal), signal)
          await body.cancel()
          return 'exists'
        } catch (error) {
          if (!body.locked) await body.cancel(error).catch(() => {})
          throw error
        }
      }),

    get: (key, { signal } = {}) =>
      orUnavailable('read', key, async () => {
        signal?.throwIfAborted()
        const path = pathOf(key)
        const file = await orUndefined(open(path, 'r'))
        if (!file) return undefined
        const status = await file.stat()
        if (status.isFile()) return { bytes: status.size, contentType: contentTypeOf(key), body: streamOf(file, signal) }
        await file.close()
        return undefined
      }),

    head: (key, { signal } = {}) =>
      orUnavailable('look at', key, async () => {
        signal?.throwIfAborted()
        const status = await orUndefined(stat(pathOf(key)))
        return status?.isFile() ? { bytes: status.size } : undefined
      }),

    list(prefix, { after = '', signal } = {}) {
      assertPrefix(prefix)
      return walk(objects, prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix, after, signal)
    },

    remove: (key) =>
      orUnavailable('remove', key, async () => {
        const path = pathOf(key)
        if (!(await orUndefined(unlink(path).then(() => true)))) return
        await syncDirectory(dirname(path)).catch(() => {})
        for (let parent = dirname(path); parent !== objects; parent = dirname(parent)) {
          // Not empty, most of the time: then its parents are not either.
          if (
            !(await rmdir(parent).then(
              () => true,
              () => false,
            ))
          )
            break
        }
      }),

    downloadUrl: async () => undefined,

    check: (signal) =>
      orUnavailable('write to', directory, async () => {
        signal?.throwIfAborted()
        const temporary = join(partial, randomBytes(12).toString('hex'))
        try {
          const file = await open(temporary, 'wx', 0o600)
          await file.writeFile('x').finally(() => file.close())
        } finally {
          await rm(temporary, { force: true })
        }
        await stat(objects)
      }),
  }
}

/** Gives a whole file its name, unless the name is taken; durable when it returns. */
async function publish(temporary: string, path: string): Promise<Created> {
  for (let attempt = 1; ; attempt++) {
    try {
      makeDirectory(dirname(path))
      await link(temporary, path)
      await syncDirectory(dirname(path))
      return 'created'
    } catch (error) {
      if (codeOf(error) === 'EEXIST' && isSystemError(error) && error.syscall === 'link') return 'exists'
      // remove() may have taken the directory away in between.
      if (codeOf(error) !== 'ENOENT' || attempt === 5) throw error
    }
  }
}

/** mkdir -p whose directories survive a power failure. Not async, for it is rare, and a store can so be made without waiting. */
function makeDirectory(path: string): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    const directory = openSync(dirname(made), 'r')
    fsyncSync(directory)
    closeSync(directory)
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  await directory.sync().finally(() => directory.close())
}

function streamOf(file: FileHandle, signal?: AbortSignal): ReadableStream<Uint8Array> {
  const bytes = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { bytesRead, buffer } = await file.read(new Uint8Array(readBytes))
          if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead))
        } catch (error) {
          await file.close()
          throw error
        }
        await file.close()
        controller.close()
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  )
  return signal ? bytes.pipeThrough(new TransformStream(), { signal }) : bytes
}

/** A directory's objects in byte order: a directory sorts as its name and a slash. Only one directory a level is in memory. */
async function* walk(
  root: string,
  folder: string,
  prefix: string,
  after: string,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly key: string; readonly bytes: number }, void, undefined> {
  const found = (await orUndefined(readdir(join(root, folder), { withFileTypes: true }))) ?? []
  const entries = found.map((entry) => ({ isFolder: entry.isDirectory(), key: `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}` }))
  for (const { key, isFolder } of entries.sort((a, b) => compareBytes(a.key, b.key))) {
    signal?.throwIfAborted()
    if (isFolder) {
      const hasPrefix = key.startsWith(prefix) || prefix.startsWith(key)
      if (hasPrefix && (after.startsWith(key) || compareBytes(key, after) > 0)) yield* walk(root, key, prefix, after, signal)
    } else if (key.startsWith(prefix) && compareBytes(key, after) > 0) {
      const status = await orUndefined(stat(join(root, key)))
      if (status) yield { key, bytes: status.size }
    }
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

async function orUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    // ENOTDIR: a beginning of the key is an object.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** Errors of the file system may pass (a full disk, a mount that is away); all others, an abort among them, stay what they are. */
async function orUnavailable<T>(action: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isSystemError(error)) throw error
    const message = `Cannot ${action} "${name}": ${error.message}`
    // A beginning of the key is an object, or the key is a beginning of others.
    if (['ENOTDIR', 'EISDIR', 'EEXIST'].includes(String(codeOf(error)))) throw new Error(message, { cause: error })
    throw new StoreUnavailable(message, { cause: error })
  }
}

function isSystemError(error: unknown): error is Error & { readonly syscall: unknown } {
  return error instanceof Error && 'syscall' in error
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
