import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Claims a state directory for this process. It is SQLite's lock on an empty database, held by an open transaction: the
 * kernel frees it when the process ends, by kill -9 as well, so that nobody has to clean up. Throws if another process has it.
 * Not for network file systems that have no POSIX locks.
 */
export function lockState(directory: string): { release(): void } {
  const file = join(directory, 'lock.sqlite')
  let database: DatabaseSync | undefined
  try {
    // A second, for the one that is just ending.
    database = new DatabaseSync(file, { timeout: 1_000 })
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if (isBusy(error)) {
      throw new Error(
        `Cannot use the state directory "${directory}": another process is using it; stop that one, or give this one a directory of its own`,
        {
          cause: error,
        },
      )
    }
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`Cannot use the state directory "${directory}": cannot lock "${file}": ${message}`, { cause: error })
  }
  const held = database
  return {
    release() {
      if (held.isOpen) held.close()
    },
  }
}

/** https://sqlite.org/rescode.html#busy, in the low byte also of its extended codes */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}
