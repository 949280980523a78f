import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { r2Store } from '../../src/ports/store/r2.ts'
import { s3Store } from '../../src/ports/store/s3.ts'
import { type Store, StoreUnavailable } from '../../src/ports/store/store.ts'
import { storeContract } from '../contract/store.ts'
import { digest, generated } from '../contract/store-streams.ts'
import { type Fault, watchedBucket } from './r2-bucket.ts'

const mebibyte = 1024 * 1024
const text = (body: string) => new TextEncoder().encode(body)
const internalError = 'We encountered an internal error. Please try again. (10001)'

storeContract('r2', async () => {
  const prefix = `${crypto.randomUUID()}/`
  const { bucket, leftovers } = watchedBucket(env.BUCKET)
  return {
    store: r2Store({ bucket, prefix, clock: { sleep: async () => {} } }),
    leftovers: (folder) => leftovers(prefix + folder),
    dispose: async () => {},
  }
})

/** A store of its own prefix with a fault before R2, the same without, and the pauses that the first made. */
function stores(fault?: Fault) {
  const prefix = `${crypto.randomUUID()}/`
  const { bucket, calls, leftovers } = watchedBucket(env.BUCKET, fault)
  const pauses: number[] = []
  const clock = { sleep: async (ms: number) => void pauses.push(ms) }
  return {
    prefix,
    pauses,
    store: r2Store({ bucket, prefix, clock }),
    other: r2Store({ bucket: env.BUCKET, prefix, clock }),
    methods: () => calls.map(({ method }) => method),
    calls,
    leftovers: () => leftovers(prefix),
  }
}

/** Throws from the first call of the method on, `times` of them; `after`: R2 does it, and only the answer is lost. */
function failing(method: string, message: string, { times = Number.POSITIVE_INFINITY, after = false } = {}): Fault {
  let failures = 0
  return async (call, go) => {
    if (call.method !== method || failures === times) return go()
    failures++
    if (after) await go()
    throw new Error(`${method}: ${message}`)
  }
}

/** Holds the first call of the method up. */
function holding(method: string) {
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let held = false
  const fault: Fault = async (call, run) => {
    if (call.method === method && !held) {
      held = true
      reached.resolve()
      await go.promise
    }
    return run()
  }
  return { fault, reached: reached.promise, release: go.resolve }
}

async function contentOf(store: Store) {
  const object = await store.get('a')
  if (!object) throw new Error('no object')
  return digest(object.body)
}

describe('a claim whose writer ended', () => {
  const big = 9 * mebibyte

  /** Leaves a claim at `a`, as a Worker that is ended right after it. */
  async function claimed() {
    const given = stores(failing('complete', internalError))
    await expect(given.store.createFromStream('a', generated(big), { contentType: 'text/x' })).rejects.toBeInstanceOf(StoreUnavailable)
    expect(await given.leftovers()).toHaveLength(2)
    return given
  }
  const isWhole = async ({ other, leftovers }: Awaited<ReturnType<typeof claimed>>) => {
    const object = await other.get('a')
    expect(object).toMatchObject({ bytes: big, contentType: 'text/x' })
    await object?.body.cancel()
    expect(await contentOf(other)).toEqual(await digest(generated(big)))
    expect(await leftovers()).toEqual([])
  }

  test('is completed by the next create()', async () => {
    const given = await claimed()
    expect(await given.other.create('a', text('other'))).toBe('exists')
    await isWhole(given)
  })

  test.each([3, 17 * mebibyte])('is completed by the next createFromStream() of %i bytes', async (bytes) => {
    const given = await claimed()
    expect(await given.other.createFromStream('a', generated(bytes))).toBe('exists')
    await isWhole(given)
  })

  test('is completed by get()', async () => {
    await isWhole(await claimed())
  })

  test('is completed by head()', async () => {
    const given = await claimed()
    expect(await given.other.head('a')).toEqual({ bytes: big })
    await isWhole(given)
  })

  test('is completed by list(), which tells the size of the object', async () => {
    const given = await claimed()
    const entries = []
    for await (const entry of given.other.list('')) entries.push(entry)
    expect(entries).toEqual([{ key: 'a', bytes: big }])
    await isWhole(given)
  })

  test('is removed with its upload, and does not come back', async () => {
    const given = await claimed()
    await given.other.remove('a')
    expect(await given.leftovers()).toEqual([])
    expect(await given.other.create('a', text('other'))).toBe('created')
    expect(await given.other.head('a')).toEqual({ bytes: 5 })
  })

  test('takes no key once its upload is gone', async () => {
    const given = await claimed()
    const claim = await (await env.BUCKET.get(`${given.prefix}a`))?.json<{ uploadId: string }>()
    await env.BUCKET.resumeMultipartUpload(`${given.prefix}a`, claim?.uploadId ?? '').abort()
    expect(await given.other.head('a')).toBeUndefined()
    expect(await given.other.get('a')).toBeUndefined()
    for await (const { key } of given.other.list('')) throw new Error(`listed ${key}`)
    const results = await Promise.all([
      given.other.createFromStream('a', generated(big, { seed: 1 })),
      given.other.create('a', text('small')),
      given.other.createFromStream('a', generated(big + 1, { seed: 2 })),
    ])
    expect(results.toSorted()).toEqual(['created', 'exists', 'exists'])
    expect(await given.other.head('a')).toEqual({ bytes: [big, 5, big + 1][results.indexOf('created')] })
  })
})

