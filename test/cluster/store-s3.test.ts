import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type S3StoreOptions, s3Store } from '../../src/ports/store/s3.ts'
import { type Store, StoreUnavailable } from '../../src/ports/store/store.ts'
import { storeContract } from '../contract/store.ts'
import { generated } from '../contract/store-streams.ts'
import { isLab, labVariable, needsLab } from './environment.ts'
import { startFaultyProxy } from './faulty-proxy.ts'

const mebibyte = 1024 * 1024
needsLab()

function options(): S3StoreOptions & { prefix: string; endpoint: string; credentials: { accessKeyId: string; secretAccessKey: string } } {
  return {
    endpoint: labVariable('LAB_S3_ENDPOINT'),
    bucket: labVariable('LAB_S3_BUCKET'),
    prefix: `test-store-${randomBytes(4).toString('hex')}/`,
    credentials: { accessKeyId: labVariable('LAB_S3_ACCESS_KEY'), secretAccessKey: labVariable('LAB_S3_SECRET_KEY') },
  }
}

function clientOf({ endpoint, credentials }: ReturnType<typeof options>): S3Client {
  return new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true })
}

/** Asked of the server itself: uploads that were begun and neither completed nor aborted. */
async function uploads({ bucket, prefix }: S3StoreOptions, client: S3Client, below = '') {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix + below }))
  return Uploads.map(({ Key = '', UploadId = '' }) => ({ Key, UploadId }))
}

async function wipe(store: Store, given: S3StoreOptions, client: S3Client): Promise<void> {
  for (const upload of await uploads(given, client)) await client.send(new AbortMultipartUploadCommand({ Bucket: given.bucket, ...upload }))
  let removals: Promise<void>[] = []
  for await (const { key } of store.list('')) {
    if (removals.push(store.remove(key)) === 20) {
      await Promise.all(removals)
      removals = []
    }
  }
  await Promise.all(removals)
  client.destroy()
}

if (isLab) {
  storeContract('s3', async () => {
    const given = options()
    const store = s3Store(given)
    const client = clientOf(given)
    return {
      store,
      leftovers: async (prefix) => (await uploads(given, client, prefix)).map(({ Key }) => Key),
      dispose: () => wipe(store, given, client),
    }
  })
}

