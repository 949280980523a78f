import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { loadConfig } from '../../src/hosts/load-config.ts'

const hash = (digit: string) => `sha256:${digit.repeat(64)}`

/** The least that works, as a plain object to break in one place. */
const minimal = () => ({
  publicUrl: 'https://autodiagnose.test/',
  clusters: { main: { kubeconfig: 'kube/config' } } as Record<string, unknown>,
  store: { kind: 'files', directory: 'store' } as Record<string, unknown>,
  trackers: { redmine: { kind: 'redmine', url: 'http://redmine.test', apiKey: { env: 'KEY' } } } as Record<string, unknown>,
  principals: [{ name: 'ann', tokenHashes: [hash('a')] }],
  policy: [{ principals: ['ann'], namespaces: ['fruit'] }] as Record<string, unknown>[],
})

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'autodiagnose-config-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function load(content: unknown, environment: Record<string, string> = { KEY: 'made-up' }) {
  const file = join(directory, 'autodiagnose.yaml')
  writeFileSync(file, typeof content === 'string' ? content : stringify(content))
  return loadConfig({ ...environment, AUTODIAGNOSE_CONFIG: file })
}

/** The problems that loading lists, without the line numbers. */
function problems(content: unknown, environment?: Record<string, string>): string[] {
  try {
    load(content, environment)
  } catch (error) {
    const [first = '', ...rest] = (error as Error).message.split('\n')
    expect(first).toBe(
      `Cannot use the configuration "${join(directory, 'autodiagnose.yaml')}": ${rest.length === 1 ? '1 problem' : `${rest.length} problems`}`,
    )
    return rest.map((line) => line.trim().replace(/ \(line \d+\)$/, ''))
  }
  return []
}

