import { type Dispatcher, fetch } from 'undici'

/** What a request needs on its way to one API server. */
export interface Way {
  /** Its URL, which may have a path. */
  readonly server: string
  readonly headers: readonly (readonly [string, string])[]
  readonly dispatcher: Dispatcher
}

/**
 * Sends a request by undici. Redirects are not followed: credentials would go with them. Streams may be silent for as long as they
 * like, and HTTP/1 keeps one that is read slowly from holding up the others, as they would share an HTTP/2 connection.
 */
export async function dispatch(request: Request, body: Uint8Array | undefined, way: Way): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const headers = [...request.headers, ...way.headers] as [string, string][]
  const response = await fetch(`${way.server.replace(/\/+$/, '')}${pathname}${search}`, {
    method: request.method,
    headers,
    body: body ?? null,
    signal: request.signal,
    redirect: 'manual',
    dispatcher: way.dispatcher.compose(
      (next) => (options, handler) => next({ ...options, allowH2: false, headersTimeout: 0, bodyTimeout: 0 } as Dispatcher.DispatchOptions, handler),
    ),
  })
  // The same thing, though not of the same class as the one that Node brings.
  return response as unknown as Response
}

/** Keeps one dispatcher, and its connections, for as long as its options are the same; the one before finishes what it has begun. */
export function keptDispatcher<T>(make: (options: T) => Dispatcher): (options: T) => Dispatcher {
  let kept: { readonly key: string; readonly dispatcher: Dispatcher } | undefined
  return (options) => {
    const key = JSON.stringify(options)
    if (kept?.key === key) return kept.dispatcher
    void kept?.dispatcher.close().catch(() => undefined)
    kept = { key, dispatcher: make(options) }
    return kept.dispatcher
  }
}
