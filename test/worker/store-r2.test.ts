import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { r2Store } from '../../src/ports/store/r2.ts'
import { s3Store } from '../../src/ports/store/s3.ts'
import { storeContract } from '../contract/store.ts'
import { watchedBucket } from './r2-bucket.ts'
import { failing, stores } from './r2-stores.ts'

const text = (body: string) => new TextEncoder().encode(body)

storeContract('r2', async () => {
  const prefix = `${crypto.randomUUID()}/`
  const { bucket, leftovers } = watchedBucket(env.BUCKET)
  return {
    store: r2Store({ bucket, prefix, clock: { sleep: async () => {} } }),
    leftovers: (folder) => leftovers(prefix + folder),
    dispose: async () => {},
  }
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
    const { store, bucket, methods } = stores()
    await store.check()
    await r2Store({ bucket, clock: { sleep: async () => {} } }).check()
    expect(methods().filter((method) => method === 'put' || method === 'delete')).toEqual(['put', 'delete'])
  })

  test('lists an object of the size of a claim as it is', async () => {
    const { store } = stores()
    await store.create('a', new Uint8Array(8_192))
    for await (const entry of store.list('')) expect(entry).toEqual({ key: 'a', bytes: 8_192 })
  })

  test('lists no folders of other tools', async () => {
    const { store, prefix } = stores()
    await env.BUCKET.put(`${prefix}folder/`, '')
    await store.create('folder/a', text('x'))
    for await (const entry of store.list('')) expect(entry).toEqual({ key: 'folder/a', bytes: 1 })
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
