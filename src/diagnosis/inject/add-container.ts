import type { Cluster } from '../../ports/cluster/cluster.ts'
import type { Refusal } from '../diagnosis.ts'
import type { Gathered } from '../gathered.ts'
import type { Candidate } from './plan-container.ts'

export type Admitted = { readonly kind: 'admitted'; readonly candidate: Candidate } | { readonly kind: 'refused'; readonly refusal: Refusal }

/**
 * Asks the API server by dry run which form it would take: pod security and every other admission answer as they will.
 * Where nothing is admitted, the refusal of the best form is told.
 */
export async function tryCandidates(
  candidates: readonly Candidate[],
  gathered: Gathered,
  cluster: Pick<Cluster, 'addEphemeralContainer'>,
  signal: AbortSignal,
): Promise<Admitted> {
  const { podRef, uid } = gathered
  if (!podRef || uid === undefined) throw new TypeError('Cannot inject without a pod')
  let first: Refusal | undefined
  for (const candidate of candidates) {
    const answer = await cluster.addEphemeralContainer(podRef, uid, candidate.spec, { dryRun: true }, signal)
    if (answer.kind === 'added') return { kind: 'admitted', candidate }
    first ??= { code: answer.code, message: answer.message }
    // Another form helps against pod security alone.
    if (answer.code !== 'pod-security') break
  }
  return { kind: 'refused', refusal: first ?? { code: 'invalid', message: 'No form of the container was to be tried' } }
}

/** Sends the persisted spec. The same again is no change, and a replaced pod is refused by the API server itself. */
export async function addContainer(
  candidate: Candidate,
  gathered: Gathered,
  cluster: Pick<Cluster, 'addEphemeralContainer'>,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  const { podRef, uid } = gathered
  if (!podRef || uid === undefined) throw new TypeError('Cannot inject without a pod')
  const answer = await cluster.addEphemeralContainer(podRef, uid, candidate.spec, {}, signal)
  return answer.kind === 'refused' ? { code: answer.code, message: answer.message } : undefined
}
