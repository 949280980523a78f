import type { Deps } from '../deps.ts'
import { type Authentication, type Authenticator, authenticate, type Principal } from '../diagnosis/admit/authenticate.ts'
import { maySee } from '../diagnosis/admit/policy.ts'
import type { Diagnosis } from '../diagnosis/diagnosis.ts'
import { Problem } from './problem.ts'

/** Who asks. Throws a {@link Problem}: 401 without valid credentials, 403 for a session that another site makes use of. */
export async function requirePrincipal(request: Request, list: readonly Authenticator[], publicUrl: string): Promise<Principal> {
  const answer = await authenticate(request, list)
  if (answer.kind !== 'principal') throw unauthorized(answer)
  if (answer.principal.via === 'session') requireSameSite(request, publicUrl)
  return answer.principal
}

/** https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function unauthorized(answer: Exclude<Authentication, { kind: 'principal' }>): Problem {
  const detail = answer.kind === 'rejected' ? answer.message : 'The request has no credentials; send "Authorization: Bearer TOKEN"'
  const challenge = `Bearer realm="autodiagnose"${answer.kind === 'rejected' ? ', error="invalid_token"' : ''}`
  return new Problem('unauthorized', detail, { headers: { 'www-authenticate': challenge } })
}

/**
 * A browser sends its session along whatever page makes it send a request. What changes anything must come from our own
 * pages: browsers say so in Sec-Fetch-Site, or in Origin, which is compared with this service's address.
 */
export function requireSameSite(request: Request, publicUrl: string): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const site = request.headers.get('sec-fetch-site')
  const origin = request.headers.get('origin')
  if (site === 'same-origin') return
  // Behind a proxy that ends TLS only the host is ours to see.
  const own = [new URL(publicUrl).host, new URL(request.url).host]
  if (site === null && origin !== null && own.includes(URL.parse(origin)?.host ?? '')) return
  throw new Problem('cross-site', 'A browser sent this with your session from a page of another site; nothing was done')
}

/** The diagnosis, if there is one that the caller may see. Throws the same {@link Problem} if there is none and if it is not theirs to see. */
export async function findVisible(id: string, principal: Principal, deps: Pick<Deps, 'config' | 'records'>): Promise<Diagnosis> {
  const diagnosis = await deps.records.get(id)
  if (diagnosis && maySee(deps.config.policy, principal.name, diagnosis)) return diagnosis
  throw new Problem('not-found', `There is no diagnosis "${id.slice(0, 100)}" that you may see`)
}
