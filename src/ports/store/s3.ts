import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { contentTypeOf } from './content-type.ts'
import { assertKey, assertPrefix } from './key.ts'
import { type Part, streamCreator } from './parts.ts'
import { failureOf, isMissing, type S3Place, statusOf } from './s3-failure.ts'
import { uploadParts } from './s3-upload.ts'
import { type Created, type PutOptions, type Store, type StoredObject, StoreUnavailable } from './store.ts'

export interface S3StoreOptions {
  /** Of an S3-compatible server; without it AWS. */
  readonly endpoint?: string
  /** Default: us-east-1. */
  readonly region?: string
  readonly bucket: string
  /** Put before every key; default none. */
  readonly prefix?: string
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true. */
  readonly forcePathStyle?: boolean
  /** Without them the default chain of the AWS SDK: environment, web identity, profile, instance. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** Tries of one call, with the SDK's backoff; then it is the caller's durable step that tries again. */
const maxAttempts = 4
/** Tries of a create that other writers of the same key disturb. */
const maxConflicts = 5

/**
 * A store in a bucket of AWS S3 or a compatible server that honours `If-None-Match: *` on PutObject; `check()` finds out.
 * A create whose answer was lost may say `exists` for what it made itself.
 */
export function s3Store({ endpoint, region = 'us-east-1', bucket, prefix = '', forcePathStyle = true, credentials }: S3StoreOptions): Store {
  const client = new S3Client({
    region,
    forcePathStyle,
    maxAttempts,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials && { credentials }),
    // Many compatible servers refuse the checksums that the SDK would add.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The first until connected, the second without a byte either way, the third for a whole part over a slow line.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 120_000, requestTimeout: 300_000, throwOnRequestTimeout: true },
  })
  const place: S3Place = { bucket, at: endpoint ?? `AWS ${region}` }
  const at = (key: string) => {
    assertKey(key)
    return { Bucket: bucket, Key: prefix + key }
  }
  client.middlewareStack.add(
    (next, context) => async (args) => {
      try {
        return await next(args)
      } catch (error) {
        throw failureOf(error, actionOf(context.commandName, args.input), place)
      }
    },
    { step: 'initialize', priority: 'high', name: 'autodiagnoseFailures' },
  )
  let honoursConditions = false

  async function create(key: string, body: Uint8Array, { contentType, signal }: PutOptions = {}): Promise<Created> {
    const put = new PutObjectCommand({ ...at(key), Body: body, ContentType: contentType ?? contentTypeOf(key), IfNoneMatch: '*' })
    for (let conflict = 1; ; conflict++) {
      try {
        await client.send(put, abortable(signal))
        return 'created'
      } catch (error) {
        signal?.throwIfAborted()
        if (statusOf(error) === 412) return 'exists'
        if (statusOf(error) !== 409 || conflict === maxConflicts) throw error
        if (await head(key, { signal })) return 'exists'
      }
    }
  }

  async function upload(key: string, parts: AsyncIterable<Part>, { contentType, signal }: PutOptions): Promise<Created> {
    let bytes: number
    try {
      bytes = await uploadParts(client, { ...at(key), ContentType: contentType ?? contentTypeOf(key) }, parts, signal)
    } catch (error) {
      signal?.throwIfAborted()
      if (statusOf(error) === 412) return 'exists'
      // Taken by another writer just now, or by this one when the first answer was lost.
      if ((statusOf(error) === 409 || isMissing(error)) && (await head(key, { signal }))) return 'exists'
      throw error
    }
    const stored = await head(key, { signal })
    if (!stored) throw new StoreUnavailable(`Cannot find object "${key}" in bucket "${bucket}" at ${place.at} after its upload was completed`)
    // A server without conditions on completion let another writer come later.
    return stored.bytes === bytes ? 'created' : 'exists'
  }

  async function head(key: string, { signal }: Abortable = {}): Promise<{ bytes: number } | undefined> {
    try {
      const { ContentLength = 0 } = await client.send(new HeadObjectCommand(at(key)), abortable(signal))
      return { bytes: ContentLength }
    } catch (error) {
      signal?.throwIfAborted()
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async function get(key: string, { signal }: Abortable = {}): Promise<StoredObject | undefined> {
    try {
      const { Body, ContentLength = 0, ContentType } = await client.send(new GetObjectCommand(at(key)), abortable(signal))
      const body = Body ? (Body.transformToWebStream() as ReadableStream<Uint8Array>) : new Blob().stream()
      return {
        bytes: ContentLength,
        contentType: ContentType ?? contentTypeOf(key),
        body: signal ? body.pipeThrough(new TransformStream(), { signal }) : body,
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async function* list(from: string, { after, signal }: { readonly after?: string | undefined } & Abortable = {}) {
    let ContinuationToken: string | undefined
    do {
      const StartAfter = after === undefined ? undefined : prefix + after
      const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + from, StartAfter, ContinuationToken })
      const page = await client.send(command, abortable(signal)).catch((error) => {
        signal?.throwIfAborted()
        throw error
      })
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        // Servers on directories list these as well.
        if (!Key.endsWith('/')) yield { key: Key.slice(prefix.length), bytes: Size }
      }
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (ContinuationToken)
  }

  async function remove(key: string, { signal }: Abortable = {}): Promise<void> {
    await client.send(new DeleteObjectCommand(at(key)), abortable(signal))
  }

  /** Once it did, it is not asked again. */
  async function assertConditions(signal?: AbortSignal): Promise<void> {
    if (honoursConditions) return
    const key = `check-${crypto.randomUUID()}`
    const write = () => create(key, new Uint8Array(1), signal ? { signal } : {})
    await write()
    try {
      if ((await write()) === 'created')
        throw new Error(
          `Cannot use bucket "${bucket}" at ${place.at}: the server overwrites objects although told "If-None-Match: *"; ` +
            'use a server with conditional writes, such as AWS S3, or a newer version of this one',
        )
      honoursConditions = true
    } finally {
      // A bucket that keeps everything may forbid it: then one byte stays.
      await remove(key).catch(() => {})
    }
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
    remove,
    async downloadUrl(key, { filename, expiresSeconds }) {
      const ResponseContentDisposition = contentDisposition(filename)
      return getSignedUrl(client, new GetObjectCommand({ ...at(key), ResponseContentDisposition }), { expiresIn: expiresSeconds })
    },
    async check(signal) {
      await assertConditions(signal)
      for await (const _ of list('check-', { signal })) break
    },
  }
}

interface Abortable {
  readonly signal?: AbortSignal | undefined
}

function abortable(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  signal?.throwIfAborted()
  return signal ? { abortSignal: signal } : {}
}

/** `PutObjectCommand` with a key → `put object "key"` */
function actionOf(commandName: string | undefined, input: object): string {
  const words = (commandName ?? 'call').replace(/(V2)?Command$/, '').replace(/(?<=[a-z])[A-Z]/g, ' $&')
  const name = 'Key' in input ? input.Key : 'Prefix' in input ? input.Prefix : ''
  return `${words.toLowerCase()} "${name}"`
}

/** https://www.rfc-editor.org/rfc/rfc6266: a plain name for all, and the true one where that is not ASCII. */
function contentDisposition(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(filename).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${plain}"${plain === filename ? '' : `; filename*=UTF-8''${encoded}`}`
}
