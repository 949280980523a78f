import type { Clock } from '../../deps.ts'
import { type Store, StoreUnavailable } from '../../ports/store/store.ts'
import type { Cursor } from '../cursor.ts'
import { encodeSegment, readSegment, segmentKey } from '../segment.ts'
import type { Piece } from './pipeline.ts'

/** Another worker, or this one before a crash, wrote the next segment: its cursor counts, not ours. */
export class Adopted extends Error {
  override readonly name = 'Adopted'
  readonly cursor: Cursor
  constructor(cursor: Cursor) {
    super(`Segment ${cursor.segment} was there already`)
    this.cursor = cursor
  }
}

/**
 * Writes pieces one after another, behind the reader's back: a slow store must not stall the reader, because what the
 * kubelet rotates away meanwhile is lost. At most {@link maxQueued} pieces wait, and about {@link maxQueuedBytes}.
 */
export class SegmentWriter {
  private readonly id: string
  private readonly container: string
  private readonly deps: { readonly store: Pick<Store, 'create' | 'get'>; readonly clock: Clock }
  private readonly signal: AbortSignal
  private chain: Promise<void> = Promise.resolve()
  private queued = 0
  private queuedBytes = 0
  private failure: unknown
  private written: Cursor

  constructor(
    id: string,
    container: string,
    cursor: Cursor,
    deps: { readonly store: Pick<Store, 'create' | 'get'>; readonly clock: Clock },
    signal: AbortSignal,
  ) {
    this.id = id
    this.container = container
    this.written = cursor
    this.deps = deps
    this.signal = signal
  }

  put(piece: Piece): void {
    this.queued += 1
    this.queuedBytes += piece.body.length
    this.chain = this.chain.then(async () => {
      if (this.failure === undefined) {
        try {
          await this.write(piece)
        } catch (error) {
          this.failure = error
        }
      }
      this.queued -= 1
      this.queuedBytes -= piece.body.length
    })
  }

  /** Resolves when there is room for another piece; throws what went wrong. */
  async room(): Promise<void> {
    while ((this.queued >= maxQueued || this.queuedBytes >= maxQueuedBytes) && this.failure === undefined) await this.chain
    if (this.failure !== undefined) throw this.failure
  }

  /** Resolves when everything is written, with the cursor behind it; throws what went wrong. */
  async drained(): Promise<Cursor> {
    await this.chain
    if (this.failure !== undefined) throw this.failure
    return this.written
  }

  private async write(piece: Piece): Promise<void> {
    const { cursor } = piece.header
    const key = segmentKey(this.id, this.container, cursor.segment)
    const created = await this.create(key, encodeSegment(piece.header, piece.body))
    if (created === 'exists') {
      const there = await readSegment(this.deps.store, key, this.signal)
      if (!there) throw new StoreUnavailable(`Cannot read segment "${key}" that exists`)
      // Our own write whose answer was lost.
      if (JSON.stringify(there.header) !== JSON.stringify(piece.header)) throw new Adopted(there.header.cursor)
    }
    this.written = cursor
  }

  private async create(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.deps.store.create(key, body, { contentType: 'application/octet-stream', signal: this.signal })
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || attempt >= 5 || this.signal.aborted) throw error
        await this.deps.clock.sleep(100 * 2 ** attempt, this.signal)
      }
    }
  }
}

const maxQueued = 64
/** A character may have three bytes, and a piece is cut by its characters. */
const maxQueuedBytes = 16 * 1024 ** 2