describe('s3Store()', () => {
  let given: ReturnType<typeof options>
  let store: Store
  let client: S3Client
  const closers: (() => Promise<void>)[] = []
  beforeAll(() => {
    if (!isLab) return
    given = options()
    store = s3Store(given)
    client = clientOf(given)
  })
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
  })
  afterAll(() => isLab && wipe(store, given, client))

  /** The lab's S3 with a fault before it; `Host` stays, so that signatures hold. */
  async function faulty(...faults: Parameters<typeof startFaultyProxy>[1]) {
    const proxy = await startFaultyProxy(given.endpoint, faults)
    closers.push(proxy.close)
    return { proxy, store: s3Store({ ...given, endpoint: proxy.url }) }
  }
  const unfinished = async (key: string) => (await uploads(given, client, key)).length

  test('download URLs work without credentials, name the file and expire', async () => {
    await store.create('dir/bündle.tar.gz', new TextEncoder().encode('hello'))
    const url = await store.downloadUrl('dir/bündle.tar.gz', { filename: 'bündle "1".tar.gz', expiresSeconds: 77 })
    const { searchParams } = new URL(url ?? '')
    expect(searchParams.get('X-Amz-Expires')).toBe('77')
    const response = await fetch(url ?? '')
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('hello')
    expect(response.headers.get('content-type')).toBe('application/gzip')
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename="b_ndle _1_.tar.gz"; filename*=UTF-8''b%C3%BCndle%20%221%22.tar.gz`,
    )
    const bare = new URL(url ?? '')
    bare.search = ''
    expect((await fetch(bare)).status).toBe(403)
  })

  test('goes on when the server answers 503 twice', async () => {
    const { proxy, store } = await faulty({ match: /^PUT/, times: 2, status: 503 })
    expect(await store.create('twice', new Uint8Array(3))).toBe('created')
    expect(proxy.seen.filter((line) => line.startsWith('PUT'))).toHaveLength(3)
    expect(await store.head('twice')).toEqual({ bytes: 3 })
  })

  test('goes on when parts are refused or cut off', async () => {
    const { store } = await faulty({ match: /partNumber=2/, times: 2, status: 503 }, { match: /partNumber=1&/, times: 1, status: 'reset' })
    expect(await store.createFromStream('parts', generated(17 * mebibyte))).toBe('created')
    expect(await store.head('parts')).toEqual({ bytes: 17 * mebibyte })
  })

  test('gives up in the end, as something that may pass, and leaves no upload', async () => {
    const { proxy, store } = await faulty({ match: /partNumber=2/, times: Number.POSITIVE_INFINITY, status: 503 })
    const giveUp = expect.objectContaining({
      name: 'StoreUnavailable',
      message: expect.stringMatching(/^Cannot upload part ".*never" in bucket ".*: 503/),
    })
    await expect(store.createFromStream('never', generated(30 * mebibyte))).rejects.toEqual(giveUp)
    expect(proxy.seen.filter((line) => line.includes('partNumber=2'))).toHaveLength(4)
    expect(await store.head('never')).toBeUndefined()
    expect(await unfinished('never')).toBe(0)
  })

  test('takes 200 with an error body at completion for an error', async () => {
    const body =
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error</Message></Error>'
    const { store } = await faulty({ match: /^POST .*uploadId=/, times: Number.POSITIVE_INFINITY, status: 200, body })
    await expect(store.createFromStream('lie', generated(9 * mebibyte))).rejects.toBeInstanceOf(StoreUnavailable)
    expect(await store.head('lie')).toBeUndefined()
    expect(await unfinished('lie')).toBe(0)
  })

  test('goes on when completion fails once so', async () => {
    const body = '<Error><Code>InternalError</Code><Message>We encountered an internal error</Message></Error>'
    const { store } = await faulty({ match: /^POST .*uploadId=/, times: 1, status: 200, body })
    expect(await store.createFromStream('once', generated(9 * mebibyte))).toBe('created')
    expect(await store.head('once')).toEqual({ bytes: 9 * mebibyte })
  })

  test('finds its object when the answer to its completion is lost', async () => {
    const { store } = await faulty({ match: /^POST .*uploadId=/, times: 1, status: 'lose-answer' })
    // Which of both depends on whether the server takes a completion twice.
    expect(['created', 'exists']).toContain(await store.createFromStream('lost', generated(9 * mebibyte)))
    expect(await store.head('lost')).toEqual({ bytes: 9 * mebibyte })
    expect(await unfinished('lost')).toBe(0)
  })

  test('completes without a condition where the server does not know it there', async () => {
    const { store } = await faulty({ match: /^POST .*uploadId=/, times: 1, status: 501, body: '<Error><Code>NotImplemented</Code></Error>' })
    expect(await store.createFromStream('plain', generated(9 * mebibyte))).toBe('created')
    expect(await store.createFromStream('plain', generated(9 * mebibyte))).toBe('exists')
  })

  test('tries again after a conflict with another writer', async () => {
    const conflict = '<Error><Code>ConditionalRequestConflict</Code><Message>conflict</Message></Error>'
    const { store } = await faulty({ match: /^PUT/, times: 2, status: 409, body: conflict })
    expect(await store.create('conflict', new Uint8Array(3))).toBe('created')
    const other = await faulty({ match: /^PUT/, times: Number.POSITIVE_INFINITY, status: 409, body: conflict })
    await expect(other.store.create('conflict2', new Uint8Array(3))).rejects.toBeInstanceOf(StoreUnavailable)
    expect(await other.store.create('conflict', new Uint8Array(3))).toBe('exists')
  })

  test('check() finds a server that overwrites all the same', async () => {
    const { store } = await faulty({ match: /^PUT/, times: Number.POSITIVE_INFINITY, status: 200, body: '' })
    await expect(store.check()).rejects.toThrow('the server overwrites objects although told "If-None-Match: *"')
  })

  test.each([
    {
      what: 'bucket',
      more: { bucket: 'no-such-bucket' },
      message: /bucket "no-such-bucket" at .*: 404 NoSuchBucket: .*; make the bucket, or correct store\.bucket/,
    },
    { what: 'region', more: { region: 'eu-north-1' }, message: /400 AuthorizationHeaderMalformed: .*; correct store\.region/ },
    {
      what: 'key',
      more: { credentials: { accessKeyId: 'lab', secretAccessKey: 'not-the-secret' } },
      message: /^Cannot put object ".*" in bucket ".*" at .*: 403 SignatureDoesNotMatch: .*; check store\.accessKeyId/,
    },
  ])('says what to do about a wrong $what', async ({ more, message }) => {
    const wrong = s3Store({ ...given, ...more })
    const refusal = expect.objectContaining({ name: 'Error', message: expect.stringMatching(message) })
    await expect(wrong.check()).rejects.toEqual(refusal)
    await expect(wrong.create('a', new Uint8Array(1))).rejects.toEqual(refusal)
    await expect(wrong.createFromStream('a', generated(9 * mebibyte))).rejects.toThrow(`Cannot `)
  })

  test('is unavailable where nothing listens', async () => {
    const nowhere = s3Store({ ...given, endpoint: 'http://127.0.0.1:1' })
    const refusal = expect.objectContaining({ name: 'StoreUnavailable', message: expect.stringContaining('ECONNREFUSED 127.0.0.1:1') })
    await expect(nowhere.check()).rejects.toEqual(refusal)
    await expect(nowhere.head('a')).rejects.toEqual(refusal)
    await expect(nowhere.get('a')).rejects.toEqual(refusal)
  })

  test('streams 200 MB in bounded memory', async () => {
    const script = fileURLToPath(new URL('../contract/store-process.ts', import.meta.url))
    const args = ['--import', 'tsx', script, JSON.stringify({ ...given, prefix: `${given.prefix}memory/` }), '200000000']
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { created, riseMiB } = JSON.parse(stdout.split('\n').at(-2) ?? '')
    expect(created).toBe('created')
    expect(riseMiB).toBeLessThan(100)
    expect(await store.head('memory/streamed')).toEqual({ bytes: 200_000_000 })
  })
})
