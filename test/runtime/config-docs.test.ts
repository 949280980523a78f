import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { hashToken } from '../../src/diagnosis/admit/token-hash.ts'
import { configJsonSchema, type JsonSchema } from '../../src/hosts/config-json-schema.ts'
import { loadConfig } from '../../src/hosts/load-config.ts'

const example = readFileSync('docs/config.example.yaml', 'utf8')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'autodiagnose-config-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function load(text: string, environment: Record<string, string> = {}) {
  const file = join(directory, 'autodiagnose.yaml')
  writeFileSync(file, text)
  return loadConfig({ ...environment, AUTODIAGNOSE_CONFIG: file })
}

describe('docs/config.example.yaml', () => {
  test('loads, and shows the defaults', () => {
    mkdirSync(join(directory, 'secrets'))
    writeFileSync(join(directory, 'secrets', 'webhook'), 'whsec_bWFkZS11cA==\n')
    writeFileSync(join(directory, 'secrets', 'github-app.pem'), 'made up')
    // What is commented out names some, too.
    const named = [...example.matchAll(/\{ env: (\w+) \}/g)].map(([, name = '']) => [name, 'made-up'])
    const { config } = load(example, Object.fromEntries(named))
    const defaults = configSchema.parse({
      publicUrl: 'https://x.test',
      clusters: { main: { inCluster: true } },
      store: { kind: 's3', bucket: 'bundles' },
    })
    for (const part of ['listen', 'intake', 'diagnosis', 'harm', 'evidence', 'redaction'] as const) expect(config[part]).toEqual(defaults[part])
    expect(config.store).toMatchObject(defaults.store)
    const alertmanager = { kind: 'alertmanager', auth: { bearer: [{ env: 'X' }] } } as const
    const { relabel: _, auth: __, ...source } = configSchema.shape.sources.parse({ alertmanager }).alertmanager as Record<string, unknown>
    expect(config.sources.alertmanager).toMatchObject(source)
    expect(config.policy[0]).toMatchObject({ clusters: ['*'], profiles: ['auto', 'restricted', 'baseline'], checks: ['*'], operator: false })
  })

  test('holds every key of the schema', () => {
    const missing = keysOf(configJsonSchema()).filter((key) => !new RegExp(`^[# ]*(- )?${key}:|[{,] ${key}:`, 'm').test(example))
    expect(missing).toEqual([])
    const kinds = [
      ...['files', 's3', 'r2', 'redmine', 'standard-webhook', 'github', 'gitlab', 'jira', 'local'],
      ...['alertmanager', 'grafana', 'pagerduty', 'standard'],
    ]
    expect(kinds.filter((kind) => !new RegExp(`^[# ]*kind: ${kind}\\b`, 'm').test(example))).toEqual([])
  })
})

function keysOf(schema: JsonSchema): string[] {
  const below = [
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...Object.values(schema.properties ?? {}),
    schema.items,
    schema.additionalProperties,
  ]
  return [...Object.keys(schema.properties ?? {}), ...below.flatMap((one) => (typeof one === 'object' ? keysOf(one) : []))]
}

describe('docs/config.schema.json', () => {
  test('is current: else run "npm run schema"', () => {
    expect(JSON.parse(readFileSync('docs/config.schema.json', 'utf8'))).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
  })

  test('describes every key', () => {
    const bare = (schema: JsonSchema, path: string): string[] => [
      ...Object.entries(schema.properties ?? {}).flatMap(([key, one]) => [
        ...(one.description ? [] : [`${path}.${key}`]),
        ...bare(one, `${path}.${key}`),
      ]),
      ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), schema.items, schema.additionalProperties].flatMap((one) =>
        typeof one === 'object' ? bare(one, path) : [],
      ),
    ]
    // The two of a secret say it themselves.
    expect(bare(configJsonSchema(), '').filter((path) => !/\.(env|file)$/.test(path))).toEqual([])
  })
})

describe('npm run token', () => {
  test('prints a token and the hash that lets it in', async () => {
    const run = () => execFileSync(process.execPath, ['--import', 'tsx', 'scripts/token.ts', 'ann "x"'], { encoding: 'utf8' })
    const token = /^ad_[0-9A-Za-z]{43}$/m.exec(run())?.[0]
    expect(token).toBeDefined()
    const printed = run()
    const other = /^ad_[0-9A-Za-z]{43}$/m.exec(printed)?.[0] ?? ''
    expect(other).not.toBe(token)
    const { config } = load(
      `publicUrl: https://x.test\nclusters: { main: { inCluster: true } }\nstore: { kind: files, directory: x }\n${printed.slice(printed.indexOf('principals:'))}`,
    )
    expect(config.principals).toEqual([{ name: 'ann "x"', tokenHashes: [await hashToken(other)] }])
  })

  test('wants a name', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/token.ts'], { encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain('usage: npm run token -- NAME')
  })
})
