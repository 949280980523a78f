import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { rules } from '../../src/diagnosis/redact/rules.ts'

const redactor = makeRedactor()

/** For each rule, what its secrets look like, written down a second time and apart from the rules, and how a line shows them. */
const planted: Readonly<Record<string, { readonly secret: RegExp; readonly lines: readonly ((secret: string) => string)[] }>> = {
  'private-key': {
    secret: /^[A-Za-z0-9+/]{64}$/,
    lines: [
      (secret) => `-----BEGIN PRIVATE KEY-----\n${secret}\n${secret.slice(0, 30)}==\n-----END PRIVATE KEY-----`,
      (secret) => `key: -----BEGIN RSA PRIVATE KEY-----\\n${secret}\\n-----END RSA PRIVATE KEY-----\\n`,
    ],
  },
  'url-password': {
    secret: /^[A-Za-z0-9!$*~_.-]{8,40}$/,
    lines: [
      (secret) => `dial postgres://apples:${secret}@db:5432/fruit: refused`,
      (secret) => `amqp://:${secret}@mq`,
      (secret) => `GET /go?to=postgres%3A%2F%2Fapples%3A${secret}%40db%2Ffruit`,
      (secret) => `cannot reach apples:${secret}@db:5432`,
      (secret) => `broker="apples:${secret}@mq.fruit.svc:5672"`,
      (secret) => `apples:${secret}@tcp(db:3306)/fruit`,
      (secret) => `+ curl -s -u apples:${secret} http://bananas:8080`,
      (secret) => `git fetch https://${secret}a0b1c2d3e4f5@git.example/fruit.git`,
    ],
  },
  'query-secret': {
    secret: /^[A-Za-z0-9_-]{8,40}$/,
    lines: [
      (secret) => `GET /fruit?page=1&access_token=${secret}&limit=5`,
      (secret) => `https://b.example/o?X-Amz-Signature=${secret}`,
      (secret) => `GET /?sig=${secret}`,
    ],
  },
  authorization: {
    secret: /^[A-Za-z0-9_.~+/-]{19}[0-9]={0,2}$/,
    lines: [
      (secret) => `Authorization: Bearer ${secret}`,
      (secret) => `> authorization: Basic ${secret}`,
      (secret) => `Proxy-Authorization: Token ${secret}`,
      (secret) => `map[Accept:[*/*] Authorization:[Bearer ${secret}] Host:[b]]`,
      (secret) => `Authorization: Digest username=apples, response=${secret}`,
      (secret) => `using bearer ${secret} for it`,
      (secret) => `curl -H 'Authorization: Bearer ${secret}' http://bananas:8080`,
    ],
  },
  cookie: {
    secret: /^[A-Za-z0-9_.~+/-]{10,40}$/,
    lines: [(secret) => `Set-Cookie: sid=${secret}; Path=/`, (secret) => `cookie: theme=dark; sid=${secret}`],
  },
  'api-key-header': {
    secret: /^[a-z0-9]{10,40}$/,
    lines: [
      (secret) => `X-Redmine-API-Key: ${secret}`,
      (secret) => `x-api-key: ${secret}`,
      (secret) => `Private-Token: ${secret}`,
      (secret) => `X-Vault-Token:[${secret}]`,
    ],
  },
  'password-pair': {
    secret: /^[A-Za-z0-9!$*~_.@%^+-]{6,30}0x$/,
    lines: [
      (secret) => `password=${secret}`,
      (secret) => `login DB_PASSWORD=${secret} user=a`,
      (secret) => `password: ${secret}`,
      (secret) => `secret="${secret}" next`,
      (secret) => `run --token ${secret} now`,
      (secret) => `<password>${secret}</password>`,
      (secret) => `Server=db;Pwd=${secret};Timeout=5`,
      (secret) => JSON.stringify({ user: 'a', client_secret: secret, z: 1 }),
      (secret) => JSON.stringify({ name: 'API_KEY', value: secret }),
      (secret) => JSON.stringify(['--password', secret]),
    ],
  },
  'sql-password': {
    secret: /^[A-Za-z0-9!$*~_.-]{6,30}$/,
    lines: [(secret) => `ALTER ROLE apples WITH PASSWORD '${secret}';`, (secret) => `create user a identified by '${secret}'`],
  },
  'registry-auth': {
    secret: /^YXBwbGVzO[g-v][A-Za-z0-9]{14}$/,
    lines: [(secret) => JSON.stringify({ auths: { 'registry.example': { auth: secret } } })],
  },
  jwt: { secret: /^eyJ[A-Za-z0-9_-]{20,40}\.eyJ[A-Za-z0-9_-]{20,40}\.[A-Za-z0-9_-]{20,43}$/, lines: [(secret) => `checked ${secret} twice`] },
  'jwt-base64': { secret: /^ZXlK[A-Za-z0-9+/]{60,90}$/, lines: [(secret) => `data ${secret}`] },
  'aws-access-key-id': {
    secret: /^A[KS]IA[A-Z0-9]{16}$/,
    lines: [(secret) => `as ${secret}`, (secret) => `${secret},MadeUp0/MadeUp0+MadeUp0/MadeUp0+MadeUp01`],
  },
  'google-key': { secret: /^(AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{30,60}|GOCSPX-[A-Za-z0-9_-]{28})$/, lines: [(secret) => `by ${secret}`] },
  'azure-client-secret': { secret: /^[A-Za-z0-9]{3}8Q~[A-Za-z0-9_~.-]{34}$/, lines: [(secret) => `app ${secret}`] },
  'github-token': { secret: /^(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,82})$/, lines: [(secret) => `remote ${secret}`] },
  'gitlab-token': { secret: /^gl(pat|dt|rt|ptt)-[A-Za-z0-9_-]{20}$/, lines: [(secret) => `remote ${secret}`] },
  'slack-token': { secret: /^xox[abprs]-[0-9]{10}-[0-9]{10}-[A-Za-z0-9]{24}$/, lines: [(secret) => `bot ${secret}`] },
  'stripe-key': { secret: /^[sr]k_(live|test)_[A-Za-z0-9]{24}$/, lines: [(secret) => `pay ${secret}`] },
  'package-registry-token': {
    secret: /^(npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{60}|dckr_pat_[A-Za-z0-9_-]{27})$/,
    lines: [(secret) => `publish ${secret}`],
  },
  'ai-key': { secret: /^(sk-[A-Za-z0-9]{48}|sk-(proj|ant)-[A-Za-z0-9_-]{40}|hf_[A-Za-z]{34})$/, lines: [(secret) => `ask ${secret}`] },
  'hosting-token': {
    secret:
      /^(dop_v1_[a-f0-9]{64}|shpat_[a-f0-9]{32}|dapi[a-f0-9]{32}|SK[0-9a-f]{32}|SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}|glsa_[A-Za-z0-9]{32}_[a-f0-9]{8})$/,
    lines: [(secret) => `host ${secret}`],
  },
  'vault-token': { secret: /^(hv[sbr]\.[A-Za-z0-9_-]{24,60}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60})$/, lines: [(secret) => `lease ${secret}`] },
  'openshift-token': { secret: /^sha256~[A-Za-z0-9_-]{43}$/, lines: [(secret) => `login ${secret}`] },
  'webhook-secret': { secret: /^whsec_[A-Za-z0-9+/]{32}$/, lines: [(secret) => `sign ${secret}`] },
  'telegram-bot-token': {
    secret: /^[1-9][0-9]{9}:AA[A-Za-z0-9_-]{33}$/,
    lines: [(secret) => `POST https://api.telegram.example/bot${secret}/getMe`],
  },
  'age-key': { secret: /^AGE-SECRET-KEY-1[A-Z0-9]{58}$/, lines: [(secret) => `identity ${secret}`] },
  'autodiagnose-token': { secret: /^ad_[A-Za-z0-9]{43}$/, lines: [(secret) => `curl ${secret}`] },
}

