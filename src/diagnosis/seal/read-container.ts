import type { Store } from '../../ports/store/store.ts'
import { type Cursor, start } from '../cursor.ts'
import { readSegment, type SegmentHeader, segmentKey } from '../segment.ts'

export interface StoredSegment {
  readonly header: SegmentHeader
  readonly body: Uint8Array
}

/** All segments of a container in order, one in memory at a time. */
export async function* readContainer(
  store: Pick<Store, 'get'>,
  id: string,
  container: string,
  signal: AbortSignal,
): AsyncGenerator<StoredSegment, Cursor, void> {
  for (let cursor = start; ; ) {
    const segment = await readSegment(store, segmentKey(id, container, cursor.segment + 1), signal)
    if (!segment) return cursor
    cursor = segment.header.cursor
    yield segment
    if (cursor.end) return cursor
  }
}
