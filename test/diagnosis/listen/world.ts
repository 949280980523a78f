import type { Clock } from '../../../src/deps.ts'
import { type Cursor, start } from '../../../src/diagnosis/cursor.ts'
import { containerName } from '../../../src/diagnosis/diagnosis.ts'
import type { TurnDeps, TurnParams } from '../../../src/diagnosis/listen/turn.ts'
import { listenTurn } from '../../../src/diagnosis/listen/turn.ts'
import { makeRedactor } from '../../../src/diagnosis/redact/make-redactor.ts'
import { readSegment, segmentKey } from '../../../src/diagnosis/segment.ts'
import { ClusterUnavailable, type LogAnswer, type RawPod } from '../../../src/ports/cluster/cluster.ts'
import type { Store } from '../../../src/ports/store/store.ts'

/** A line as containerd wrote it: its time in nanoseconds since the epoch, and its bytes. */
export interface Written {
  readonly ns: bigint
  readonly bytes: Uint8Array
  readonly ended?: boolean
}

export const id = 'ad-0123456789abcdefghjk'
export const container = containerName(id, 1)
const pod = { namespace: 'orchard', name: 'tree' }
const uid = 'f0f0f0f0-0000-4000-8000-000000000001'

/** A clock that only moves when somebody reads, or when all that are at work wait: then to the end of the shortest wait. */
class FakeClock implements Clock {
  ms = Date.parse('2026-01-02T03:04:05Z')
  private readonly waits = new Set<{ readonly until: number }>()
  now = (): number => this.ms
  sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    const wait = { until: this.ms + Math.max(0, ms) }
    this.waits.add(wait)
    while (!signal?.aborted && this.ms < wait.until) {
      const before = this.ms
      // Everything that is ready goes first.
      await new Promise((resolve) => setImmediate(resolve))
      if (this.ms === before && !signal?.aborted) this.ms = Math.min(...[...this.waits].map(({ until }) => until))
    }
    this.waits.delete(wait)
  }
}

export class MemoryStore implements Pick<Store, 'create' | 'get'> {
  readonly objects = new Map<string, Uint8Array>()
  async create(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    await Promise.resolve()
    if (this.objects.has(key)) return 'exists'
    this.objects.set(key, body.slice())
    return 'created'
  }
  async get(key: string) {
    const bytes = this.objects.get(key)
    return bytes && { bytes: bytes.length, contentType: 'application/octet-stream', body: new Blob([bytes.slice()]).stream() }
  }
}

export interface Trouble {
  /** Sizes of the chunks of each stream in turn, cycled. */
  readonly chunks: readonly number[]
  /** After how many bytes the n-th stream breaks or ends quietly; absent: never. */
  readonly breaks: readonly { readonly after: number; readonly how: 'error' | 'eof' | 'words' }[]
}

/** Serves a finished container's log as a kubelet does: whole seconds in sinceTime, one timestamp a line, its own words inside a 200 body. */
class FakeKubelet {
  private opened = 0
  lines: readonly Written[]
  private readonly trouble: Trouble
  private readonly clock: FakeClock
  /** Lines before this one have been rotated away. */
  rotated = 0

  constructor(lines: readonly Written[], trouble: Trouble, clock: FakeClock) {
    this.lines = lines
    this.trouble = trouble
    this.clock = clock
  }

  openLog = async (_pod: unknown, name: string, options: { readonly sinceTime?: string }): Promise<LogAnswer> => {
    if (name !== container) return { kind: 'gone', message: `container ${name} is not valid` }
    const trouble = this.trouble.breaks[this.opened++]
    if (trouble?.how === 'error' && trouble.after === 0) throw new ClusterUnavailable('connection refused')
    const since = options.sinceTime === undefined ? 0n : BigInt(Date.parse(options.sinceTime)) * 1_000_000n
    const lines = this.lines.slice(this.rotated).filter(({ ns }) => ns >= since)
    return { kind: 'open', body: this.stream(serve(lines), trouble) }
  }

  getPod = async (): Promise<RawPod> => ({
    metadata: { ...pod, uid },
    spec: { containers: [] },
    status: { ephemeralContainerStatuses: [{ name: container, state: { terminated: { exitCode: 0 } } }] },
  })