/** Where a line may stand. */
const contexts: Readonly<Record<string, (line: string) => string>> = {
  alone: (line) => line,
  'a log line': (line) => `2026-11-23T21:00:00.000000001Z stderr F ${line} (took 12ms)`,
  'a line with CRLF': (line) => `${line}\r\n`,
  logfmt: (line) => `level=error msg=${JSON.stringify(line)} pod=fruit/apples-57bcf49487-ddmpn`,
  'a JSON string': (line) => JSON.stringify({ level: 'error', msg: line, n: 1 }),
  'after a newline in a JSON string': (line) => JSON.stringify({ msg: `first\n${line}\nlast` }),
  'JSON in a JSON string': (line) => JSON.stringify({ log: JSON.stringify({ msg: line }) }),
  'indented JSON': (line) => JSON.stringify({ a: { msg: line } }, null, 2),
  YAML: (line) => `- message: ${line.replaceAll('\n', '\n    ')}\n  other: 1\n`,
  'a block of YAML': (line) => `evidence: |\n${line.replace(/^/gm, '  ')}\nother: 1\n`,
  TAP: (line) => `not ok 3 - http says it\n  ---\n  evidence: |\n${line.replace(/^/gm, '    ')}\n  ...\n`,
}

describe('the built-in rules', () => {
  test('are all known to this test', () => {
    expect(Object.keys(planted).sort()).toEqual(rules.map((rule) => rule.name).sort())
  })

  test.each(rules)('$name hides its example and counts it', ({ name, example }) => {
    const { text, counts } = redactor.text('a.log', example)
    expect(text).toContain('***HIDDEN***')
    expect(counts).toEqual({ [name]: 1 })
    expect(redactor.text('a.log', text)).toEqual({ text, counts: {} })
  })

  describe.each(Object.entries(planted))('%s: no planted secret survives', (name, { secret, lines }) => {
    test.each(Object.entries(contexts))('in %s', (_, context) => {
      fc.assert(
        fc.property(fc.stringMatching(secret), fc.constantFrom(...lines), (made, line) => {
          fc.pre(name !== 'password-pair' || !made.startsWith('-'))
          const text = context(line(made))
          const redacted = redactor.text('a.log', text)
          expect(redacted.text).toContain('***HIDDEN***')
          expect(redacted.text).not.toContain(made)
          expect(Object.values(redacted.counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
          expect(JSON.stringify(redactor.json('a.json', { text }).value)).not.toContain(made)
        }),
        { numRuns: 25 },
      )
    })
  })
})
