import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrations, refuseNewer } from './migrations.ts'
import type { Schema } from './schema.ts'

const table = 'kysely_migration'

/** Brings the schema up to date. Throws, and changes nothing, if a newer version of this program made it newer than it knows. */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  refuseNewer(await applied(db))
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) }, migrationTableName: table })
  const { error } = await migrator.migrateToLatest()
  if (error) throw new Error('Cannot bring the database up to date', { cause: error })
}

async function applied(db: Kysely<Schema>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === table)) return []
  // The table is Kysely's, not one of the schema's.
  const kyselys = db as unknown as Kysely<{ [table]: { name: string } }>
  return (await kyselys.selectFrom(table).select('name').execute()).map((row) => row.name)
}
