import type { Clock } from '../../deps.ts'
import { boundedText } from './bounded-text.ts'
import { tokenRequest } from './typed-api.ts'

/** A token of a service account, and when, by this service's clock, another one is asked for. Plain data: it may outlive the request that got it. */
export interface ServiceAccountToken {
  readonly token: string
  readonly renewAt: number
}

export interface ServiceAccountTokensOptions {
  /** The cluster's name in the configuration, for messages. */
  readonly name: string
  readonly namespace: string
  readonly account: string
  /** Sends a TokenRequest as whoever may make one. */
  readonly ask: (request: Request, signal: AbortSignal) => Promise<Response>
  /** Where tokens are kept, and under which key. */
  readonly tokens: Map<string, ServiceAccountToken>
  readonly key: string
  readonly clock: Pick<Clock, 'now'>
}

/** How long a token is asked for; the server may give it another life. Ten minutes are the least that it gives. */
const expirationSeconds = 3600
/** As the kubelet does: https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken */
const usedShare = 0.8

/**
 * Short-lived tokens of one service account, by TokenRequest. Promises are never shared, for Workers let no request wait for
 * another's: two that need a token at once ask for one each.
 */
export class ServiceAccountTokens {
  readonly #options: ServiceAccountTokensOptions

  constructor(options: ServiceAccountTokensOptions) {
    this.#options = options
  }

  /**
   * The token that is there, or a new one once 80 % of its life are over; else what hinders it, as an answer of the API server that
   * tells what to do: 401, 429 and 5xx as they are, and anything else as 403, since to those who wait for another answer a 404 would
   * mean that their pod is gone.
   */
  async get(signal: AbortSignal): Promise<string | Response> {
    const { tokens, key, clock } = this.#options
    const held = tokens.get(key)
    if (held && clock.now() < held.renewAt) return held.token
    const made = await this.#make(signal)
    if (made instanceof Response) return made
    tokens.set(key, made)
    return made.token
  }

  /** For a token that was not accepted: it is not given again. */
  drop(token: string): void {
    const { tokens, key } = this.#options
    if (tokens.get(key)?.token === token) tokens.delete(key)
  }

  async #make(signal: AbortSignal): Promise<ServiceAccountToken | Response> {
    const { namespace, account, ask, clock } = this.#options
    const began = clock.now()
    const response = await ask(await tokenRequest(namespace, account, expirationSeconds), signal)
    const text = await boundedText(response)
    if (!response.ok) return this.#refusal(response.status, messageOf(text))
    const { token, expirationTimestamp } = statusOf(text)
    const expiresAt = Date.parse(String(expirationTimestamp))
    if (typeof token !== 'string' || token === '' || Number.isNaN(expiresAt)) return this.#refusal(502, 'the answer holds no token')
    // By the server's own clock where it tells it: ours may be wrong.
    const givenAt = Date.parse(response.headers.get('date') ?? '')
    return { token, renewAt: began + usedShare * (expiresAt - (Number.isNaN(givenAt) ? began : givenAt)) }
  }

  #refusal(code: number, said: string): Response {
    const { name, namespace, account } = this.#options
    const of = `service account "${namespace}/${account}"`
    const message = {
      401: `clusters.${name}.token, which asks for tokens of ${of}, is not accepted: ${said}`,
      403: `clusters.${name}.token may not ask for tokens of ${of}; apply infra/kubernetes/external, whose Role allows it: ${said}`,
      404: `there is no ${of} at clusters.${name}.url; apply infra/kubernetes/external, or correct clusters.${name}.serviceAccount: ${said}`,
    }[code]
    const status = code === 401 || code === 429 || code >= 500 ? code : 403
    const words = message ?? `asked for a token of ${of}, the API server answers ${code}: ${said}`
    return Response.json({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: words, code: status }, { status })
  }
}

function statusOf(text: string): { readonly token?: unknown; readonly expirationTimestamp?: unknown } {
  return (parsed(text).status as object | undefined) ?? {}
}

function messageOf(text: string): string {
  const { message } = parsed(text)
  if (typeof message === 'string') return message
  return text.replace(/\s+/g, ' ').trim().slice(0, 300) || 'nothing'
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    // What a proxy before the API server says.
    return {}
  }
}
