import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely'
import type { Clock } from '../../deps.ts'
import { migrate } from './migrate.ts'
import type { Records } from './records.ts'
import type { Schema } from './schema.ts'
import { sqlRecords } from './sql.ts'
import { lockState } from './state-lock.ts'

/**
 * Records in `records.sqlite` of the state directory, which is made if need be. One process at a time: the directory is
 * locked until `close()` or the end of the process, however it ends. What a promise here confirmed is on the disk.
 */
export async function sqliteRecords({ directory, clock }: { directory: string; clock: Pick<Clock, 'now'> }): Promise<Records> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const lock = lockState(directory)
  const file = join(directory, 'records.sqlite')
  try {
    const database = new DatabaseSync(file, { timeout: 5_000 })
    // FULL, because with NORMAL a power failure takes back the last commits of a WAL: https://sqlite.org/pragma.html#pragma_synchronous
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: kyselyDatabase(database) }) })
    try {
      await migrate(db)
    } catch (error) {
      database.close()
      throw error
    }
    return {
      ...sqlRecords(db, clock),
      async close() {
        await db.destroy()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`Cannot open the records "${file}": ${message}`, { cause: error })
  }
}

/** What Kysely's dialect asks of better-sqlite3, done by node:sqlite. */
export function kyselyDatabase(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql)
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      }
    },
  }
}
