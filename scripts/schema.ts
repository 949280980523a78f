import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkListModule, checksPage } from './checks.ts'
import { migrationFiles, migrationsDirectory } from './migrations.ts'

/**
 * Writes what is made of the code: docs/config.schema.json from the schema in src/config.ts, D1's migrations from those of the
 * records, and src/diagnosis/check-list.ts and the table of docs/checks.md from the heads of the checks. A test each holds the two together.
 */
const checkList = fileURLToPath(new URL('../src/diagnosis/check-list.ts', import.meta.url))
writeFileSync(checkList, checkListModule())
const page = fileURLToPath(new URL('../docs/checks.md', import.meta.url))
writeFileSync(page, checksPage(readFileSync(page, 'utf8')))

const file = fileURLToPath(new URL('../docs/config.schema.json', import.meta.url))
// Only now: the configuration knows the checks.
const { configJsonSchema } = await import('../src/hosts/config-json-schema.ts')
writeFileSync(file, JSON.stringify(configJsonSchema()))
const { status } = spawnSync('biome', ['format', '--write', file, checkList], { stdio: 'inherit' })

mkdirSync(migrationsDirectory, { recursive: true })
for (const [name, text] of await migrationFiles()) writeFileSync(new URL(name, migrationsDirectory), text)
process.exitCode = status ?? 1
