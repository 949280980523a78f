/** Object storage: what a diagnosis leaves behind. Implementations: files, s3, r2. One contract suite runs against each. */
export interface Store {
  /**
   * Creates an object in one write, or finds that it is there already (`If-None-Match: *`, exclusive create).
   * An object once created is never rewritten; it becomes visible whole or not at all.
   */
  create(key: string, body: Uint8Array, options?: PutOptions): Promise<Created>
  /**
   * Creates an object of unknown length from a stream, in bounded memory; visible only when whole, the first complete one
   * wins. Leaves nothing behind when the stream fails or `signal` aborts.
   */
  createFromStream(key: string, body: ReadableStream<Uint8Array>, options?: PutOptions): Promise<Created>
  /** The object, or undefined if there is none. The caller reads or cancels the body. */
  get(key: string, options?: { readonly signal?: AbortSignal }): Promise<StoredObject | undefined>
  /** Size in bytes, or undefined if there is none. */
  head(key: string, options?: { readonly signal?: AbortSignal }): Promise<{ readonly bytes: number } | undefined>
  /** Keys with the prefix in ascending order of their UTF-8 bytes, `after` excluded. */
  list(
    prefix: string,
    options?: { readonly after?: string; readonly signal?: AbortSignal },
  ): AsyncIterable<{ readonly key: string; readonly bytes: number }>
  /** Removes one object; nothing happens if it is not there. */
  remove(key: string): Promise<void>
  /** A URL that works without credentials until it expires; undefined where the store has none (files). */
  downloadUrl(key: string, options: { readonly filename: string; readonly expiresSeconds: number }): Promise<string | undefined>
  /** Throws {@link StoreUnavailable} when the store cannot be used now. */
  check(signal?: AbortSignal): Promise<void>
}

/** Whether this call made the object, or met one. */
export type Created = 'created' | 'exists'

export interface PutOptions {
  readonly contentType?: string
  readonly signal?: AbortSignal
}

export interface StoredObject {
  readonly bytes: number
  readonly contentType: string
  readonly body: ReadableStream<Uint8Array>
}

/** The store did not do it this time; the same call may succeed later. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}
