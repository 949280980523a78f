import { endedBy, orAborted } from './aborted.ts'
import { AnswerTooLong, boundedText } from './bounded-text.ts'
import { ClusterForbidden, ClusterUnavailable, type Raw, type Transport } from './cluster.ts'

/** The host of a request; a {@link Transport} replaces it. */
export const anyHost = 'https://kubernetes.default.svc'

/** What an API server says when it does not do what was asked: the part of `v1.Status` that we read. */
export interface Status {
  readonly code: number
  readonly reason?: string
  readonly message: string
  readonly details?: {
    readonly name?: string
    readonly kind?: string
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
  }
}

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly status: Status }

/**
 * Asks one API server. Refusals are values; {@link ClusterUnavailable} is thrown where the same call may succeed later: nobody
 * answers, 401 (tokens rotate), 429 and 5xx. What the caller aborts rejects with the reason of its signal.
 */
export class ApiClient {
  readonly #cluster: string
  readonly #transport: Transport
  readonly #timeoutMs: number

  /** `timeoutMs` bounds all but streams. */
  constructor(cluster: string, transport: Transport, timeoutMs: number) {
    this.#cluster = cluster
    this.#transport = transport
    this.#timeoutMs = timeoutMs
  }

  get(doing: string, path: string, signal: AbortSignal): Promise<Answer<Raw>> {
    return this.json(doing, new Request(anyHost + path, { headers: { accept: 'application/json' } }), signal)
  }

  json(doing: string, request: Request, signal: AbortSignal): Promise<Answer<Raw>> {
    return this.read(doing, request, signal, async (response) => JSON.parse(await boundedText(response)) as Raw)
  }

  /** Sends and reads the whole body within the time limit. */
  async read<T>(doing: string, request: Request, signal: AbortSignal, read: (response: Response) => Promise<T>): Promise<Answer<T>> {
    try {
      return await this.#inTime(signal, async (both) => {
        const response = await this.#ask(doing, request, both)
        return response.ok
          ? { ok: true, value: await orAborted(read(response), both) }
          : { ok: false, status: await this.#status(doing, response, both) }
      })
    } catch (error) {
      throw this.#failure(doing, error, signal)
    }
  }

  /** Opens a stream: no time limit, neither until it begins (a log that is still empty) nor while it lasts. One that is refused has it. */
  async open(doing: string, path: string, signal: AbortSignal): Promise<Answer<ReadableStream<Uint8Array>>> {
    try {
      const response = await this.#ask(doing, new Request(anyHost + path), signal)
      if (!response.ok) return { ok: false, status: await this.#status(doing, response, signal) }
      return { ok: true, value: response.body ? endedBy(signal, response.body) : new Blob([]).stream() }
    } catch (error) {
      throw this.#failure(doing, error, signal)
    }
  }

  async #ask(doing: string, request: Request, signal: AbortSignal): Promise<Response> {
    const response = await this.#send(request.clone(), signal)
    if (response.status !== 403) return response
    const text = await this.#text(response, signal)
    if (!lacksRight(text)) return new Response(text, { status: 403 })
    // An API server that is starting does not know its roles yet, and forbids everything.
    if (!(await this.#isReady(signal)))
      throw new ClusterUnavailable(`Cannot ${doing}: the API server of cluster "${this.#cluster}" is still starting`)
    return this.#send(request, signal)
  }

  #send(request: Request, signal: AbortSignal): Promise<Response> {
    return orAborted(this.#transport(new Request(request, { signal })), signal, (late) => void late.body?.cancel().catch(() => undefined))
  }

  #isReady(signal: AbortSignal): Promise<boolean> {
    return this.#inTime(signal, async (both) => {
      const response = await this.#send(new Request(`${anyHost}/readyz`), both)
      void response.body?.cancel().catch(() => undefined)
      return response.status < 500
    })
  }

  /** The body of a refusal, which is short: within the time limit, also where a stream was asked for. */
  #text({ body }: Response, signal: AbortSignal): Promise<string> {
    return this.#inTime(signal, async (both) => (body ? boundedText(new Response(endedBy(both, body))) : ''))
  }

  async #inTime<T>(signal: AbortSignal, work: (both: AbortSignal) => Promise<T>): Promise<T> {
    const limit = AbortSignal.timeout(this.#timeoutMs)
    try {
      return await work(AbortSignal.any([signal, limit]))
    } catch (error) {
      throw limit.aborted && !signal.aborted && !(error instanceof ClusterUnavailable)
        ? new Error(`no answer within ${this.#timeoutMs / 1000} s`)
        : error
    }
  }

  async #status(doing: string, response: Response, signal: AbortSignal): Promise<Status> {
    const status = parseStatus(await this.#text(response, signal), response.status)
    const { code, message } = status
    if (code === 401)
      throw new ClusterUnavailable(`Cannot ${doing}: the API server of cluster "${this.#cluster}" does not accept our credentials (401 ${message})`)
    if (code === 429 || code >= 500)
      throw new ClusterUnavailable(`Cannot ${doing}: the API server of cluster "${this.#cluster}" answers ${code}: ${message}`)
    return status
  }

  #failure(doing: string, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason
    if (error instanceof ClusterUnavailable) return error
    if (error instanceof AnswerTooLong) return new Error(`Cannot ${doing}: cluster "${this.#cluster}": ${error.message}`, { cause: error })
    return new ClusterUnavailable(`Cannot ${doing}: cannot reach the API server of cluster "${this.#cluster}": ${deepest(error)}`, { cause: error })
  }
}

/** What is left of the refusals when the caller has looked for those that it expects. */
export function refusal(doing: string, { code, message }: Status): Error {
  if (code === 403) return new ClusterForbidden(`Cannot ${doing}: ${message}`)
  return new Error(`Cannot ${doing}: the API server answers ${code}: ${message}`)
}

/** The words of the RBAC authorizer. Source: https://github.com/kubernetes/kubernetes/blob/v1.34.4/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go */
export function lacksRight(message: string): boolean {
  return /User \\?".*" cannot \w+ (resource|path) /.test(message)
}

function parseStatus(text: string, code: number): Status {
  try {
    const { message, reason, details } = JSON.parse(text) as Partial<Status>
    if (typeof message === 'string') return { code, message, ...(reason ? { reason } : {}), ...(details ? { details } : {}) }
  } catch {
    // No Status: what a proxy before the API server says.
  }
  const words = text.replace(/\s+/g, ' ').trim()
  return { code, message: words === '' ? 'nothing' : words.slice(0, 300) }
}

/** `fetch failed` says nothing: the cause of the causes does. */
function deepest(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return deepest(error.cause)
  return error.message || error.name
}
