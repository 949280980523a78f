import type { Config } from '../../config.ts'
import type { Deps } from '../../deps.ts'
import { findSession, sessionCookie } from './sessions.ts'
import { hashToken } from './token-hash.ts'

/** Who asks. */
export interface Principal {
  readonly name: string
  /** How they proved it. A browser sends a session along by itself, so what it asks for needs a look at where it comes from. */
  readonly via: 'token' | 'session'
}

/** `none`: the request has no credentials of this kind, the next authenticator is asked. `rejected`: it has, and they are wrong. */
export type Authentication =
  | { readonly kind: 'principal'; readonly principal: Principal }
  | { readonly kind: 'rejected'; readonly message: string }
  | { readonly kind: 'none' }

export type Authenticator = (request: Request) => Promise<Authentication>

type AuthenticationDeps = Pick<Deps, 'config' | 'records' | 'clock'>

/** In the order in which they are asked. OIDC and the identities of Kubernetes will join here. */
export function authenticators(deps: AuthenticationDeps): readonly Authenticator[] {
  return [bearerToken(deps), session(deps)]
}

export async function authenticate(request: Request, list: readonly Authenticator[]): Promise<Authentication> {
  for (const authenticator of list) {
    const answer = await authenticator(request)
    if (answer.kind !== 'none') return answer
  }
  return { kind: 'none' }
}

function bearerToken({ config }: AuthenticationDeps): Authenticator {
  return async (request) => {
    const header = request.headers.get('authorization')
    if (header === null) return { kind: 'none' }
    const [, token] = /^bearer +(\S{1,4096})$/i.exec(header.trim()) ?? []
    if (token === undefined) return { kind: 'rejected', message: 'The Authorization header is not of the form "Bearer TOKEN"' }
    const found = await findToken(config.principals, token)
    if (!found) return { kind: 'rejected', message: 'No principal has this token' }
    return { kind: 'principal', principal: { name: found.principal, via: 'token' } }
  }
}

function session(deps: AuthenticationDeps): Authenticator {
  return async (request) => {
    const cookie = cookieOf(request, sessionCookie(deps.config.publicUrl))
    if (cookie === undefined) return { kind: 'none' }
    const name = await findSession(cookie, deps)
    return name === undefined ? { kind: 'none' } : { kind: 'principal', principal: { name, via: 'session' } }
  }
}

export function cookieOf(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}

/**
 * The principal who has the token, and the configured hash of it. Takes the same time whichever it is, and if there is
 * none: the token is hashed once, and compared with every hash to the end.
 */
export async function findToken(
  principals: Config['principals'],
  token: string,
): Promise<{ readonly principal: string; readonly tokenHash: string } | undefined> {
  const presented = await hashToken(token)
  let found: { readonly principal: string; readonly tokenHash: string } | undefined
  for (const { name, tokenHashes } of principals) {
    for (const tokenHash of tokenHashes) if (equalInConstantTime(presented, tokenHash)) found = { principal: name, tokenHash }
  }
  return found
}

function equalInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}
