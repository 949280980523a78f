import { maxParts, type Part, partBytes } from './parts.ts'
import type { R2Calls } from './r2-calls.ts'

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

export async function claimOf(object: R2ObjectBody): Promise<Claim> {
  return await object.json<Claim>()
}

export interface UploadOptions {
  readonly bucket: R2Bucket
  readonly calls: R2Calls
  /** With the prefix. */
  readonly key: string
  readonly httpMetadata: R2HTTPMetadata
  readonly signal: AbortSignal | undefined
}

/**
 * Uploads parts of equal size, but for the last, without completing them; a part is uploaded while the next is filled. On failure or
 * abort nothing stays in R2, as far as it can be reached; what stays all the same R2 itself aborts after 7 days:
 * https://developers.cloudflare.com/r2/objects/multipart-objects/
 */
export async function uploadParts(given: AsyncIterable<Part>, { bucket, calls, key, httpMetadata, signal }: UploadOptions): Promise<Claim> {
  // Not left by the signal: an upload must not begin that nobody aborts.
  const upload = await calls(`begin upload of "${key}"`, () => bucket.createMultipartUpload(key, { httpMetadata }))
  const parts: R2UploadedPart[] = []
  let underWay: Promise<void> = Promise.resolve()
  const send = async (number: number, bytes: Uint8Array) => {
    parts.push(await calls(`upload part ${number} of "${key}"`, () => upload.uploadPart(number, bytes)))
  }
  try {
    for await (const { bytes } of given) {
      await underWay
      const number = parts.length + 1
      if (number > maxParts) throw new RangeError(`Cannot store more than ${maxParts} parts of ${partBytes} bytes in one object`)
      underWay = send(number, bytes)
      // It is awaited in the next turn; a failure until then is not one that nobody handles.
      underWay.catch(() => {})
    }
    await underWay
    signal?.throwIfAborted()
    return { uploadId: upload.uploadId, parts }
  } catch (error) {
    await underWay.catch(() => {})
    await upload.abort().catch(() => {})
    throw error
  }
}