describe('createFromStream() of r2Store()', () => {
  test('lets a writer that claims first win over one that comes between claim and completion', async () => {
    const { fault, reached, release } = holding('complete')
    const { store, other, leftovers } = stores(fault)
    const first = store.createFromStream('a', generated(9 * mebibyte))
    await reached
    expect(await other.createFromStream('a', generated(10 * mebibyte, { seed: 1 }))).toBe('exists')
    expect(await other.create('a', text('small'))).toBe('exists')
    release()
    expect(await first).toBe('created')
    expect(await contentOf(other)).toEqual(await digest(generated(9 * mebibyte)))
    expect(await leftovers()).toEqual([])
  })

  test.each([3, 10 * mebibyte])('gives way to one of %i bytes that comes before its claim', async (bytes) => {
    const { fault, reached, release } = holding('put claim')
    const { store, other, leftovers } = stores(fault)
    const late = store.createFromStream('a', generated(9 * mebibyte))
    await reached
    expect(await other.createFromStream('a', generated(bytes, { seed: 1 }))).toBe('created')
    release()
    expect(await late).toBe('exists')
    expect(await contentOf(other)).toEqual(await digest(generated(bytes, { seed: 1 })))
    expect(await leftovers()).toEqual([])
  })

  test.each(['uploadPart 1', 'uploadPart 2', 'createMultipartUpload', 'put claim', 'complete'])('goes on when %s fails twice', async (method) => {
    const { store, leftovers, pauses } = stores(failing(method, internalError, { times: 2 }))
    expect(await store.createFromStream('a', generated(17 * mebibyte))).toBe('created')
    expect(await contentOf(store)).toEqual(await digest(generated(17 * mebibyte)))
    expect(await leftovers()).toEqual([])
    expect(pauses).toEqual([250, 1_000])
  })

  test.each(['put claim', 'complete'])('finds its object when the answer to %s is lost', async (method) => {
    const { store, leftovers } = stores(failing(method, 'Network connection lost.', { times: 1, after: true }))
    expect(['created', 'exists']).toContain(await store.createFromStream('a', generated(9 * mebibyte)))
    expect(await contentOf(store)).toEqual(await digest(generated(9 * mebibyte)))
    expect(await leftovers()).toEqual([])
  })

  test('may be done after all when no answer to its claim came', async () => {
    const { store, other, leftovers } = stores(failing('put claim', 'Network connection lost.', { after: true }))
    await expect(store.createFromStream('a', generated(9 * mebibyte))).rejects.toBeInstanceOf(StoreUnavailable)
    expect(await other.head('a')).toEqual({ bytes: 9 * mebibyte })
    expect(await leftovers()).toEqual([])
  })

  test('gives up in the end, as something that may pass, and leaves no upload', async () => {
    const { store, leftovers, methods } = stores(failing('uploadPart 2', internalError))
    const giveUp = expect.objectContaining({
      name: 'StoreUnavailable',
      message: expect.stringMatching(/^Cannot upload part 2 of ".*\/a" in the bucket of binding "BUCKET": .*\(10001\)$/),
    })
    await expect(store.createFromStream('a', generated(30 * mebibyte))).rejects.toEqual(giveUp)
    expect(methods().filter((method) => method === 'uploadPart 2')).toHaveLength(4)
    expect(methods()).not.toContain('uploadPart 3')
    expect(await store.head('a')).toBeUndefined()
    expect(await leftovers()).toEqual([])
  })

  test('streams 50 MiB through two buffers of 8 MiB, a part at a time', async () => {
    let atOnce = 0
    let most = 0
    let uploaded = 0
    let ahead = 0
    const { store, calls } = stores(async (call, go) => {
      if (!call.method.startsWith('uploadPart')) return go()
      most = Math.max(most, ++atOnce)
      const done = await go()
      atOnce--
      uploaded += call.bytes?.byteLength ?? 0
      return done
    })
    const onPull = (sent: number) => {
      ahead = Math.max(ahead, sent - uploaded)
    }
    expect(await store.createFromStream('a', generated(50 * mebibyte, { onPull }))).toBe('created')
    const parts = calls.filter(({ method }) => method.startsWith('uploadPart'))
    expect(parts.map(({ bytes }) => bytes?.byteLength)).toEqual([...Array(6).fill(8 * mebibyte), 2 * mebibyte])
    expect(new Set(parts.map(({ bytes }) => bytes?.buffer)).size).toBe(2)
    expect(most).toBe(1)
    expect(ahead).toBeLessThan(17 * mebibyte)
  })
})

