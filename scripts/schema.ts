import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { configJsonSchema } from '../src/hosts/config-json-schema.ts'

/** Writes docs/config.schema.json from the schema in src/config.ts; a test holds the two together. */
const file = fileURLToPath(new URL('../docs/config.schema.json', import.meta.url))
writeFileSync(file, JSON.stringify(configJsonSchema()))
const { status } = spawnSync('biome', ['format', '--write', file], { stdio: 'inherit' })
process.exitCode = status ?? 1
