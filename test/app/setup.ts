import { platform } from '#platform'
import { createApp } from '../../src/app.ts'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import type { Clock, Deps, Runs } from '../../src/deps.ts'
import { hashToken } from '../../src/diagnosis/admit/token-hash.ts'
import { start } from '../../src/diagnosis/cursor.ts'
import type { Redactor } from '../../src/diagnosis/redact/redactor.ts'
import { encodeSegment, segmentKey } from '../../src/diagnosis/segment.ts'
import { webhookVerifier } from '../../src/hosts/webhooks.ts'
import type { Store } from '../../src/ports/store/store.ts'
import type { Tracker } from '../../src/ports/tracker/tracker.ts'

export const publicUrl = 'https://diagnose.example.org'

/** Made-up tokens; each is its principal's. */
export const tokens = {
  alice: 'made-up-token-of-alice',
  bob: 'made-up-token-of-bob',
  olga: 'made-up-token-of-olga-the-operator',
  nobody: 'made-up-token-of-nobody',
}

/** Made up; the configuration names them as {env: NAME}. */
export const secrets: Readonly<Record<string, string>> = {
  ALERT_TOKEN: 'made-up-token-of-an-alertmanager',
  SIGNING_KEY: 'made-up-signing-key-of-a-webhook',
  WHSEC: `whsec_${btoa('made up for the tests, not a secret')}`,
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const timer = setTimeout(resolve, ms)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    }),
}

/** Starts are noted; what a run would do, each test does itself. */
class NotedRuns implements Runs {
  readonly started: string[] = []
  failure: Error | undefined
  start(id: string): Promise<void> {
    if (this.failure) return Promise.reject(this.failure)
    this.started.push(id)
    return Promise.resolve()
  }
}

/** A tracker that knows keys of digits, at tracker.example.org. */
const tracker: Tracker = {
  keyOfUrl: (url) => /^https:\/\/tracker\.example\.org\/issues\/(\d+)$/.exec(url)?.[1],
  complainAboutKey: (key) => (/^\d+$/.test(key) ? undefined : `"${key}" is no number of an issue`),
  complainAboutProject: (project) => (/^[a-z]+$/.test(project) ? undefined : `"${project}" is no name of a project`),
  writeNote: () => Promise.reject(new Error('The HTTP app writes no notes')),
  openIssue: () => Promise.reject(new Error('The HTTP app opens no issues')),
  closeIssue: () => Promise.reject(new Error('The HTTP app closes no issues')),
}

/** Hides `hunter2`, and nothing else. */
const redactor: Redactor = {
  text: (_, text) => ({ text: text.replaceAll('hunter2', '***HIDDEN***'), counts: {} }),
  open: () => {
    throw new Error('The HTTP app redacts no streams')
  },
  json: (_, value) => ({ value, counts: {} }),
}

export interface Setup {
  readonly deps: Deps
  readonly app: ReturnType<typeof createApp>
  readonly runs: NotedRuns
  readonly logged: { level: string; message: string; data?: unknown }[]
  /** A request without a token of its own. */
  request(path: string, init?: RequestInit): Promise<Response>
  /** A request with the token of one of the principals, alice by default. */
  ask(path: string, init?: RequestInit & { as?: keyof typeof tokens | undefined | null }): Promise<Response>
  /** Asks for a diagnosis of shop/cart and returns its id. */
  create(body?: Record<string, unknown>, as?: keyof typeof tokens): Promise<string>
  /** Stores text as the next piece of the log of the first container. */
  print(id: string, segment: number, text: string, end?: boolean): Promise<void>
}

/** The real app on real records and a real store, which nobody else uses. */
export async function setUp(change: Partial<ConfigInput> = {}, parts: Partial<Deps> & { store?: Store } = {}): Promise<Setup> {
  const principals = await Promise.all(Object.entries(tokens).map(async ([name, token]) => ({ name, tokenHashes: [await hashToken(token)] })))
  const config = configSchema.parse({
    publicUrl,
    clusters: { main: { inCluster: true } },
    store: { kind: 'files', directory: 'unused' },
    trackers: { redmine: { kind: 'redmine', url: 'https://tracker.example.org', apiKey: { env: 'UNUSED' } } },
    principals,
    policy: [
      { principals: ['alice'], namespaces: ['shop', 'shop-*'], reports: ['redmine:*'] },
      { principals: ['bob'], namespaces: ['bank'], profiles: ['restricted'], checks: ['dns', 'http=http://teller:8080/*'] },
      { principals: ['olga'], namespaces: ['*'], operator: true },
    ],
    ...change,
  } satisfies ConfigInput)
  const clock = parts.clock ?? realClock
  const records = await platform.openRecords(clock)
  const store = await platform.openStore()
  const runs = new NotedRuns()
  const logged: Setup['logged'] = []
  const deps: Deps = {
    config,
    clusters: new Map(),
    store,
    records,
    trackers: new Map([['redmine', tracker]]),
    redactor,
    clock,
    log: (level, message, data) => void logged.push({ level, message, ...(data ? { data } : {}) }),
    runs,
    verifyWebhook: webhookVerifier(config, (ref) => ('env' in ref ? (secrets[ref.env] ?? '') : ''), clock),
    wake: () => undefined,
    stopping: new AbortController().signal,
    ...parts,
  }
  const app = createApp(deps)
  const ask: Setup['ask'] = async (path, { as = 'alice', ...init } = {}) => {
    const headers = new Headers(init.headers)
    if (as) headers.set('authorization', `Bearer ${tokens[as]}`)
    return platform.ask(app, path, { ...init, headers })
  }
  return {
    deps,
    app,
    runs,
    logged,
    ask,
    request: (path, init) => platform.ask(app, path, init),
    async create(body = { pod: 'shop/cart-0' }, as = 'alice') {
      const response = await ask('/v1/diagnoses', { ...json(body), as })
      if (response.status !== 202) throw new Error(`Cannot create: ${response.status} ${await response.text()}`)
      return ((await response.json()) as { id: string }).id
    },
    async print(id, segment, text, end = false) {
      const cursor = { ...start, segment, ...(end ? { end: 'proven' as const } : {}) }
      const bytes = encodeSegment({ cursor }, new TextEncoder().encode(text))
      await store.create(segmentKey(id, `${id}-1`, segment), bytes)
    },
  }
}

export function json(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

export function form(body: string): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }
}

export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly { readonly field: string; readonly value?: string; readonly message: string }[]
  readonly requestId?: string
}

/** Reads an answer as a problem, and fails if it is none. */
export async function problemOf(response: Response): Promise<ProblemBody> {
  if (response.headers.get('content-type') !== 'application/problem+json') throw new Error(`No problem: ${response.status} ${await response.text()}`)
  const body = (await response.json()) as ProblemBody
  if (body.status !== response.status) throw new Error(`Problem says ${body.status}, response ${response.status}`)
  return body
}

/** Waits until it is so; fails after 5 s. */
export async function eventually<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const until = Date.now() + 5000
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > until) throw new Error(`Waited 5 s in vain: ${what}`)
    await realClock.sleep(10)
  }
}
