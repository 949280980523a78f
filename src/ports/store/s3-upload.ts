import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { maxParts, type Part, partBytes } from './parts.ts'
import { statusOf } from './s3-failure.ts'

export interface UploadTarget {
  readonly Bucket: string
  readonly Key: string
  readonly ContentType: string
}

/**
 * Uploads parts as one object that becomes visible whole, unless the key is taken: then it throws what the server says (412).
 * A part is uploaded while the next is filled. On failure or abort nothing stays on the server, as far as it can be reached.
 * Returns how many bytes there were.
 */
export async function uploadParts(client: S3Client, target: UploadTarget, parts: AsyncIterable<Part>, signal?: AbortSignal): Promise<number> {
  const { Bucket, Key } = target
  // A failure elsewhere stops the part that is under way.
  const stop = new AbortController()
  const abortSignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target), { abortSignal })
  const done: { PartNumber: number; ETag: string | undefined }[] = []
  let total = 0
  let underWay: Promise<void> = Promise.resolve()
  const upload = async (PartNumber: number, Body: Uint8Array) => {
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }), { abortSignal })
    done.push({ PartNumber, ETag })
    total += Body.byteLength
  }
  try {
    let number = 0
    for await (const { bytes } of parts) {
      await underWay
      if (++number > maxParts) throw new RangeError(`Cannot store more than ${maxParts} parts of ${partBytes} bytes in one object`)
      underWay = upload(number, bytes)
      // It is awaited in the next turn; a failure until then is not one that nobody handles.
      underWay.catch(() => {})
    }
    await underWay
    signal?.throwIfAborted()
    await complete(client, { Bucket, Key, UploadId, MultipartUpload: { Parts: done } }, abortSignal)
    return total
  } catch (error) {
    stop.abort(error)
    // A part that arrives after the abort would stay for ever.
    await underWay.catch(() => {})
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => {})
    throw error
  }
}

type Completion = ConstructorParameters<typeof CompleteMultipartUploadCommand>[0]

async function complete(client: S3Client, completion: Completion, abortSignal: AbortSignal): Promise<void> {
  try {
    await client.send(new CompleteMultipartUploadCommand({ ...completion, IfNoneMatch: '*' }), { abortSignal })
  } catch (error) {
    // Some servers know the condition for single writes only. The caller looked whether the key is free before the upload.
    if (statusOf(error) !== 501) throw error
    await client.send(new CompleteMultipartUploadCommand(completion), { abortSignal })
  }
}
