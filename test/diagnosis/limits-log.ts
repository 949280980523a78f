import type { Clock } from '../../src/deps.ts'
import { type Cursor, start } from '../../src/diagnosis/cursor.ts'
import type { Diagnosis } from '../../src/diagnosis/diagnosis.ts'
import { listenTurn } from '../../src/diagnosis/listen/turn.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { sealBundle } from '../../src/diagnosis/seal/bundle.ts'
import { readFindings } from '../../src/diagnosis/seal/conclude.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import type { Store } from '../../src/ports/store/store.ts'

/** What a container may print, by the line: what costs most time or memory somewhere between log and bundle. */
export const printers: Readonly<Record<string, (n: number) => string>> = {
  'ordinary lines': (n) => `level=info caller=server.go:123 msg="request served" method=GET path=/items/${n} status=200 duration=12.${n % 10}ms`,
  'a secret on every line': (n) =>
    `password=hunter${n} token: abc${n} https://user:pw${n}@host/x?access_token=${n} Authorization: Bearer eyJh.${n}.x`,
  'lines of one character': (n) => `${n % 10}`,
  'passed points': (n) => `ok ${n + 1} - fine`,
  'failed points': (n) => `not ok ${n + 1}`,
  'skipped points': (n) => `ok ${n + 1} - x # SKIP why`,
  comments: (n) => `# c${n}`,
  'subtests in braces': (n) => (n % 2 ? '}' : `ok ${n} - x {`),
  'indented points': (n) => (n % 2 ? `    ok ${n}` : `# Subtest: ${n}`),
  'one block of YAML': (n) => ['not ok 1 - a', '  ---'][n] ?? `  k${n}: v`,
  'findings with evidence': (n) =>
    [`not ok ${n} - thing ${n}`, '  ---', `  id: http/${n}`, '  severity: warn', `  evidence: "${'e'.repeat(300)}"`, '  ...'][n % 6] ?? '',
}

const id = 'ad-0123456789abcdefghjk'
const container = `${id}-1`
const pod = { namespace: 'shop', name: 'cart' }
const signal = new AbortController().signal

/**
 * Listens to a container whose log has so many bytes, timestamps included, reads its findings and seals its bundle. The store keeps what it
 * is given, but not the bundle.
 */
export function logOf(print: (n: number) => string, bytes: number, clock: Clock) {
  const objects = new Map<string, Uint8Array>()
  const store: Pick<Store, 'create' | 'get' | 'head' | 'createFromStream'> = {
    async create(key, body) {
      if (objects.has(key)) return 'exists'
      objects.set(key, body)
      return 'created'
    },
    async get(key) {
      const body = objects.get(key)
      return body && { bytes: body.length, contentType: '', body: new Blob([body as Uint8Array<ArrayBuffer>]).stream() }
    },
    head: async (key) => (objects.has(key) ? { bytes: 0 } : undefined),
    async createFromStream(key, body) {
      for (const reader = body.getReader(); !(await reader.read()).done; );
      objects.set(key, new Uint8Array(0))
      return 'created'
    },
  }
  const status = { ephemeralContainerStatuses: [{ name: container, state: { terminated: { exitCode: 0 } } }] }
  const ended: RawPod = { metadata: { ...pod, uid: 'u' }, spec: { containers: [] }, status }
  const from = Date.parse('2026-01-02T03:04:05Z')

  /** As the kubelet serves it: from whole seconds on, a line a millisecond. */
  const open = (sinceTime?: string): ReadableStream<Uint8Array> => {
    let n = 0
    let printed = 0
    const since = sinceTime === undefined ? 0 : Date.parse(sinceTime) - from
    return new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          let text = ''
          while (text.length < 65_536 && printed < bytes) {
            const line = print(n)
            if (n >= since) text += `${new Date(from + n).toISOString()} ${line}\n`
            printed += line.length + 32
            n += 1
          }
          if (text === '') controller.close()
          else controller.enqueue(new TextEncoder().encode(text))
        },
      },
      { highWaterMark: 0 },
    )
  }
  const deps = {
    cluster: {
      openLog: async (_: unknown, _name: string, { sinceTime }: { sinceTime?: string }) => ({ kind: 'open' as const, body: open(sinceTime) }),
      getPod: async () => ended,
    },
    store,
    redactor: makeRedactor(),
    clock,
    cancelled: async () => false,
  }
  const diagnosis: Diagnosis = {
    id,
    createdAt: '2026-01-02T03:04:05.000Z',
    updatedAt: '2026-01-02T03:04:05.000Z',
    requester: 'alice',
    cluster: 'main',
    target: { kind: 'pod', ...pod },
    profile: 'auto',
    checks: [],
    state: 'sealing',
    cancelRequested: false,
    containers: [],
    findings: [],
    redactions: {},
  }
  return {
    /** One turn after another; `during` runs each. Returns the last cursor. */
    async listen(during: (turn: () => Promise<Cursor>) => Promise<Cursor> = (turn) => turn()): Promise<Cursor> {
      let cursor = start
      while (!cursor.end) {
        const params = { id, pod, uid: 'u', container, cursor, turnEndsAt: clock.now() + 600_000, giveUpAt: clock.now() + 900_000 }
        cursor = await during(() =>
          listenTurn({ ...params, name: 'log', maxBytes: 2 * bytes + 65_536, binaryArtifacts: false, endLine: true }, deps, signal),
        )
      }
      return cursor
    },
    end: () => readFindings(store, id, container, signal),
    seal: () => sealBundle(diagnosis, [], store, signal),
  }
}
