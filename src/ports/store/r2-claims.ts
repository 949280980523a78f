import type { Clock } from '../../deps.ts'
import { isNoSuchUpload, type R2Calls } from './r2-calls.ts'
import { StoreUnavailable } from './store.ts'

/**
 * R2 completes an upload over whatever has the key, without a condition. So the key is taken first, by a claim: a small object put
 * under that very key if it is free, which tells how to complete the upload. Every writer is held off by R2 itself, and everyone who
 * meets a claim completes its upload, so that a writer who ended between the two steps holds nobody up.
 */
export interface Claim {
  readonly uploadId: string
  readonly parts: R2UploadedPart[]
}

/** In the metadata of claims, and of nothing else. */
const mark = 'autodiagnose-claim'
/** The size of a claim is a multiple of it: listings tell sizes, and only those of such a size are looked at. */
const claimBytes = 4_096

/** What to put as a claim. */
export function claimObject(claim: Claim): { readonly body: Uint8Array; readonly customMetadata: Record<string, string> } {
  const json = new TextEncoder().encode(JSON.stringify(claim))
  const body = new Uint8Array(Math.ceil(json.byteLength / claimBytes) * claimBytes).fill(0x20)
  body.set(json)
  return { body, customMetadata: { [mark]: claim.uploadId } }
}

export function isClaim(object: R2Object): boolean {
  return object.customMetadata?.[mark] !== undefined
}

/** Whether an object of this size may be a claim. */
export function maybeClaim(bytes: number): boolean {
  return bytes > 0 && bytes % claimBytes === 0
}

/** Tries of a create that other writers of the same key disturb. */
const maxConflicts = 5
/** How often a claim is looked at whose upload is gone, until it counts as dead: another one may just be completing it. */
const maxLooks = 3
const lookMs = 1_000

export interface R2ClaimsOptions {
  readonly bucket: R2Bucket
  /** Its name, for messages. */
  readonly binding: string
  readonly calls: R2Calls
  readonly clock: Pick<Clock, 'sleep'>
}

export interface R2Claims {
  /** Puts unless the key is taken, and says whether it did. A dead claim takes no key. */
  putFree(key: string, body: Uint8Array, options: R2PutOptions, signal?: AbortSignal): Promise<boolean>
  /** What has the key, if anything: a claim that is met is completed. A claim that is given back is dead, its upload is gone. */
  settled(key: string, signal?: AbortSignal): Promise<R2Object | undefined>
  /** Removes what has the key; a claim with its upload. */
  remove(key: string): Promise<void>
  /** Throws an upload away that is not complete. */
  abortUpload(key: string, claim: Claim): Promise<void>
}

/** What makes creates of a bucket safe against each other. The keys are those of the bucket. */
export function r2Claims({ bucket, binding, calls, clock }: R2ClaimsOptions): R2Claims {
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

  async function abortUpload(key: string, { uploadId }: Claim): Promise<void> {
    const upload = bucket.resumeMultipartUpload(key, uploadId)
    // Complete already, or R2 aborts it after 7 days.
    await upload.abort().catch(() => {})
  }

  async function claimAt(key: string, signal?: AbortSignal) {
    const read = async () => {
      const object = await bucket.get(key)
      if (object && isClaim(object)) return object.json<Claim>()
      await object?.body.cancel()
      return undefined
    }
    return calls(`get object "${key}"`, read, signal)
  }

  async function remove(key: string): Promise<void> {
    const there = await calls(`head object "${key}"`, () => bucket.head(key))
    const claim = there && isClaim(there) ? await claimAt(key) : undefined
    // Else whoever completes it later would bring the object back.
    if (claim) await abortUpload(key, claim)
    await calls(`delete object "${key}"`, () => bucket.delete(key))
  }

  return { putFree, settled, remove, abortUpload }
}
