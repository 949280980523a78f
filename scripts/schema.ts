import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { configJsonSchema } from '../src/hosts/config-json-schema.ts'
import { migrationFiles, migrationsDirectory } from './migrations.ts'

/**
 * Writes what is made of the code: docs/config.schema.json from the schema in src/config.ts, and D1's migrations from those of the
 * records. A test each holds the two together.
 */
const file = fileURLToPath(new URL('../docs/config.schema.json', import.meta.url))
writeFileSync(file, JSON.stringify(configJsonSchema()))
const { status } = spawnSync('biome', ['format', '--write', file], { stdio: 'inherit' })

mkdirSync(migrationsDirectory, { recursive: true })
for (const [name, text] of await migrationFiles()) writeFileSync(new URL(name, migrationsDirectory), text)
process.exitCode = status ?? 1