describe('r2Store()', () => {
  test.each([10_001, 10_013, 10_043, 10_054, 10_058])('tries again on %i', async (code) => {
    const { store, pauses } = stores(failing('put', `no (${code})`, { times: 3 }))
    expect(await store.create('a', text('x'))).toBe('created')
    expect(pauses).toEqual([250, 1_000, 2_000])
  })

  test.each([
    [10_006, 'make the bucket that wrangler.toml names'],
    [10_069, 'take its bucket lock rule off'],
    [10_020, ''],
  ])('does not try again on %i, and says what to do', async (code, advice) => {
    const { store, methods } = stores(failing('put', `no (${code})`))
    const refusal = expect.objectContaining({
      name: 'Error',
      message: expect.stringContaining(`"BUCKET": put: no (${code})${advice && `; ${advice}`}`),
    })
    await expect(store.create('a', text('x'))).rejects.toEqual(refusal)
    expect(methods()).toEqual(['put'])
  })

  test('is unavailable where R2 does not answer', async () => {
    const { store } = stores(async () => {
      throw new Error('Network connection lost.')
    })
    const refusal = expect.objectContaining({ name: 'StoreUnavailable', message: expect.stringContaining('Network connection lost.') })
    await expect(store.check()).rejects.toEqual(refusal)
    await expect(store.head('a')).rejects.toEqual(refusal)
    await expect(store.get('a')).rejects.toEqual(refusal)
    await expect(store.remove('a')).rejects.toEqual(refusal)
  })

  test('waits for no answer once aborted', async () => {
    const abort = new AbortController()
    const { store } = stores(() => new Promise(() => {}))
    const { signal } = abort
    const waiting = [store.check(signal), store.head('a', { signal }), store.create('a', text('x'), { signal })]
    abort.abort(new Error('stopped'))
    for (const call of waiting) await expect(call).rejects.toThrow('stopped')
  })

  test('check() writes once for a bucket, whichever store asks', async () => {
    const { store, methods } = stores()
    await store.check()
    await store.check()
    expect(methods().filter((method) => method === 'put' || method === 'delete')).toEqual(['put', 'delete'])
  })

  test('lists an object of the size of a claim as it is', async () => {
    const { store } = stores()
    await store.create('a', new Uint8Array(8_192))
    for await (const entry of store.list('')) expect(entry).toEqual({ key: 'a', bytes: 8_192 })
  })

  test('has download URLs where it is told how', async () => {
    const { store } = stores()
    const options = { filename: 'a.tar.gz', expiresSeconds: 77 }
    expect(await store.downloadUrl('a', options)).toBeUndefined()
    const endpoint = 'https://account.r2.cloudflarestorage.com'
    const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
    const downloads = s3Store({ endpoint, region: 'auto', bucket: 'bucket', prefix: 'p/', credentials })
    const url = new URL((await r2Store({ bucket: env.BUCKET, downloads, clock: { sleep: async () => {} } }).downloadUrl('a', options)) ?? '')
    expect(url.origin + url.pathname).toBe(`${endpoint}/bucket/p/a`)
    expect(url.searchParams.get('X-Amz-Expires')).toBe('77')
    expect(url.searchParams.get('X-Amz-Credential')).toMatch(/^key\/\d{8}\/auto\/s3\/aws4_request$/)
  })
})
