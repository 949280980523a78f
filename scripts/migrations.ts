import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { migrations } from '../src/ports/records/migrations.ts'

/** Where `wrangler d1 migrations apply` looks: migrations_dir of wrangler.toml. */
export const migrationsDirectory = new URL('../infra/workers/migrations/', import.meta.url)

/** What stands in each file of that directory, by its name: the same schema as on SQLite. A statement a line, for D1 takes one at a time. */
export async function migrationFiles(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for (const [name, { up }] of Object.entries(migrations)) {
    const statements: string[] = []
    const db = new Kysely<unknown>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
      log({ query }) {
        // A file cannot hold them.
        if (query.parameters.length > 0) throw new Error(`Migration "${name}" has a statement with parameters: ${query.sql}`)
        statements.push(`${query.sql};\n`)
      },
    })
    await up(db)
    files.set(`${name}.sql`, `-- "npm run schema" made this from src/ports/records/migrations.ts.\n${statements.join('')}`)
  }
  return files
}
