import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/hosts/read-config.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'autodiagnose-config-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(config: object): string {
  const file = join(directory, 'autodiagnose.yaml')
  writeFileSync(file, JSON.stringify(config))
  return file
}

const onWorkers = {
  publicUrl: 'https://autodiagnose.test',
  clusters: { main: { url: 'https://kubernetes.test:6443', token: { env: 'CLUSTER_TOKEN' } } },
  store: { kind: 'r2' },
  principals: [{ name: 'ops', tokenHashes: [`sha256:${'0'.repeat(64)}`] }],
}
const onNode = { ...onWorkers, store: { kind: 'files', directory: 'store' } }

/** What is wrong, a line each. */
function problems(config: object, host: 'node' | 'workers'): string[] {
  try {
    readConfig(write(config), host, () => undefined)
    return []
  } catch (error) {
    return (error as Error).message.split('\n  ').slice(1)
  }
}

test('each host takes what it has', () => {
  expect(problems(onWorkers, 'workers')).toEqual([])
  expect(problems(onNode, 'node')).toEqual([])
})

describe('Workers', () => {
  const rule = { principals: ['ops'], namespaces: ['*'] }
  test.each([
    [
      'a path before everything',
      { publicUrl: 'https://autodiagnose.test/sub' },
      'publicUrl: Workers serve from the root of their host: give scheme and host alone (line 1)',
    ],
    ['a directory as store', { store: { kind: 'files', directory: 'x' } }, 'store.kind: Workers have no directories; use r2 or s3 (line 1)'],
    [
      'S3 without keys',
      { store: { kind: 's3', bucket: 'b' } },
      'store.accessKeyId: Workers have no default chain of AWS; set accessKeyId and secretAccessKey (line 1)',
    ],
    ['a kubeconfig', { clusters: { main: { kubeconfig: 'x' } } }, 'clusters.main: Workers reach a cluster by {url: URL, token: SECRET} (line 1)'],
    [
      'a local tracker',
      { trackers: { bugs: { kind: 'local', directory: 'x' } } },
      'trackers.bugs.kind: Workers have no directories; name a real tracker (line 1)',
    ],
    [
      'more output than a run can store',
      { diagnosis: { outputBytes: '65Mi' } },
      'diagnosis.outputBytes: at most 64Mi on Workers, because of the number of requests that a run may make (line 1)',
    ],
    [
      'a pattern that D1 does not take',
      { policy: [{ ...rule, namespaces: ['ok', `${'x'.repeat(50)}*`] }] },
      'policy[0].namespaces[1]: a pattern with * may have 50 bytes on Workers, because D1 takes no longer one (line 1)',
    ],
    [
      'more patterns than D1 takes',
      { policy: [{ ...rule, namespaces: Array.from({ length: 91 }, (_, n) => `shop-${n}`) }] },
      'principals[0]: the rules for "ops" name 91 clusters and namespaces; on Workers at most 90, because of D1: use patterns with * (line 1)',
    ],
  ])('have %s refused', (_, change, expected) => {
    expect(problems({ ...onWorkers, ...change }, 'workers')).toEqual([expected])
    // Node has it all.
    expect(problems({ ...onNode, ...change }, 'node')).toEqual([])
  })
})

describe('Node', () => {
  test.each([
    ['an R2 bucket', { store: { kind: 'r2' } }, 'store.kind: an R2 bucket is bound to Workers; on Node use s3 or files (line 1)'],
    [
      'a binding',
      { clusters: { main: { ...onNode.clusters.main, binding: 'CLUSTER' } } },
      'clusters.main.binding: bindings are for Workers; take it out (line 1)',
    ],
  ])('has %s refused', (_, change, expected) => {
    expect(problems({ ...onNode, ...change }, 'node')).toEqual([expected])
    expect(problems({ ...onWorkers, ...change }, 'workers')).toEqual([])
  })
})

test.each(['http://kubernetes.test:6443', 'https://user@kubernetes.test', 'https://kubernetes.test/?x=1'])(
  'the API server at %s is refused: a token would go there',
  (url) => {
    const clusters = { main: { url, token: { env: 'CLUSTER_TOKEN' } } }
    expect(problems({ ...onWorkers, clusters }, 'workers')[0]).toMatch(
      /^clusters\.main.*expected (an https URL of host, port and path alone|a URL without a user)/,
    )
  },
)

test('a token itself, in the place of its name, is told without it', () => {
  const clusters = { main: { url: 'https://kubernetes.test', token: 'eyJhbGciOi' } }
  expect(problems({ ...onNode, clusters }, 'node')).toEqual([
    'clusters.main.token: expected {env: NAME} or {file: PATH}, got a text that is not shown here (line 1)',
  ])
})

describe('scripts/worker-config.ts, by which wrangler builds the Worker', () => {
  const build = (file: string) => {
    const script = join(process.cwd(), 'scripts/worker-config.ts')
    const { status, stderr } = spawnSync('tsx', [script], { cwd: directory, encoding: 'utf8', env: { ...process.env, AUTODIAGNOSE_CONFIG: file } })
    return { status, stderr }
  }

  test('takes the file of the repository', () => {
    expect(build(join(process.cwd(), 'infra/workers/autodiagnose.yaml'))).toEqual({ status: 0, stderr: '' })
    const built = JSON.parse(readFileSync(join(directory, 'dist/worker-config.json'), 'utf8'))
    expect(built).toMatchObject({
      config: { store: { kind: 'r2', binding: 'BUCKET' } },
      redactors: [],
      secrets: expect.arrayContaining(['CLUSTER_TOKEN']),
    })
  })

  test('reads the redactor files', () => {
    const one = 'apiVersion: troubleshoot.sh/v1beta2\nkind: Redactor\nspec: { redactors: [] }\n'
    writeFileSync(join(directory, 'own.yaml'), `${one}---\n${one}`)
    expect(build(write({ ...onWorkers, redaction: { files: ['own.yaml'] } }))).toEqual({ status: 0, stderr: '' })
    const { redactors } = JSON.parse(readFileSync(join(directory, 'dist/worker-config.json'), 'utf8'))
    const read = { name: join(directory, 'own.yaml'), document: { apiVersion: 'troubleshoot.sh/v1beta2', kind: 'Redactor', spec: { redactors: [] } } }
    expect(redactors).toEqual([read, read])
  })

  test('fails where a redactor file cannot be used', () => {
    writeFileSync(join(directory, 'own.yaml'), 'kind: Redactor\n')
    expect(build(write({ ...onWorkers, redaction: { files: ['own.yaml'] } }))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('own.yaml'),
    })
  })

  test('fails with what is wrong, so that nothing is uploaded', () => {
    const { status, stderr } = build(write({ ...onWorkers, clusters: { main: { ...onWorkers.clusters.main, token: { file: 'x' } } }, sotre: {} }))
    expect(status).toBe(1)
    expect(stderr).toContain('clusters.main.token: Workers have no files; use {env: NAME} and "npx wrangler secret put NAME"')
    expect(stderr).toContain('sotre: unknown key (did you mean "store"?)')
  })
})
