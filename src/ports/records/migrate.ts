import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrations } from './migrations.ts'
import type { Schema } from './schema.ts'

const table = 'kysely_migration'

/** Brings the schema up to date. Throws, and changes nothing, if a newer version of this program made it newer than it knows. */
export async function migrate(db: Kysely<Schema>): Promise<void> {
  const unknown = (await applied(db)).filter((name) => !(name in migrations))
  if (unknown.length > 0) {
    throw new Error(
      `Cannot use the database: a newer version made its schema (${unknown.map((name) => `"${name}"`).join(', ')} is not known here); ` +
        'start that version again, or restore a copy of the database from before the upgrade',
    )
  }
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
