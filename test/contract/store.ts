import { bytesToHex } from '@noble/hashes/utils.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../src/ports/store/store.ts'
import { generated, streamContract } from './store-streams.ts'

export interface StoreFixture {
  readonly store: Store
  /** Names of what was begun under a key's prefix and is neither whole nor removed. */
  leftovers(prefix: string): Promise<readonly string[]>
  dispose(): Promise<void>
}

const text = (body: string) => new TextEncoder().encode(body)
/** In the order of the bytes; two digits a byte keep that. */
const hex = (body: string) => bytesToHex(text(body))

/** What every implementation of Store must do. One store serves all tests; each has a prefix of its own. */
export function storeContract(name: string, make: () => Promise<StoreFixture>): void {
  describe(`Store: ${name}`, () => {
    let fixture: StoreFixture
    let store: Store
    let tests = 0
    beforeAll(async () => {
      fixture = await make()
      store = fixture.store
    })
    afterAll(() => fixture?.dispose())

    const folder = () => `t${++tests}/`
    const read = async (key: string) => {
      const object = await store.get(key)
      return object && (await new Response(object.body).text())
    }
    const entries = async (prefix: string, options: Parameters<Store['list']>[1] = {}) => {
      const found: { key: string; bytes: number }[] = []
      for await (const entry of store.list(prefix, options)) found.push(entry)
      return found
    }
    const keys = async (prefix: string, after?: string) => (await entries(prefix, after === undefined ? {} : { after })).map(({ key }) => key)
    const contentType = async (key: string) => {
      const object = await store.get(key)
      await object?.body.cancel()
      return object?.contentType
    }

    describe('create()', () => {
      test('stores bytes that get(), head() and list() give back', async () => {
        const prefix = folder()
        const key = `${prefix}a/log.txt`
        expect(await store.get(key)).toBeUndefined()
        expect(await store.head(key)).toBeUndefined()
        expect(await store.create(key, text('hello'), { contentType: 'text/plain; charset=utf-8' })).toBe('created')
        const object = await store.get(key)
        expect(object).toMatchObject({ bytes: 5, contentType: 'text/plain; charset=utf-8' })
        expect(await new Response(object?.body).text()).toBe('hello')
        expect(await store.head(key)).toEqual({ bytes: 5 })
        expect(await entries(prefix)).toEqual([{ key, bytes: 5 }])
      })

      test('meets what is there and leaves it as it is', async () => {
        const key = `${folder()}a`
        expect(await store.create(key, text('first'))).toBe('created')
        expect(await store.create(key, text('second'))).toBe('exists')
        expect(await store.createFromStream(key, generated(10))).toBe('exists')
        expect(await read(key)).toBe('first')
      })

      test('makes one object of many writes of one key at once', async () => {
        const key = `${folder()}deep/down/a`
        const results = await Promise.all(Array.from({ length: 12 }, (_, n) => store.create(key, text(`writer ${n}`))))
        expect(results.filter((result) => result === 'created')).toHaveLength(1)
        expect(await read(key)).toBe(`writer ${results.indexOf('created')}`)
      })

      test('takes the content type of the extension where none is given', async () => {
        const prefix = folder()
        await store.create(`${prefix}a.json`, text('{}'))
        await store.create(`${prefix}b.tar.gz`, text(''))
        await store.create(`${prefix}000001`, text(''))
        expect(await contentType(`${prefix}a.json`)).toBe('application/json')
        expect(await contentType(`${prefix}b.tar.gz`)).toBe('application/gzip')
        expect(await contentType(`${prefix}000001`)).toBe('application/octet-stream')
      })

      test('does nothing once aborted', async () => {
        const prefix = folder()
        const signal = AbortSignal.abort(new Error('stopped'))
        await expect(store.create(`${prefix}a`, text('x'), { signal })).rejects.toThrow('stopped')
        await expect(store.get(`${prefix}a`, { signal })).rejects.toThrow('stopped')
        expect(await keys(prefix)).toEqual([])
      })
    })

    test.each(['a b+c&d=e%2F#?.txt', 'größe/日本語/☃/🍌.txt', 'quotes\'"`$(x)/back\\slash', 'a..b/...c/.hidden'])(
      'stores under the key %j',
      async (tail) => {
        const prefix = folder()
        const key = prefix + tail
        expect(await store.create(key, text(tail))).toBe('created')
        expect(await store.create(key, text('other'))).toBe('exists')
        expect(await read(key)).toBe(tail)
        expect(await keys(prefix)).toEqual([key])
        await store.remove(key)
        expect(await store.head(key)).toBeUndefined()
      },
    )

    test.each(['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', './a', 'a/..', 'a\0b', 'a\nb', '\ud800', 'x'.repeat(256), 'xx/'.repeat(400)])(
      'refuses the key %j',
      async (key) => {
        const refusal = expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('Cannot use object key') })
        await expect(store.create(key, text('x'))).rejects.toEqual(refusal)
        await expect(store.createFromStream(key, generated(1))).rejects.toEqual(refusal)
        await expect(store.get(key)).rejects.toEqual(refusal)
        await expect(store.head(key)).rejects.toEqual(refusal)
        await expect(store.remove(key)).rejects.toEqual(refusal)
      },
    )

    test('has no object where other keys only go on', async () => {
      const prefix = folder()
      await store.create(`${prefix}a/b`, text('x'))
      expect(await store.get(`${prefix}a`)).toBeUndefined()
      expect(await store.head(`${prefix}a`)).toBeUndefined()
      expect(await store.get(`${prefix}a/b/c`)).toBeUndefined()
    })

    streamContract(() => fixture, folder)

    describe('list()', () => {
      test('gives keys in the order of their bytes', async () => {
        const prefix = folder()
        const tails = ['a', 'a!', 'a-b/x', 'a.b', 'a0', 'aa/z', 'b/a/1', 'b/a-1', 'b/a0', 'B', 'é', 'ｚ', '🍌']
        for (const tail of tails.toReversed()) await store.create(prefix + tail, text(tail))
        const expected = tails.map((tail) => prefix + tail).sort((a, b) => (hex(a) < hex(b) ? -1 : 1))
        expect(await keys(prefix)).toEqual(expected)
        for (const [n, after] of expected.entries()) expect(await keys(prefix, after)).toEqual(expected.slice(n + 1))
        expect(await keys(prefix, `${prefix}b/`)).toEqual(expected.slice(expected.indexOf(`${prefix}b/a-1`)))
        expect(await keys(`${prefix}a`)).toEqual(expected.filter((key) => key.startsWith(`${prefix}a`)))
        expect(await keys(`${prefix}b/a`)).toEqual(['b/a-1', 'b/a/1', 'b/a0'].map((tail) => prefix + tail))
        expect(await keys(`${prefix}nothing`)).toEqual([])
      })

      test('goes on after a thousand', async () => {
        const prefix = folder()
        const all = Array.from({ length: 1_203 }, (_, n) => `${prefix}${String(n + 1).padStart(6, '0')}`)
        for (let n = 0; n < all.length; n += 20) await Promise.all(all.slice(n, n + 20).map((key) => store.create(key, text('x'))))
        expect(await keys(prefix)).toEqual(all)
        expect(await keys(prefix, all[1_100])).toEqual(all.slice(1_101))
      })

      test('can be left early, aborted, and refuses a prefix that leaves the store', async () => {
        const prefix = folder()
        await store.create(`${prefix}a`, text('x'))
        await store.create(`${prefix}b`, text('x'))
        for await (const { key } of store.list(prefix)) {
          expect(key).toBe(`${prefix}a`)
          break
        }
        await expect(entries(prefix, { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped')
        expect(() => store.list('../')).toThrow('Cannot use object key')
      })
    })

    test('remove() takes away one object and its name is free again', async () => {
      const prefix = folder()
      await store.create(`${prefix}x/a`, text('1'))
      await store.create(`${prefix}x/b`, text('1'))
      await store.remove(`${prefix}x/a`)
      await store.remove(`${prefix}x/a`)
      await store.remove(`${prefix}none/at/all`)
      expect(await keys(prefix)).toEqual([`${prefix}x/b`])
      expect(await store.create(`${prefix}x/a`, text('2'))).toBe('created')
      expect(await read(`${prefix}x/a`)).toBe('2')
    })

    test('remove() and create() at once lose nothing that was created', async () => {
      const prefix = folder()
      await store.create(`${prefix}x/0`, text('0'))
      for (let n = 1; n <= 20; n++) {
        const [, created] = await Promise.all([store.remove(`${prefix}x/${n - 1}`), store.create(`${prefix}x/${n}`, text('x'))])
        expect(created).toBe('created')
        expect(await keys(prefix)).toEqual([`${prefix}x/${n}`])
      }
    })

    test('check() passes, more than once, and leaves nothing', async () => {
      await store.check()
      await store.check()
      await expect(store.check(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
      expect(await keys('check-')).toEqual([])
    })
  })
}
