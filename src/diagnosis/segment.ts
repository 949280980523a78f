import type { Store } from '../ports/store/store.ts'
import type { Cursor } from './cursor.ts'
import { join } from './join.ts'

/**
 * A piece of a container's log in the store, create-only. The object is one line of JSON, the header, and then the body: text,
 * or a chunk of one artifact. It carries the cursor behind it: whoever meets an existing segment goes on from there.
 */
export interface SegmentHeader {
  readonly cursor: Cursor
  /** Present: the body is a chunk of this artifact and no text. */
  readonly artifact?: { readonly name: string; readonly index: number; readonly binary: boolean }
}

export function segmentKey(id: string, container: string, segment: number): string {
  return `${segmentPrefix(id, container)}${String(segment).padStart(6, '0')}`
}

export function segmentPrefix(id: string, container: string): string {
  return `diagnoses/${id}/segments/${container}/`
}

/** Path of a container's log in the bundle. */
export function logPath(namespace: string, pod: string, container: string): string {
  return `autodiagnose/${namespace}/${pod}/${container}-stdout.txt`
}

/** Path of an artifact in the bundle, from that of the log that it was printed in. */
export function artifactPath(log: string, { index, name }: { readonly index: number; readonly name: string }): string {
  return `${log.replace(/-stdout\.txt$/, '')}-artifacts/${String(index).padStart(2, '0')}-${name}`
}

export function encodeSegment(header: SegmentHeader, body: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(`${JSON.stringify(header)}\n`)
  return join([head, body], head.length + body.length)
}

/** A segment, or undefined if there is none yet. */
export async function readSegment(
  store: Pick<Store, 'get'>,
  key: string,
  signal?: AbortSignal,
): Promise<{ readonly header: SegmentHeader; readonly body: Uint8Array } | undefined> {
  const object = await store.get(key, signal ? { signal } : {})
  if (!object) return undefined
  const bytes = new Uint8Array(await new Response(object.body).arrayBuffer())
  const newline = bytes.indexOf(10)
  if (newline < 0) throw new Error(`Cannot read segment "${key}": it has no header`)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, newline))) as SegmentHeader
  return { header, body: bytes.subarray(newline + 1) }
}

/** Follows the chain of existing segments from a cursor and returns the cursor behind the last one. */
export async function adopt(store: Pick<Store, 'get'>, id: string, container: string, cursor: Cursor, signal?: AbortSignal): Promise<Cursor> {
  for (let last = cursor; ; ) {
    const segment = await readSegment(store, segmentKey(id, container, last.segment + 1), signal)
    if (!segment) return last
    last = segment.header.cursor
  }
}
