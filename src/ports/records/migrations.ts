import { type Kysely, sql } from 'kysely'
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
  '0002_alerts': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('alerts')
        .addColumn('id', 'text', (column) => column.primaryKey().notNull())
        .addColumn('key', 'text', (column) => column.unique().notNull())
        .addColumn('received_at', 'text', (column) => column.notNull())
        .addColumn('resolved_at', 'text')
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('due_at', 'text', (column) => column.notNull())
        .addColumn('source', 'text', (column) => column.notNull())
        .addColumn('fingerprint', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('alert', 'text', (column) => column.notNull())
        .addColumn('cluster', 'text')
        .addColumn('namespace', 'text')
        .addColumn('workload', 'text')
        .addColumn('pod', 'text')
        .addColumn('trouble', 'text')
        .addColumn('outcome', 'text')
        .addColumn('suppression', 'text')
        .addColumn('message', 'text')
        .addColumn('diagnosis', 'text')
        .execute()
      const index = (name: string, columns: readonly string[]) =>
        db.schema
          .createIndex(name)
          .on('alerts')
          .columns([...columns])
      // Of lists, each in their order. Of several that would do, SQLite takes the one that was made last: those that leave fewest rows come last.
      await index('alerts_by_source', ['source', 'id']).execute()
      await index('alerts_by_outcome', ['outcome', 'id']).where(sql.ref('outcome'), 'is not', null).execute()
      await index('alerts_by_namespace', ['namespace', 'id']).where(sql.ref('namespace'), 'is not', null).execute()
      await index('alerts_by_name', ['name', 'id']).execute()
      await index('alerts_by_suppression', ['suppression', 'id']).where(sql.ref('suppression'), 'is not', null).execute()
      await index('alerts_by_trouble', ['trouble', 'id']).where(sql.ref('trouble'), 'is not', null).execute()
      // Only the rows that may be the answer are in these. What is the same in all of them stands first, because SQLite prefers what it can compare more of.
      await index('alerts_due', ['state', 'due_at', 'id']).where(sql.ref('state'), '=', 'received').execute()
      await index('alerts_by_fingerprint', ['fingerprint', 'source', 'resolved_at']).execute()
      await index('alerts_firing', ['resolved_at', 'trouble'])
        .where(sql.ref('resolved_at'), 'is', null)
        .where(sql.ref('trouble'), 'is not', null)
        .execute()
      await index('alerts_diagnosed', ['outcome', 'trouble', 'id']).where(sql.ref('outcome'), '=', 'diagnosed').execute()
      await index('alerts_suppressed', ['outcome', 'diagnosis']).where(sql.ref('outcome'), '=', 'suppressed').execute()
      await index('alerts_suppressed_since', ['outcome', 'suppression', 'received_at']).where(sql.ref('outcome'), '=', 'suppressed').execute()
      await db.schema
        .createTable('troubles')
        .addColumn('id', 'text', (column) => column.primaryKey().notNull())
        .addColumn('cluster', 'text', (column) => column.notNull())
        .addColumn('namespace', 'text', (column) => column.notNull())
        .addColumn('workload', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('opened_at', 'text', (column) => column.notNull())
        .addColumn('updated_at', 'text', (column) => column.notNull())
        .addColumn('resolved_at', 'text')
        .addColumn('round', 'integer', (column) => column.notNull())
        .addColumn('opened_by', 'text', (column) => column.notNull())
        .addColumn('report', 'text')
        .execute()
      await db.schema
        .createTable('tellings')
        .addColumn('id', 'text', (column) => column.primaryKey().notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('trouble', 'text')
        .addColumn('report', 'text')
        .addColumn('note', 'text')
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('due_at', 'text', (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('call', 'text', (column) => column.notNull())
        .addColumn('message', 'text')
        .execute()
      await db.schema.createIndex('tellings_due').on('tellings').columns(['due_at', 'id']).where(sql.ref('state'), '=', 'due').execute()
    },
  },
  '0003_comparison': {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('diagnoses').addColumn('comparison', 'text').execute()
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
