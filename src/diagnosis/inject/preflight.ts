import type { Deps } from '../../deps.ts'
import type { Raw } from '../../ports/cluster/cluster.ts'
import type { CheckRequest, DiagnosisRequest, Profile, Refusal } from '../diagnosis.ts'
import type { Gathered } from '../gathered.ts'
import { tryCandidates } from './add-container.ts'
import { foundIds } from './found-ids.ts'
import { isPaused } from './harm-switch.ts'
import { planContainer } from './plan-container.ts'
import { busyNow } from './pod-lease.ts'
import { admissionPolicyProblem, isPolicyChecked } from './policy-probe.ts'

/** Whether a diagnosis would inject, and what. Adds nothing: the API server is asked by dry run. */
export interface Preflight {
  readonly ok: boolean
  readonly refusal?: Refusal
  readonly warnings: readonly string[]
  readonly profile: Profile
  readonly checks: readonly CheckRequest[]
  /** The container as it would be sent. */
  readonly container?: Raw
}

export async function preflight(
  request: DiagnosisRequest,
  gathered: Gathered,
  deps: Pick<Deps, 'config' | 'clusters' | 'records' | 'clock'>,
  signal: AbortSignal,
): Promise<Preflight> {
  const cluster = deps.clusters.get(request.cluster)
  if (!cluster) throw new TypeError(`Cannot preflight in unknown cluster "${request.cluster}"`)
  const known = await foundIds(gathered, deps)
  const plan = planContainer({
    request,
    gathered,
    ...(known ? { foundIds: known } : {}),
    attempt: 1,
    containerName: `${request.id}-1`,
    now: deps.clock.now(),
    paused: await isPaused(deps),
    config: deps.config,
  })
  const nothing = { warnings: [], profile: request.profile, checks: gathered.hints }
  if (plan.kind === 'refused') return { ok: false, refusal: plan.refusal, ...nothing }
  const { podRef: pod, uid } = gathered
  const taken = await busyNow(request.cluster, uid ?? '', () => (pod ? cluster.getPod(pod, signal) : Promise.resolve(undefined)), deps)
  if (taken) return { ok: false, refusal: taken, ...nothing }
  const admitted = await tryCandidates(plan.candidates, gathered, cluster, signal)
  if (admitted.kind === 'refused') return { ok: false, refusal: admitted.refusal, ...nothing }
  const { candidate } = admitted
  const unbounded =
    pod && uid !== undefined && isPolicyChecked(request.cluster, deps.config)
      ? await admissionPolicyProblem({ cluster: request.cluster, pod, uid, spec: candidate.spec }, cluster, deps, signal)
      : undefined
  if (unbounded !== undefined && deps.config.diagnosis.admissionPolicy === 'required')
    return { ok: false, refusal: { code: 'admission', message: unbounded }, ...nothing }
  const lesser = candidate !== plan.candidates[0]
  return {
    ok: true,
    warnings: [
      ...(unbounded === undefined ? [] : [unbounded]),
      ...(lesser ? ['pod security does not admit the form that would see the target; the processes of the target may stay invisible'] : []),
      ...(gathered.targetRunning ? [] : ['the target is not running: the container sees the network and volumes of the pod, but no processes']),
      ...((gathered.ids ?? known) ? [] : ['who the target runs as is not known from the API; a second container may be needed to see its processes']),
    ],
    profile: candidate.profile,
    checks: plan.checks,
    container: candidate.spec,
  }
}
