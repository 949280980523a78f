import type { Transport } from '../../src/ports/cluster/cluster.ts'
import type { Records } from '../../src/ports/records/records.ts'
import type { Store } from '../../src/ports/store/store.ts'
import type { Tracker } from '../../src/ports/tracker/tracker.ts'

/** What a host of Workers would count: calls by step and by kind, and how many connections are open at the same time. */
export class Counter {
  /** Name of the step under way. */
  step = 'before'
  /** `step kind` → how often. */
  readonly calls = new Map<string, number>()
  /** `step` → most connections open at the same time. */
  readonly most = new Map<string, number>()
  readonly #open = new Map<string, number>()

  /** Opens a connection; what is returned closes it, once. */
  opened(kind: string): () => void {
    const { step } = this
    this.calls.set(`${step} ${kind}`, (this.calls.get(`${step} ${kind}`) ?? 0) + 1)
    this.#change(step, 1)
    let isOpen = true
    return () => {
      if (isOpen) this.#change(step, -1)
      isOpen = false
    }
  }

  async during<T>(kind: string, work: () => Promise<T>): Promise<T> {
    const close = this.opened(kind)
    try {
      return await work()
    } finally {
      close()
    }
  }

  /** How often kinds that begin so were called, in steps that begin so. */
  sum(kind: string, step = ''): number {
    let sum = 0
    for (const [key, count] of this.calls) {
      const at = key.indexOf(' ')
      if (key.startsWith(step) && key.slice(at + 1).startsWith(kind)) sum += count
    }
    return sum
  }

  /** Connections that nobody closed. */
  get left(): number {
    return [...this.#open.values()].reduce((sum, open) => sum + open, 0)
  }

  #change(step: string, by: number): void {
    const open = (this.#open.get(step) ?? 0) + by
    this.#open.set(step, open)
    this.most.set(step, Math.max(this.most.get(step) ?? 0, open))
  }
}

/** A body is open until it is read to its end, or cancelled. */
function counted(body: ReadableStream<Uint8Array>, close: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          close()
          controller.close()
        } catch (error) {
          close()
          controller.error(error)
        }
      },
      cancel(reason) {
        close()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

export function countingTransport(transport: Transport, counter: Counter): Transport {
  return async (request) => {
    const close = counter.opened(`cluster ${request.method}`)
    try {
      const response = await transport(request)
      if (response.body) return new Response(counted(response.body, close), response)
      close()
      return response
    } catch (error) {
      close()
      throw error
    }
  }
}

export function countingStore(store: Store, counter: Counter): Store {
  return {
    create: (key, body, options) => counter.during('store create', () => store.create(key, body, options)),
    createFromStream: (key, body, options) => counter.during('store upload', () => store.createFromStream(key, body, options)),
    async get(key, options) {
      const close = counter.opened('store get')
      const object = await store.get(key, options)
      if (!object) close()
      return object && { ...object, body: counted(object.body, close) }
    },
    head: (key, options) => counter.during('store head', () => store.head(key, options)),
    async *list(prefix, options) {
      counter.opened('store list')()
      yield* store.list(prefix, options)
    },
    remove: (key) => counter.during('store remove', () => store.remove(key)),
    downloadUrl: (key, options) => store.downloadUrl(key, options),
    check: (signal) => counter.during('store check', () => store.check(signal)),
  }
}

/** Every call is one statement at least; `changeValue` is two. */
export function countingRecords(records: Records, counter: Counter): Records {
  return new Proxy(records, {
    get(target, name: string & keyof Records) {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>
      return (...args: unknown[]) => {
        if (name === 'changeValue') counter.opened('records read')()
        return counter.during(`records ${name}`, () => method.apply(target, args))
      }
    },
  })
}

export function countingTracker(tracker: Tracker, counter: Counter): Tracker {
  return { ...tracker, writeNote: (...args) => counter.during('tracker', () => tracker.writeNote(...args)) }
}

/** Bytes of a step's result, in the dearest of the forms in which an engine may keep it: UTF-8, UTF-16, and JSON in JSON. */
export function resultBytes(result: unknown): number {
  const json = JSON.stringify(result) ?? 'null'
  const utf16 = /[^\0-\xff]/.test(json) ? 2 * json.length : json.length
  return Math.max(new TextEncoder().encode(json).length, utf16, JSON.stringify(json).length)
}
