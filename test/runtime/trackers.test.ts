import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import { realTrackers } from '../../src/hosts/parts.ts'
import { local } from '../../src/ports/tracker/local.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
/** Made up, each as its tracker wants it. */
const secrets: Readonly<Record<string, string>> = {
  TOKEN: 'made-up-token',
  HOOK: `whsec_${btoa('made up for the tests, not a secret')}`,
  KEY: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
}

type TrackerInput = NonNullable<ConfigInput['trackers']>[string]

function make(tracker: TrackerInput) {
  const config = configSchema.parse({
    publicUrl: 'https://d.example',
    clusters: { main: { inCluster: true } },
    store: { kind: 'files', directory: 'unused' },
    trackers: { bugs: tracker },
  } satisfies ConfigInput)
  const secret = (ref: object) => secrets['env' in ref ? String(ref.env) : ''] ?? ''
  return realTrackers(config, secret, (directory) => local({ directory })).get('bugs')
}

const token = { env: 'TOKEN' }
const app = { id: 12, privateKey: { env: 'KEY' }, installation: 34 }

test.each<[string, TrackerInput, string]>([
  ['github with a token', { kind: 'github', token }, 'fruit/apples#12'],
  ['github as an app', { kind: 'github', app }, 'fruit/apples#12'],
  ['gitlab', { kind: 'gitlab', token }, 'fruit/red/apples#12'],
  ['jira cloud', { kind: 'jira', url: 'https://fruit.atlassian.net', email: 'bot@example.net', token }, 'OPS-12'],
  ['jira data center', { kind: 'jira', url: 'https://jira.example', token }, 'OPS-12'],
  ['redmine', { kind: 'redmine', url: 'https://redmine.example', apiKey: token }, '12'],
  ['standard-webhook', { kind: 'standard-webhook', url: 'https://hook.example', secret: { env: 'HOOK' } }, 'any key'],
  ['local', { kind: 'local', directory: 'unused' }, 'bug-1'],
])('%s is made of its configuration and takes its own keys', (_, tracker, key) => {
  expect(make(tracker)?.complainAboutKey(key)).toBeUndefined()
  expect(make(tracker)?.complainAboutKey('')).toEqual(expect.any(String))
})

test.each<[string, TrackerInput, string]>([
  ['neither token nor app', { kind: 'github' }, 'expected token or app'],
  ['token and app', { kind: 'github', token, app }, 'expected token or app'],
  ['a key that is none', { kind: 'github', app: { ...app, privateKey: token } }, 'private key'],
  ['a secret of another form', { kind: 'standard-webhook', url: 'https://hook.example', secret: token }, 'whsec_'],
])('a tracker with %s is not made, and is named', (_, tracker, why) => {
  expect(() => make(tracker)).toThrow(new RegExp(`^trackers\\.bugs: .*${why}`))
})
