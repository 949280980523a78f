import type { Deps } from '../deps.ts'
import { makeId } from '../diagnosis/accept/id.ts'
import { type Intake, parseRequest } from '../diagnosis/accept/request.ts'
import type { Principal } from '../diagnosis/admit/authenticate.ts'
import { admit, clustersOf } from '../diagnosis/admit/policy.ts'
import type { Diagnosis, DiagnosisRequest } from '../diagnosis/diagnosis.ts'
import { acceptAndStart } from '../start-diagnosis.ts'
import { readBody } from './body.ts'
import { Problem } from './problem.ts'

type IntakeDeps = Pick<Deps, 'config' | 'trackers' | 'redactor' | 'clock'>

/** Reads what is asked for and asks policy. Throws a {@link Problem}. */
export async function readAdmitted(request: Request, principal: Principal, deps: IntakeDeps): Promise<DiagnosisRequest> {
  const { config } = deps
  const clusters = Object.keys(config.clusters)
  const parsed = parseRequest(await readBody(request), {
    // Where there is one cluster only, it need not be named, and policy says whether it may be used.
    clusters: clusters.length === 1 ? clusters : clustersOf(config.policy, principal.name, clusters),
    extraChecks: config.diagnosis.extraChecks,
    toolsets: config.diagnosis.toolsets,
    trackers: deps.trackers,
    redactor: deps.redactor,
  })
  if (!parsed.ok) {
    const detail = parsed.errors.map(({ field, message }) => `${field}: ${message}`).join('; ')
    throw new Problem('invalid-request', detail, { errors: parsed.errors })
  }
  const verdict = admit(config.policy, principal.name, parsed.value)
  if (verdict.kind === 'denied') throw new Problem('forbidden', verdict.message)
  const now = deps.clock.now()
  return { id: makeId(now), createdAt: new Date(now).toISOString(), requester: principal.name, ...parsed.value }
}

/** Accepts and starts a diagnosis. With an Idempotency-Key that was used before, the same body gets its diagnosis again. */
export async function acceptDiagnosis(
  request: DiagnosisRequest,
  idempotencyKey: string | undefined,
  deps: Pick<Deps, 'records' | 'runs' | 'log'>,
): Promise<Diagnosis> {
  const idempotency =
    idempotencyKey === undefined ? undefined : { key: JSON.stringify([request.requester, idempotencyKey]), fingerprint: await fingerprintOf(request) }
  const accepted = await acceptAndStart(request, idempotency, deps)
  if (accepted.kind === 'conflict') {
    throw new Problem('idempotency-key-reused', `Idempotency-Key "${idempotencyKey}" was used with another body; send a new key for a new diagnosis`)
  }
  return accepted.diagnosis
}

/** https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ has a quoted string; a bare one is taken too. */
export function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const key = /^"(.*)"$/.exec(header.trim())?.[1] ?? header.trim()
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new Problem('malformed-request', `Idempotency-Key "${header.slice(0, 100)}" is not of 1 to 255 visible ASCII characters`)
}

/** Of what is asked for, not of how it was written: the order of JSON keys does not make another request. */
async function fingerprintOf({ cluster, target, container, profile, toolset, checks, report, reason, compare }: Intake): Promise<string> {
  const text = JSON.stringify([
    cluster,
    Object.entries(target).sort(),
    container,
    toolset === undefined ? profile : [profile, toolset],
    checks.map(({ name, param }) => [name, param]),
    report && [report.tracker, report.key],
    reason,
    ...(compare ? ['compare'] : []),
  ])
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
