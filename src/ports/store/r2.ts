import type { Clock } from '../../deps.ts'
import { contentTypeOf } from './content-type.ts'
import { assertKey, assertPrefix } from './key.ts'
import { type Part, streamCreator } from './parts.ts'
import { r2Calls } from './r2-calls.ts'
import { claimObject, isClaim, maybeClaim, r2Claims } from './r2-claims.ts'
import { uploadParts } from './r2-upload.ts'
import { type Created, type PutOptions, type Store, type StoredObject, StoreUnavailable } from './store.ts'

export interface R2StoreOptions {
  readonly bucket: R2Bucket
  /** Its name, for messages. Default: BUCKET. */
  readonly binding?: string
  /** Put before every key; default none. */
  readonly prefix?: string
  /** Makes download URLs, which a binding cannot; default: there are none. */
  readonly downloads?: Pick<Store, 'downloadUrl'>
  readonly clock: Pick<Clock, 'sleep'>
}

/** Buckets that took a write. A Worker opens its store anew for each request. */
const proven = new WeakSet<R2Bucket>()

/**
 * A store in an R2 bucket of a Worker's binding. Streams of more than 8 MiB are uploaded in parts, see {@link claimObject}; until R2
 * has put these together, moments after its claim, other users of the bucket see the claim under the key. A create whose answer was
 * lost may say `exists` for what it made itself.
 */
export function r2Store({ bucket, binding = 'BUCKET', prefix = '', downloads, clock }: R2StoreOptions): Store {
  const calls = r2Calls(binding, clock)
  const claims = r2Claims({ bucket, binding, calls, clock })
  const at = (key: string) => {
    assertKey(key)
    return prefix + key
  }

  async function create(key: string, body: Uint8Array, { contentType, signal }: PutOptions = {}): Promise<Created> {
    const written = await claims.putFree(at(key), body, { httpMetadata: { contentType: contentType ?? contentTypeOf(key) } }, signal)
    return written ? 'created' : 'exists'
  }

  async function upload(key: string, parts: AsyncIterable<Part>, { contentType, signal }: PutOptions): Promise<Created> {
    const httpMetadata = { contentType: contentType ?? contentTypeOf(key) }
    const name = at(key)
    const claim = await uploadParts(parts, { bucket, calls, key: name, httpMetadata, signal })
    const { body, customMetadata } = claimObject(claim)
    // From here the signal is not asked: a claim that was put is completed. Neither is the upload aborted when this fails, for the
    // claim may be there although no answer came.
    if (!(await claims.putFree(name, body, { httpMetadata, customMetadata }))) {
      await claims.abortUpload(name, claim)
      return 'exists'
    }
    const stored = await claims.settled(name)
    if (stored && !isClaim(stored)) return 'created'
    throw new StoreUnavailable(`Cannot find object "${name}" in the bucket of binding "${binding}" after its upload was completed`)
  }

  async function head(key: string, { signal }: Abortable = {}): Promise<{ bytes: number } | undefined> {
    const bytes = await sizeOf(at(key), signal)
    return bytes === undefined ? undefined : { bytes }
  }

  async function sizeOf(name: string, signal?: AbortSignal): Promise<number | undefined> {
    const there = await claims.settled(name, signal)
    return there && !isClaim(there) ? there.size : undefined
  }

  async function get(key: string, { signal }: Abortable = {}): Promise<StoredObject | undefined> {
    const name = at(key)
    const read = async () => {
      const object = await bucket.get(name)
      // An unread body keeps a connection, of which a Worker has six.
      if (object && (signal?.aborted || isClaim(object))) await object.body.cancel()
      return object
    }
    const object = await calls(`get object "${name}"`, read, signal)
    if (!object) return undefined
    if (isClaim(object)) return (await head(key, { signal })) && get(key, { signal })
    return {
      bytes: object.size,
      contentType: object.httpMetadata?.contentType ?? contentTypeOf(key),
      body: signal ? object.body.pipeThrough(new TransformStream(), { signal }) : object.body,
    }
  }

  async function* list(from: string, { after, signal }: { readonly after?: string | undefined } & Abortable = {}) {
    const start = after === undefined ? {} : { startAfter: prefix + after }
    let cursor: string | undefined
    do {
      const options = { prefix: prefix + from, ...(cursor === undefined ? start : { cursor }) }
      const page = await calls(`list objects "${prefix}${from}"`, () => bucket.list(options), signal)
      for (const { key: name, size } of page.objects) {
        // Folders, made by tools that think in them.
        if (name.endsWith('/')) continue
        const bytes = maybeClaim(size) ? await sizeOf(name, signal) : size
        if (bytes !== undefined) yield { key: name.slice(prefix.length), bytes }
      }
      cursor = page.truncated ? page.cursor : undefined
    } while (cursor !== undefined)
  }

  /** Once it took a write, it is not asked again. */
  async function assertWritable(signal?: AbortSignal): Promise<void> {
    if (proven.has(bucket)) return
    const key = `check-${crypto.randomUUID()}`
    await create(key, new Uint8Array(1), signal ? { signal } : {})
    proven.add(bucket)
    // A bucket that keeps everything may forbid it: then one byte stays.
    await claims.remove(at(key)).catch(() => {})
  }

  return {
    create,
    createFromStream: streamCreator({ head, create, upload }),
    get,
    head,
    list(from, options) {
      assertPrefix(from)
      return list(from, options)
    },
    remove: async (key) => claims.remove(at(key)),
    downloadUrl: async (key, options) => downloads?.downloadUrl(key, options),
    async check(signal) {
      await assertWritable(signal)
      await calls('list objects', () => bucket.list({ prefix, limit: 1 }), signal)
    },
  }
}

interface Abortable {
  readonly signal?: AbortSignal | undefined
}
