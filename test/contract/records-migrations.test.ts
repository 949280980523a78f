import { readdirSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { migrationFiles, migrationsDirectory } from '../../scripts/migrations.ts'

describe('infra/workers/migrations', () => {
  test('is current: else run "npm run schema"', async () => {
    const found = readdirSync(migrationsDirectory).map((name) => [name, readFileSync(new URL(name, migrationsDirectory), 'utf8')] as const)
    expect(new Map(found.toSorted(([a], [b]) => a.localeCompare(b)))).toEqual(await migrationFiles())
  })

  test('is all that a new database needs', async () => {
    const database = new DatabaseSync(':memory:')
    for (const sql of (await migrationFiles()).values()) database.exec(sql)
    const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
    expect(names.map(({ name }) => name)).toEqual(['alerts', 'diagnoses', 'kept', 'tellings', 'troubles'])
    database.close()
  })
})