describe('loadConfig()', () => {
  test('gives defaults, and paths relative to the file', () => {
    const { config } = load({ ...minimal(), redaction: { files: ['more.yaml', '/etc/more.yaml'] }, state: '~/autodiagnose' })
    expect(config).toMatchObject({
      publicUrl: 'https://autodiagnose.test',
      listen: { host: '127.0.0.1', port: 8080 },
      state: join(homedir(), 'autodiagnose'),
      clusters: { main: { kubeconfig: join(directory, 'kube/config') } },
      store: { kind: 'files', directory: join(directory, 'store') },
      redaction: { files: [join(directory, 'more.yaml'), '/etc/more.yaml'] },
      policy: [
        { principals: ['ann'], clusters: ['*'], namespaces: ['fruit'], profiles: ['auto', 'restricted', 'baseline'], checks: ['*'], reports: [] },
      ],
    })
    const others = { emulated: { emulator: { directory: 'e' } }, here: { inCluster: true } }
    const more = load({ ...minimal(), clusters: others, trackers: { l: { kind: 'local', directory: 'r' } } }).config
    expect(more).toMatchObject({
      state: join(directory, 'state'),
      clusters: { emulated: { emulator: { directory: join(directory, 'e') } }, here: { inCluster: true } },
    })
    expect(more.trackers).toEqual({ l: { kind: 'local', directory: join(directory, 'r') } })
  })

  test('reads secrets from the environment and from files, without the newline at their end', () => {
    writeFileSync(join(directory, 'hook'), 'whsec_bWFkZS11cA==\n')
    const trackers = { ...minimal().trackers, hook: { kind: 'standard-webhook', url: 'http://hook.test', secret: { file: 'hook' } } }
    const { config, secret } = load({ ...minimal(), trackers })
    const { redmine, hook } = config.trackers
    expect(redmine?.kind === 'redmine' && secret(redmine.apiKey)).toBe('made-up')
    expect(hook?.kind === 'standard-webhook' && secret(hook.secret)).toBe('whsec_bWFkZS11cA==')
    expect(() => secret({ env: 'OTHER' })).toThrow('Cannot give secret {env: OTHER}')
  })

  test('says where the file is looked for', () => {
    expect(() => loadConfig({})).toThrow('AUTODIAGNOSE_CONFIG is not set; set it to the path of a file')
    const missing = join(directory, 'none.yaml')
    expect(() => loadConfig({ AUTODIAGNOSE_CONFIG: missing })).toThrow(`Cannot read the configuration "${missing}" (AUTODIAGNOSE_CONFIG): ENOENT`)
  })

  test('gives line and column of a syntax error, and not what stands there', () => {
    expect(() => load('publicUrl: x\nstore:\n  kind: files\n directory: "hidden-made-up\n')).toThrow(/as YAML:\n {2}line 4, column \d+: /)
    expect(() => load('publicUrl: x\nstore:\n  kind: files\n directory: "hidden-made-up\n')).not.toThrow('hidden')
    expect(() => load('publicUrl: x\npublicUrl: y\n')).toThrow('line 2, column 1: Map keys must be unique')
    expect(() => load('a: 1\n---\nb: 1\n')).toThrow('line 2, column 1')
    expect(() => load('state: !secret x\n')).toThrow(/line 1, column 8: .*!secret/)
  })

  test('says which keys an empty file lacks', () => {
    expect(problems('')).toEqual([
      'publicUrl: expected a URL such as https://host.example, got nothing',
      'clusters: expected a map, got nothing',
      'store: expected a map, got nothing',
    ])
    expect(problems('- a\n')).toEqual(['the file: expected a map, got a list'])
  })

  test('lists every problem at once, in the order of the file and with its line', () => {
    const text = `publicUrl: autodiagnose.test
clusters: { main: { kubeconfig: x } }
store: { kind: files, directory: x }
diagnosis:
  deadlineSeconds: 3
trackers:
  redmine: { kind: redmine, url: 'http://redmine.test', apiKey: { env: MISSING } }
principals: []
policy:
  - principals: [ann]
    namespaces: fruit
`
    expect(() => load(text)).toThrow(
      new Error(`Cannot use the configuration "${join(directory, 'autodiagnose.yaml')}": 4 problems
  publicUrl: expected a URL such as https://host.example, got "autodiagnose.test" (line 1)
  diagnosis.deadlineSeconds: expected a whole number from 5 to 1800, got 3 (line 5)
  trackers.redmine.apiKey: environment variable "MISSING" is not set; set it to the secret, or use {file: PATH} (line 7)
  policy[0].namespaces: expected a list of at least 1, got "fruit" (line 11)`),
    )
  })

  test.each<[string, object, string[]]>([
    ['a misspelled key', { listne: {} }, ['listne: unknown key (did you mean "listen"?)']],
    ...['1k', 4095, '2Gi'].map((value): [string, object, string[]] => [
      `an output of ${value}, which the runner refuses`,
      { diagnosis: { outputBytes: value } },
      [`diagnosis.outputBytes: expected a quantity from 4Ki to 1Gi, got ${JSON.stringify(value)}`],
    ]),
    ['an output in megabytes of bits', { diagnosis: { outputBytes: '8Mb' } }, ['diagnosis.outputBytes: expected a quantity such as 16Mi, got "8Mb"']],
    ['an image of three dots', { diagnosis: { image: 'x@sha256:…' } }, [expect.stringMatching(/^diagnosis.image: expected an image such as/)]],
    ['a key from nowhere', { colour: 'red' }, ['colour: unknown key']],
    ['a misspelled key further in', { harm: { minHeadrom: '1Mi' } }, ['harm.minHeadrom: unknown key (did you mean "minHeadroom"?)']],
    [
      'a misspelled key in a cluster',
      { clusters: { main: { kubeconfg: 'x' } } },
      ['clusters.main.kubeconfg: unknown key (did you mean "kubeconfig"?)'],
    ],
    [
      'a key too many in a cluster',
      { clusters: { main: { kubeconfig: 'x', contxt: 'y' } } },
      ['clusters.main.contxt: unknown key (did you mean "context"?)'],
    ],
    [
      'an empty cluster',
      { clusters: { main: {} } },
      ['clusters.main: expected {kubeconfig: PATH}, {inCluster: true}, {url: URL, token: SECRET} or {emulator: {directory: PATH}}, got an empty map'],
    ],
    ['no cluster', { clusters: {}, policy: [] }, ['clusters: expected at least one cluster, got an empty map']],
    [
      'a bad name',
      { clusters: { 'Main Cluster': { kubeconfig: 'x' } } },
      ['clusters: expected a name of lower-case letters, digits and dashes, 63 at most, got the name "Main Cluster"'],
    ],
    [
      'an unknown kind',
      { store: { kind: 'file', directory: 'x' } },
      ['store.kind: expected one of "files", "s3", "r2", got "file" (did you mean "files"?)'],
    ],
    ['a value of none of several', { evidence: { logs: 'all' } }, ['evidence.logs: expected one of "quoted", "tail", "none", got "all"']],
    ['a bad quantity', { harm: { minHeadroom: 'lots' } }, ['harm.minHeadroom: expected a quantity such as 16Mi, got "lots"']],
    ['no quantity', { harm: { minHeadroom: [] } }, ['harm.minHeadroom: expected a quantity such as 16Mi, got an empty list']],
    ['a fraction', { listen: { port: 80.5 } }, ['listen.port: expected a whole number from 0 to 65535, got 80.5']],
    ['a number for a yes', { harm: { paused: 1 } }, ['harm.paused: expected true or false, got 1']],
    ['null', { state: null }, ['state: expected text that is not empty, got nothing (null)']],
    ['another scheme', { publicUrl: 'ftp://x.test' }, ['publicUrl: expected a URL such as https://host.example, got "ftp://x.test"']],
    [
      'half of the credentials',
      { store: { kind: 's3', bucket: 'b', accessKeyId: { env: 'KEY' } } },
      ['store.secretAccessKey: expected with the other key, got nothing; set both, or neither to use the default chain of AWS'],
    ],
    [
      'an unknown principal',
      { policy: [{ principals: ['anne'], namespaces: ['x'] }] },
      ['policy[0].principals[0]: no principal or source matches "anne" (did you mean "ann"?); there are "ann"'],
    ],
    [
      'a pattern for nobody',
      { policy: [{ principals: ['team-*'], namespaces: ['x'] }] },
      ['policy[0].principals[0]: no principal or source matches "team-*"; there are "ann"'],
    ],
    [
      'an unknown cluster',
      { policy: [{ principals: ['*'], clusters: ['mian'], namespaces: ['x'] }] },
      ['policy[0].clusters[0]: no cluster matches "mian" (did you mean "main"?); there are "main"'],
    ],
    [
      'an unknown tracker',
      { policy: [{ principals: ['a*'], namespaces: ['x'], reports: ['*', 'r*:1', 'jira:*'] }] },
      ['policy[0].reports[2]: no tracker matches "jira"; there are "redmine"'],
    ],
    [
      'a report without its tracker',
      { policy: [{ principals: ['ann'], namespaces: ['x'], reports: ['redmine'] }] },
      ['policy[0].reports[0]: expected tracker:issue, got "redmine"; "redmine:*" stands for all issues of one tracker'],
    ],
    [
      'a pattern of a URL that is none',
      { policy: [{ principals: ['ann'], namespaces: ['x'], checks: ['http=*', 'http=stock*'] }] },
      ['policy[0].checks[1]: "stock*" is no pattern of a URL; expected such as http=http://stock:8080/* or http=https://*.shop.example:*/*'],
    ],
    [
      'kube-system',
      { policy: [{ principals: ['ann'], namespaces: ['kube-system'] }] },
      ['policy[0].namespaces[0]: "kube-system" is denied to everyone; take it out'],
    ],
    [
      'a name and a token twice',
      {
        principals: [
          { name: 'ann', tokenHashes: [hash('a')] },
          { name: 'ann', tokenHashes: [hash('b'), hash('a')] },
        ],
      },
      [
        'principals[1].name: "ann" is already the name of principals[0]',
        'principals[1].tokenHashes[1]: this token is already one of "ann"; every token belongs to one principal, once',
      ],
    ],
  ])('refuses %s', (_, change, expected) => {
    expect(problems({ ...minimal(), ...change })).toEqual(expected)
  })

  test('looks for names also where another part is wrong', () => {
    expect(problems({ ...minimal(), state: 5, policy: [{ principals: ['bob'], namespaces: ['x'] }] })).toEqual([
      'policy[0].principals[0]: no principal or source matches "bob"; there are "ann"',
      'state: expected text that is not empty, got 5',
    ])
  })

  test('does not show a secret that was written into the file', () => {
    const trackers = { redmine: { kind: 'redmine', url: 'http://redmine.test', apiKey: 'hidden-made-up' } }
    expect(problems({ ...minimal(), trackers })).toEqual([
      'trackers.redmine.apiKey: expected {env: NAME} or {file: PATH}, got a text that is not shown here',
    ])
    expect(problems({ ...minimal(), principals: [{ name: 'ann', tokenHashes: ['hidden-made-up'] }] })).toEqual([
      'principals[0].tokenHashes[0]: expected "sha256:" and 64 hex digits, as "npm run token" prints them, got a text that is not shown here',
    ])
    expect(problems({ ...minimal(), publicUrl: 'https://user:hidden-made-up@x.test' })).toEqual([
      'publicUrl: expected a URL without a user or a password in it, got "https://…@x.test"',
    ])
    expect(problems({ ...minimal(), publicUrl: 'ftp://user:hidden-made-up@x.test' })).toEqual([
      'publicUrl: expected a URL such as https://host.example, got "ftp://…@x.test"',
    ])
  })

  test.each([
    ['bearer[0]', { kind: 'alertmanager', auth: { bearer: ['hidden-made-up'] } }, 'auth.'],
    ['password', { kind: 'alertmanager', auth: { basic: { username: 'am', password: 'hidden-made-up' } } }, 'auth.basic.'],
    ['secrets[0]', { kind: 'standard', secrets: ['hidden-made-up'] }, ''],
    ['tokens[0]', { kind: 'gitlab', auth: { tokens: ['hidden-made-up'] }, tracker: 'redmine', users: {} }, 'auth.'],
    ['signing[0]', { kind: 'gitlab', auth: { signing: ['hidden-made-up'] }, tracker: 'redmine', users: {} }, 'auth.'],
  ])('does not show a secret of a source: %s', (key, source, before) => {
    expect(problems({ ...minimal(), sources: { alerts: source } })).toContain(
      `sources.alerts.${before}${key}: expected {env: NAME} or {file: PATH}, got a text that is not shown here`,
    )
  })

  test.each([{}, { none: true, tracker: 'redmine', project: 'shop' }])('says what a route of reports is: %j', (route) => {
    expect(problems({ ...minimal(), reports: { routes: [route] } })).toEqual([
      expect.stringContaining('reports.routes[0]: expected {tracker: NAME, project: PROJECT} or {none: true}, with match or without, got'),
    ])
  })

  test('names each choice once where several places of the schema have it', () => {
    const relabel = [{ action: 'labelmap', regex: 'a' }]
    expect(problems({ ...minimal(), sources: { alerts: { kind: 'alertmanager', auth: { bearer: [{ env: 'KEY' }] }, relabel } } })).toContain(
      'sources.alerts.relabel[0].action: expected one of "replace", "keep", "drop", got "labelmap"',
    )
  })

  test('refuses secrets that are not there or empty', () => {
    expect(problems(minimal(), {})).toEqual([
      'trackers.redmine.apiKey: environment variable "KEY" is not set; set it to the secret, or use {file: PATH}',
    ])
    expect(problems(minimal(), { KEY: '' })).toEqual([
      'trackers.redmine.apiKey: environment variable "KEY" is empty; set it to the secret, or use {file: PATH}',
    ])
    const trackers = { redmine: { kind: 'redmine', url: 'http://redmine.test', apiKey: { file: 'key' } } }
    expect(problems({ ...minimal(), trackers })).toEqual([
      expect.stringMatching(/^trackers\.redmine\.apiKey: cannot read secret file ".*\/key": ENOENT.*; put the secret there, or use \{env: NAME\}$/),
    ])
    writeFileSync(join(directory, 'key'), '\n')
    expect(problems({ ...minimal(), trackers })).toEqual([
      expect.stringMatching(/^trackers\.redmine\.apiKey: secret file ".*\/key" is empty; put the secret there$/),
    ])
  })
})
