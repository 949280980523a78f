import { bytesToHex } from '@noble/hashes/utils.js'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../src/ports/store/store.ts'
import type { StoreFixture } from './store.ts'

const mebibyte = 1024 * 1024
const text = (body: string) => new TextEncoder().encode(body)

/** `bytes` that depend on their place and the seed, in chunks of odd sizes; `onPull` is called before each chunk. */
export function generated(bytes: number, { seed = 0, onPull = (_sent: number) => {} } = {}): ReadableStream<Uint8Array> {
  let sent = 0
  return new ReadableStream(
    {
      pull(controller) {
        onPull(sent)
        if (sent >= bytes) return controller.close()
        const chunk = new Uint8Array(Math.min(300_007, bytes - sent))
        const words = new Uint32Array(chunk.buffer, 0, chunk.byteLength >> 2)
        for (let n = 0; n < words.length; n++) words[n] = Math.imul(sent + n + seed, 2_654_435_761)
        sent += chunk.byteLength
        controller.enqueue(chunk)
      },
    },
    { highWaterMark: 0 },
  )
}

export async function digest(stream: ReadableStream<Uint8Array>): Promise<{ bytes: number; sha256: string }> {
  const all = await new Response(stream).arrayBuffer()
  const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', all))
  return { bytes: all.byteLength, sha256: bytesToHex(sha256) }
}

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

/** The part of the contract that is about streams. `folder` gives a prefix that nobody else has. */
export function streamContract(fixtureOf: () => StoreFixture, folder: () => string): void {
  let fixture: StoreFixture
  let store: Store
  beforeAll(() => {
    fixture = fixtureOf()
    store = fixture.store
  })
  const keys = async (prefix: string) => {
    const found: string[] = []
    for await (const { key } of store.list(prefix)) found.push(key)
    return found
  }

  describe('createFromStream()', () => {
    test.each([0, 1, 8 * mebibyte - 1, 8 * mebibyte, 8 * mebibyte + 1, 17 * mebibyte])('stores %i bytes', async (bytes) => {
      const prefix = folder()
      const key = `${prefix}big.tar.gz`
      expect(await store.createFromStream(key, generated(bytes), { contentType: 'application/gzip' })).toBe('created')
      expect(await store.head(key)).toEqual({ bytes })
      const object = await store.get(key)
      if (!object) throw new Error('no object')
      expect(object).toMatchObject({ bytes, contentType: 'application/gzip' })
      expect(await digest(object.body)).toEqual(await digest(generated(bytes)))
      expect(await fixture.leftovers(prefix)).toEqual([])
    })

    test('takes a chunk of several parts, and empty chunks', async () => {
      const key = `${folder()}a`
      const chunks = [new Uint8Array(0), new Uint8Array(17 * mebibyte).fill(7), new Uint8Array(0), text('end')]
      expect(await store.createFromStream(key, streamOf(chunks))).toBe('created')
      const object = await store.get(key)
      if (!object) throw new Error('no object')
      expect(await digest(object.body)).toEqual(await digest(streamOf(chunks)))
    })

    test('lets the first complete one of two win, whole', async () => {
      const prefix = folder()
      const key = `${prefix}a`
      const sizes = [18 * mebibyte, 17 * mebibyte, 3]
      const results = await Promise.all(sizes.map((bytes, seed) => store.createFromStream(key, generated(bytes, { seed }))))
      expect(results.filter((result) => result === 'created')).toHaveLength(1)
      const winner = results.indexOf('created')
      const object = await store.get(key)
      if (!object) throw new Error('no object')
      expect(await digest(object.body)).toEqual(await digest(generated(sizes[winner] ?? -1, { seed: winner })))
      expect(await fixture.leftovers(prefix)).toEqual([])
    })

    test('shows nothing before the end', async () => {
      const prefix = folder()
      const seen: unknown[] = []
      let looked = Promise.resolve()
      const onPull = (sent: number) => {
        if (sent > 9 * mebibyte && seen.length === 0) {
          seen.push('looked')
          looked = store.head(`${prefix}a`).then(async (head) => void seen.push(head, await keys(prefix)))
        }
      }
      const stream = generated(18 * mebibyte, { onPull })
      const slow = stream.pipeThrough(
        new TransformStream({
          async transform(chunk, controller) {
            await looked
            controller.enqueue(chunk)
          },
        }),
      )
      expect(await store.createFromStream(`${prefix}a`, slow)).toBe('created')
      expect(seen).toEqual(['looked', undefined, []])
    })

    test.each([1, 3 * mebibyte, 20 * mebibyte])('leaves nothing behind when the stream fails after %i bytes', async (bytes) => {
      const prefix = folder()
      const onPull = (sent: number) => {
        if (sent >= bytes) throw new RangeError('the source failed')
      }
      const failing = store.createFromStream(`${prefix}a`, generated(30 * mebibyte, { onPull }))
      await expect(failing).rejects.toThrow(new RangeError('the source failed'))
      expect(await store.head(`${prefix}a`)).toBeUndefined()
      expect(await keys(prefix)).toEqual([])
      expect(await fixture.leftovers(prefix)).toEqual([])
    })

    test.each([1, 20 * mebibyte])('leaves nothing behind when aborted after %i bytes, and cancels the stream', async (bytes) => {
      const prefix = folder()
      const abort = new AbortController()
      let cancelled: unknown
      const source = generated(bytes).getReader()
      const stream = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const { value } = await source.read()
            if (value) return controller.enqueue(value)
            // No more comes, and no end.
            abort.abort(new Error('stopped'))
            await new Promise(() => {})
          },
          cancel(reason) {
            cancelled = reason
          },
        },
        { highWaterMark: 0 },
      )
      await expect(store.createFromStream(`${prefix}a`, stream, { signal: abort.signal })).rejects.toThrow('stopped')
      expect(cancelled).toEqual(new Error('stopped'))
      expect(await keys(prefix)).toEqual([])
      expect(await fixture.leftovers(prefix)).toEqual([])
      expect(await store.createFromStream(`${prefix}a`, generated(3))).toBe('created')
    })
  })

  describe('get()', () => {
    test('can be left before its end', async () => {
      const key = `${folder()}a`
      await store.createFromStream(key, generated(9 * mebibyte))
      for (let n = 0; n < 60; n++) {
        const object = await store.get(key)
        const reader = object?.body.getReader()
        expect((await reader?.read())?.value?.byteLength).toBeGreaterThan(0)
        await reader?.cancel()
      }
    })

    test('stops when aborted', async () => {
      const key = `${folder()}a`
      await store.createFromStream(key, generated(9 * mebibyte))
      const abort = new AbortController()
      const object = await store.get(key, { signal: abort.signal })
      const reader = object?.body.getReader()
      await reader?.read()
      abort.abort(new Error('stopped'))
      const drain = async () => {
        while (!(await reader?.read())?.done);
      }
      await expect(drain()).rejects.toThrow('stopped')
    })
  })
}