  private stream(bytes: Uint8Array, trouble: Trouble['breaks'][number] | undefined): ReadableStream<Uint8Array> {
    let at = 0
    let n = 0
    const { chunks } = this.trouble
    // Its words come between lines; everything else may break anywhere.
    const after = trouble && (trouble.how === 'words' ? bytes.lastIndexOf(10, trouble.after) + 1 : trouble.after)
    const end = Math.min(bytes.length, after ?? bytes.length)
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          this.clock.ms += 20
          const size = Math.max(1, chunks[n++ % chunks.length] ?? 1)
          if (at < end) {
            controller.enqueue(bytes.slice(at, Math.min(end, at + size)))
            at += size
            return
          }
          if (trouble?.how === 'words') controller.enqueue(new TextEncoder().encode('unable to retrieve container logs for containerd://0123\n'))
          if (trouble?.how === 'error') controller.error(new Error('terminated'))
          else controller.close()
        },
      },
      { highWaterMark: 0 },
    )
  }
}

function serve(lines: readonly Written[]): Uint8Array {
  const encoder = new TextEncoder()
  const parts = lines.flatMap(({ ns, bytes, ended = true }) => [encoder.encode(`${timeOf(ns)} `), bytes, ...(ended ? [new Uint8Array([10])] : [])])
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function timeOf(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`
}

export interface World {
  readonly clock: FakeClock
  readonly store: MemoryStore
  readonly kubelet: FakeKubelet
  readonly params: TurnParams
  readonly deps: TurnDeps
}

export function world(lines: readonly Written[], trouble: Partial<Trouble> = {}, options: Partial<TurnParams> = {}): World {
  const clock = new FakeClock()
  const store = new MemoryStore()
  const kubelet = new FakeKubelet(lines, { chunks: [4096], breaks: [], ...trouble }, clock)
  const params: TurnParams = {
    id,
    pod,
    uid,
    container,
    cursor: start,
    turnEndsAt: clock.ms + 60_000,
    giveUpAt: clock.ms + 3_600_000,
    name: 'log.txt',
    maxBytes: 1_000_000_000,
    binaryArtifacts: false,
    endLine: false,
    ...options,
  }
  return {
    clock,
    store,
    kubelet,
    params,
    deps: { cluster: kubelet, store, redactor: makeRedactor(), clock, cancelled: async () => false },
  }
}

/** Turn after turn until the end, as the story does it; `stale` starts every turn from the very beginning, as a crash before every save would. */
export async function listenToEnd({ params, deps, clock }: World, turnMs: number, stale = false): Promise<Cursor> {
  let cursor = start
  for (let turn = 0; turn < 10_000 && !cursor.end; turn++) {
    // Whoever listens beside gets its turn: nothing here waits for the outside world, as an engine does that saves.
    await new Promise((resolve) => setImmediate(resolve))
    cursor = await listenTurn({ ...params, cursor: stale ? start : cursor, turnEndsAt: clock.ms + turnMs }, deps, new AbortController().signal)
  }
  return cursor
}

/** What is stored: the text, and the artifacts by index. */
export async function stored(
  store: MemoryStore,
): Promise<{ readonly text: string; readonly artifacts: ReadonlyMap<number, Uint8Array>; readonly segments: number }> {
  let text = ''
  const artifacts = new Map<number, Uint8Array>()
  for (let n = 1; ; n++) {
    const segment = await readSegment(store, segmentKey(id, container, n))
    if (!segment) return { text, artifacts, segments: n - 1 }
    const { artifact } = segment.header
    if (!artifact) text += new TextDecoder().decode(segment.body)
    else artifacts.set(artifact.index, new Uint8Array([...(artifacts.get(artifact.index) ?? []), ...segment.body]))
  }
}

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Numbered lines; several share one timestamp, as a fast writer's do. */
export function numbered(count: number, perTimestamp = 3, stepNs = 90_000_000n): Written[] {
  const from = BigInt(Date.parse('2026-01-02T03:04:05Z')) * 1_000_000n
  return Array.from({ length: count }, (_, n) => ({
    ns: from + BigInt(Math.floor(n / perTimestamp)) * stepNs,
    bytes: encode(`${String(n + 1).padStart(10, '0')} xxxxxxxx`),
  }))
}
