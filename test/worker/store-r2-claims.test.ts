import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../src/ports/store/store.ts'
import { digest, generated } from '../contract/store-streams.ts'
import { contentOf, failing, holding, internalError, mebibyte, stores } from './r2-stores.ts'

const text = (body: string) => new TextEncoder().encode(body)

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

  /** The same, and R2 has thrown the upload away. */
  async function dead() {
    const given = await claimed()
    const name = `${given.prefix}a`
    const claim = await (await env.BUCKET.get(name))?.json<{ uploadId: string }>()
    await env.BUCKET.resumeMultipartUpload(name, claim?.uploadId ?? '').abort()
    return given
  }

  test('is no object once its upload is gone', async () => {
    const { other } = await dead()
    expect(await other.head('a')).toBeUndefined()
    expect(await other.get('a')).toBeUndefined()
    for await (const { key } of other.list('')) throw new Error(`listed ${key}`)
  })

  test.each([3, 9 * mebibyte])('gives its key to the next writer once its upload is gone: %i bytes', async (bytes) => {
    const { other, leftovers } = await dead()
    expect(await other.createFromStream('a', generated(bytes))).toBe('created')
    expect(await contentOf(other)).toEqual(await digest(generated(bytes)))
    expect(await leftovers()).toEqual([])
  })

  test('gives its key to one writer alone once its upload is gone', async () => {
    const { other, prefix } = await dead()
    // The first put is refused and finds out; the second replaces the claim.
    const { fault, reached, release } = holding('put', 2)
    const late = stores(fault, prefix).store.create('a', text('late'))
    await reached
    expect(await other.create('a', text('other'))).toBe('created')
    release()
    expect(await late).toBe('exists')
    expect(await other.head('a')).toEqual({ bytes: 5 })
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

  test('aborts an upload only when no part of it is under way', async () => {
    const failed = Promise.withResolvers<void>()
    const ends: string[] = []
    const { store, leftovers } = stores(async (call, go) => {
      if (call.method === 'uploadPart 1') await failed.promise
      const done = await go()
      ends.push(call.method)
      return done
    })
    const onPull = (sent: number) => {
      if (sent < 15 * mebibyte) return
      // After all that follows on the failure.
      setTimeout(failed.resolve)
      throw new RangeError('the source failed')
    }
    await expect(store.createFromStream('a', generated(30 * mebibyte, { onPull }))).rejects.toThrow('the source failed')
    expect(ends).toEqual(['head', 'createMultipartUpload', 'uploadPart 1', 'abort'])
    expect(await leftovers()).toEqual([])
  })

  test('makes nothing when aborted before its claim, and is not stopped after it', async () => {
    for (const [method, isMade] of [
      ['uploadPart 2', false],
      ['put claim', true],
    ] as const) {
      const abort = new AbortController()
      const { store, leftovers } = stores(async (call, go) => {
        const done = await go()
        if (call.method === method) abort.abort(new Error('stopped'))
        return done
      })
      const created = store.createFromStream('a', generated(9 * mebibyte), { signal: abort.signal })
      if (isMade) expect(await created).toBe('created')
      else await expect(created).rejects.toThrow('stopped')
      expect(await store.head('a')).toEqual(isMade ? { bytes: 9 * mebibyte } : undefined)
      expect(await leftovers()).toEqual([])
    }
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
