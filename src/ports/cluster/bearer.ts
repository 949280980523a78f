import type { Clock } from '../../deps.ts'
import type { Transport } from './cluster.ts'
import { type ServiceAccountToken, ServiceAccountTokens } from './service-account-tokens.ts'

export interface BearerOptions {
  /** The cluster's name in the configuration, for messages. */
  readonly name: string
  /** The API server; a path in it stays before that of the request. */
  readonly url: string
  /** White space around it is dropped: files and secrets end in a newline. */
  readonly token: string
  /** `namespace/name`: the token only asks for short-lived tokens of this service account. */
  readonly serviceAccount?: string | undefined
  /** Where such tokens are kept. Default: a map of this transport's own. Where a transport lives for one request only, its host keeps one. */
  readonly tokens?: Map<string, ServiceAccountToken>
  readonly fetch: (request: Request) => Promise<Response>
  readonly clock: Pick<Clock, 'now'>
}

/**
 * Reaches an API server with a bearer token, by a fetch that knows how to get there. Redirects are not followed: the token would go
 * with them. With `serviceAccount`, what carries out the request is a token of that account, asked for by TokenRequest and used for
 * 80 % of its life; if it is not accepted, the request is sent once more with a new one, and if none can be had, the answer tells
 * why. Throws an error that names the key for a URL or token that cannot be one.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
 */
export function bearerTransport({ name, url, token, serviceAccount, tokens = new Map(), fetch, clock }: BearerOptions): Transport {
  const server = serverOf(name, url)
  const configured = tokenOf(name, token)
  const send = (request: Request, body: ArrayBuffer | null, bearer: string, signal: AbortSignal): Promise<Response> => {
    const { pathname, search } = new URL(request.url)
    const headers = new Headers(request.headers)
    headers.set('authorization', `Bearer ${bearer}`)
    return fetch(new Request(`${server}${pathname}${search}`, { method: request.method, headers, body, signal, redirect: 'manual' }))
  }
  if (serviceAccount === undefined) return async (request) => send(request, await bodyOf(request), configured, request.signal)

  const shortLived = new ServiceAccountTokens({
    name,
    ...accountOf(name, serviceAccount),
    ask: async (request, signal) => send(request, await bodyOf(request), configured, signal),
    tokens,
    key: `${name} ${server} ${serviceAccount}`,
    clock,
  })
  return async (request) => {
    const { signal } = request
    const body = await bodyOf(request)
    const used = await shortLived.get(signal)
    // An API server that is starting refuses tokens, too: whether it is, is asked with what there is.
    if (used instanceof Response) return new URL(request.url).pathname === '/readyz' ? send(request, body, configured, signal) : used
    const response = await send(request, body, used, signal)
    if (response.status !== 401) return response
    shortLived.drop(used)
    await response.body?.cancel()
    const renewed = await shortLived.get(signal)
    return renewed instanceof Response ? renewed : send(request, body, renewed, signal)
  }
}

/** Whole: those that we send are short, and can be sent again like this. */
async function bodyOf(request: Request): Promise<ArrayBuffer | null> {
  return request.body ? request.arrayBuffer() : null
}

function serverOf(name: string, url: string): string {
  const { protocol, hostname, origin, pathname, username, password, search, hash } = new URL(url)
  const wrong = (what: string) => new Error(`clusters.${name}.url ${what}`)
  // It is not quoted here: what is wrong with it may be a password.
  if (username || password || search || hash) throw wrong('has a user, a query or a fragment: give scheme, host, port and path alone')
  if (protocol !== 'https:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
    throw wrong(`"${url}" is plain HTTP, over which tokens are not sent: use https`)
  return origin + pathname.replace(/\/+$/, '')
}

function tokenOf(name: string, text: string): string {
  const token = text.trim()
  if (token === '') throw new Error(`clusters.${name}.token is empty: set the secret to the token`)
  // Printable ASCII without spaces, which is wider than RFC 6750 and what a header takes.
  if (!/^[!-~]+$/.test(token))
    throw new Error(`clusters.${name}.token is no bearer token: it has several lines or words; set the secret to the token alone`)
  return token
}

function accountOf(name: string, serviceAccount: string): { readonly namespace: string; readonly account: string } {
  const [namespace, account, ...more] = serviceAccount.split('/')
  if (!namespace || !account || more.length > 0)
    throw new Error(`clusters.${name}.serviceAccount "${serviceAccount}" is no service account: expected namespace/name`)
  return { namespace, account }
}
