import type { Clock } from '../../deps.ts'
import type { Transport } from './cluster.ts'

export interface BearerOptions {
  /** The API server; a path in it stays before that of the request. */
  readonly url: string
  readonly token: string
  /** `namespace/name`: the token only asks for short-lived tokens of this service account. */
  readonly serviceAccount?: string
  readonly fetch: (request: Request) => Promise<Response>
  readonly clock: Pick<Clock, 'now'>
}

/** Reaches an API server with a bearer token, by a fetch that knows how to get there. */
export function bearerTransport({ url, token, fetch }: BearerOptions): Transport {
  return (request) => {
    const { pathname, search } = new URL(request.url)
    const asked = new Request(`${url.replace(/\/+$/, '')}${pathname}${search}`, request)
    asked.headers.set('authorization', `Bearer ${token}`)
    return fetch(asked)
  }
}
