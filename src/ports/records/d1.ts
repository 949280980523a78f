import type { D1Database, D1PreparedStatement } from '@cloudflare/workers-types'
import { Kysely } from 'kysely'
import { D1Dialect } from 'kysely-d1'
import type { Clock } from '../../deps.ts'
import { migrations, refuseNewer } from './migrations.ts'
import { type Records, RecordsUnavailable } from './records.ts'
import type { Schema } from './schema.ts'
import { sqlRecords } from './sql.ts'

export interface D1RecordsOptions {
  readonly database: Pick<D1Database, 'prepare'>
  readonly clock: Pick<Clock, 'now' | 'sleep'>
}

/**
 * Records in a D1 database, whose schema `wrangler d1 migrations apply` made; without it, what is asked throws and says so. A statement
 * that fails by what passes is sent again, for about four seconds; then {@link RecordsUnavailable} is thrown. `check()` also throws where a newer version made the schema.
 */
export function d1Records({ database, clock }: D1RecordsOptions): Records {
  const db = new Kysely<Schema>({ dialect: new D1Dialect({ database: patient(database, clock) }) })
  const records = sqlRecords(db, clock)
  return {
    ...records,
    async check() {
      await checkSchema(db)
      await records.check()
    },
  }
}

/** Where wrangler notes the files that it applied: https://developers.cloudflare.com/d1/reference/migrations/ */
type Noted = Kysely<{ d1_migrations: { name: string } }>

async function checkSchema(db: Kysely<Schema>): Promise<void> {
  const rows = await (db as unknown as Noted).selectFrom('d1_migrations').select('name').execute()
  const applied = new Set(rows.map(({ name }) => name.replace(/\.sql$/, '')))
  refuseNewer([...applied])
  const missing = Object.keys(migrations).filter((name) => !applied.has(name))
  if (missing.length > 0) throw outdated(`${missing.map((name) => `"${name}"`).join(', ')} was not applied`)
}

function outdated(why: string, cause?: unknown): RecordsUnavailable {
  const command = 'npx wrangler d1 migrations apply autodiagnose --remote'
  return new RecordsUnavailable(
    `Cannot use the D1 database: its schema is not that of this version (${why}); run: ${command} (for wrangler dev: --local)`,
    { cause },
  )
}

/** What passes by itself: https://developers.cloudflare.com/d1/observability/debug-d1/#error-list */
const passing =
  /Network connection lost|caused object to be reset|reset because its code was updated|Cannot resolve D1 DB|client disconnected|D1 DB is overloaded/
const pausesMs: readonly number[] = [100, 300, 900, 2700]

/**
 * The part of D1 that Kysely's dialect uses. D1 itself sends only what reads again, because of a lost answer it does not know what the
 * statement did; each of ours may be sent twice: see {@link sqlRecords}.
 */
function patient(database: Pick<D1Database, 'prepare'>, clock: Pick<Clock, 'sleep'>): D1Database {
  const send = async (statement: () => D1PreparedStatement): Promise<unknown> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await statement().all()
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        if (/no such (table|column)|has no column named/.test(message)) throw outdated(message, error)
        if (!passing.test(message)) throw error
        const pauseMs = pausesMs[attempt]
        if (pauseMs === undefined) throw new RecordsUnavailable(`Cannot use the D1 database now: ${message}`, { cause: error })
        // By chance a little shorter, lest all who were interrupted come back at once.
        await clock.sleep(pauseMs * (1 - Math.random() / 2))
      }
    }
  }
  const prepare = (sql: string) => ({
    bind: (...values: unknown[]) => ({ all: () => send(() => database.prepare(sql).bind(...values)) }),
  })
  return { prepare } as unknown as D1Database
}
