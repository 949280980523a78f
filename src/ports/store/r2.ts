import type { Clock } from '../../deps.ts'
import { chunksOf } from './chunks.ts'
import { contentTypeOf } from './content-type.ts'
import { assertKey, assertPrefix } from './key.ts'
import { type Part, partsOf, startingWith } from './parts.ts'
import { isNoSuchUpload, r2Calls } from './r2-calls.ts'
import { claimObject, claimOf, isClaim, maybeClaim, uploadParts } from './r2-upload.ts'
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

/** Tries of a create that other writers of the same key disturb. */
const maxConflicts = 5
/** How often a claim is looked at whose upload is gone, until it counts as dead: another one may just be completing it. */
const maxLooks = 3
const lookMs = 1_000

/** Buckets that took a write. A Worker opens its store anew for each request. */
const proven = new WeakSet<R2Bucket>()

/**
 * A store in an R2 bucket of a Worker's binding. Streams of more than 8 MiB are uploaded in parts, see {@link claimObject}; until R2
 * has put these together, moments after its claim, other users of the bucket see the claim under the key. A create whose answer was
 * lost may say `exists` for what it made itself.
 */
export function r2Store({ bucket, binding = 'BUCKET', prefix = '', downloads, clock }: R2StoreOptions): Store {
  const calls = r2Calls(binding, clock)
  const at = (key: string) => {
    assertKey(key)
    return prefix + key
  }

  async function create(key: string, body: Uint8Array, { contentType, signal }: PutOptions = {}): Promise<Created> {
    const written = await putFree(at(key), body, { httpMetadata: { contentType: contentType ?? contentTypeOf(key) } }, signal)
    return written ? 'created' : 'exists'
  }

  /** Puts unless the key is taken, and says whether it did. A dead claim takes no key. */
  async function putFree(key: string, body: Uint8Array, options: R2PutOptions, signal?: AbortSignal): Promise<boolean> {
    let onlyIf: R2Conditional = { etagDoesNotMatch: '*' }
    for (let conflict = 1; conflict <= maxConflicts; conflict++) {
      const written = await calls(`put object "${key}"`, () => bucket.put(key, body, { ...options, onlyIf }), signal)
      if (written) return true
      const there = await settled(key, signal)
      if (there && !isClaim(there)) return false
      onlyIf = there ? { etagMatches: there.etag } : { etagDoesNotMatch: '*' }
    }
    throw new StoreUnavailable(`Cannot put object "${key}" in the bucket of binding "${binding}": others write and remove it all the time`)
  }

  /** What has the key, if anything: a claim that is met is completed. A claim that is given back is dead, its upload is gone. */
  async function settled(key: string, signal?: AbortSignal): Promise<R2Object | undefined> {
    for (let look = 1; ; look++) {
      const there = await calls(`head object "${key}"`, () => bucket.head(key), signal)
      if (!there || !isClaim(there) || look > maxLooks) return there ?? undefined
      if (look > 1) await clock.sleep(lookMs, signal)
      await complete(key, signal)
    }
  }

  async function complete(key: string, signal?: AbortSignal): Promise<void> {
    const claim = await claimAt(key, signal)
    if (!claim) return
    const { uploadId, parts } = claim
    try {
      await calls(`complete upload of "${key}"`, () => bucket.resumeMultipartUpload(key, uploadId).complete(parts), signal)
    } catch (error) {
      // Completed by another one, or dead: a further look tells.
      if (!isNoSuchUpload(error)) throw error
    }
  }

  async function claimAt(key: string, signal?: AbortSignal) {
    const read = async () => {
      const object = await bucket.get(key)
      if (object && isClaim(object)) return claimOf(object)
      await object?.body.cancel()
      return undefined
    }
    return calls(`get object "${key}"`, read, signal)
  }

  async function upload(key: string, parts: AsyncIterable<Part>, { contentType, signal }: PutOptions): Promise<Created> {
    const httpMetadata = { contentType: contentType ?? contentTypeOf(key) }
    const name = at(key)
    const claim = await uploadParts(parts, { bucket, calls, key: name, httpMetadata, signal })
    const { body, customMetadata } = claimObject(claim)
    // From here the signal is not asked: a claim that was put is completed. Neither is the upload aborted when this fails, for the
    // claim may be there although no answer came.
    if (!(await putFree(name, body, { httpMetadata, customMetadata }))) {
      const abort = () => bucket.resumeMultipartUpload(name, claim.uploadId).abort()
      await abort().catch(() => {})
      return 'exists'
    }
    const stored = await settled(name)
    if (stored && !isClaim(stored)) return 'created'
    throw new StoreUnavailable(`Cannot find object "${name}" in the bucket of binding "${binding}" after its upload was completed`)
  }

  async function createFromStream(key: string, body: ReadableStream<Uint8Array>, options: PutOptions = {}): Promise<Created> {
    const { signal } = options
    try {
      signal?.throwIfAborted()
      if (await head(key, options)) {
        await body.cancel()
        return 'exists'
      }
    } catch (error) {
      await body.cancel(error).catch(() => {})
      throw error
    }
    const parts = partsOf(chunksOf(body, signal))
    const first = await parts.next()
    if (first.done) throw new Error('Cannot cut a stream: no part came, not even an empty one')
    if (first.value.isLast) return create(key, first.value.bytes, options)
    return upload(key, startingWith(first.value, parts), options)
  }

  async function head(key: string, { signal }: Abortable = {}): Promise<{ bytes: number } | undefined> {
    const there = await settled(at(key), signal)
    return there && !isClaim(there) ? { bytes: there.size } : undefined
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
        const key = name.slice(prefix.length)
        if (!maybeClaim(size)) yield { key, bytes: size }
        else {
          const there = await head(key, { signal })
          if (there) yield { key, bytes: there.bytes }
        }
      }
      cursor = page.truncated ? page.cursor : undefined
    } while (cursor !== undefined)
  }

  async function remove(key: string): Promise<void> {
    const name = at(key)
    const there = await calls(`head object "${name}"`, () => bucket.head(name))
    const claim = there && isClaim(there) ? await claimAt(name) : undefined
    // Else whoever completes it later would bring the object back.
    if (claim)
      await bucket
        .resumeMultipartUpload(name, claim.uploadId)
        .abort()
        .catch(() => {})
    await calls(`delete object "${name}"`, () => bucket.delete(name))
  }

  /** Once it took a write, it is not asked again. */
  async function assertWritable(signal?: AbortSignal): Promise<void> {
    if (proven.has(bucket)) return
    const key = `check-${crypto.randomUUID()}`
    await create(key, new Uint8Array(1), signal ? { signal } : {})
    proven.add(bucket)
    // A bucket that keeps everything may forbid it: then one byte stays.
    await remove(key).catch(() => {})
  }

  return {
    create,
    createFromStream,
    get,
    head,
    list(from, options) {
      assertPrefix(from)
      return list(from, options)
    },
    remove,
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
