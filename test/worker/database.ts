/// <reference path="../platform/raw.d.ts" />
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'

const files = import.meta.glob<string>('../../infra/workers/migrations/*.sql', { query: '?raw', import: 'default', eager: true })

/** The files that "wrangler d1 migrations apply" takes, as it reads them. */
export const migrationFiles = Object.entries(files).map(([path, text]) => ({
  name: path.replace(/^.*\//, ''),
  queries: text.split(/;\n/).filter((statement) => statement.trim() !== ''),
}))

export const tables: readonly string[] = ['diagnoses', 'kept', 'alerts', 'troubles', 'tellings']

/** The tests' database, with its schema and without a row. */
export async function emptyDatabase(): Promise<D1Database> {
  await applyD1Migrations(env.DB, migrationFiles)
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)))
  return env.DB
}
