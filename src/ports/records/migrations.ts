import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * The schema's history, in code so that a bundle holds it. Append only: a migration that was released is never edited.
 * Types are `text` and `integer` alone, which SQLite, D1 and Postgres share: times are RFC 3339 text, structures JSON
 * text, booleans 0 and 1.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001_diagnoses': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('diagnoses')
        .addColumn('id', 'text', (column) => column.primaryKey().notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('updated_at', 'text', (column) => column.notNull())
        .addColumn('finished_at', 'text')
        .addColumn('requester', 'text', (column) => column.notNull())
        .addColumn('cluster', 'text', (column) => column.notNull())
        .addColumn('namespace', 'text', (column) => column.notNull())
        .addColumn('pod_name', 'text')
        .addColumn('report', 'text')
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('outcome', 'text')
        .addColumn('explanation', 'text')
        .addColumn('cancel_requested', 'integer', (column) => column.notNull())
        .addColumn('started', 'integer', (column) => column.notNull())
        .addColumn('idempotency_key', 'text', (column) => column.unique())
        .addColumn('fingerprint', 'text')
        .addColumn('request', 'text', (column) => column.notNull())
        .addColumn('refusal', 'text')
        .addColumn('pod', 'text')
        .addColumn('containers', 'text', (column) => column.notNull())
        .addColumn('findings', 'text', (column) => column.notNull())
        .addColumn('redactions', 'text', (column) => column.notNull())
        .addColumn('bundle', 'text')
        .addColumn('reported', 'text')
        .execute()
      await db.schema.createIndex('diagnoses_by_namespace').on('diagnoses').columns(['namespace', 'cluster', 'id']).execute()
      await db.schema.createIndex('diagnoses_by_report').on('diagnoses').columns(['report', 'id']).execute()
      await db.schema.createIndex('diagnoses_by_state').on('diagnoses').columns(['state', 'started', 'id']).execute()
      await db.schema
        .createTable('kept')
        .addColumn('key', 'text', (column) => column.primaryKey().notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .execute()
    },
  },
}

/** Throws if a newer version of this program made the schema: if one of the migrations that were applied is not known here. */
export function refuseNewer(applied: readonly string[]): void {
  const unknown = applied.filter((name) => !(name in migrations))
  if (unknown.length === 0) return
  throw new Error(
    `Cannot use the database: a newer version made its schema (${unknown.map((name) => `"${name}"`).join(', ')} is not known here); ` +
      'start that version again, or restore a copy of the database from before the upgrade',
  )
}
