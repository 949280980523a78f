import { maxParts, type Part, partBytes } from './parts.ts'
import type { R2Calls } from './r2-calls.ts'
import type { Claim } from './r2-claims.ts'

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
