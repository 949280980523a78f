import type { D1Database } from '@cloudflare/workers-types'
import { Kysely } from 'kysely'
import { D1Dialect } from 'kysely-d1'
import type { Clock } from '../../deps.ts'
import type { Records } from './records.ts'
import type { Schema } from './schema.ts'
import { sqlRecords } from './sql.ts'

/** Records in a D1 database, whose schema `wrangler d1 migrations apply` made. */
export function d1Records({ database, clock }: { readonly database: D1Database; readonly clock: Pick<Clock, 'now'> }): Records {
  return sqlRecords(new Kysely<Schema>({ dialect: new D1Dialect({ database }) }), clock)
}
