import type { Deps } from './deps.ts'
import { boundDeclared } from './diagnosis/admit/policy.ts'
import type { DiagnosisRequest, Refusal } from './diagnosis/diagnosis.ts'
import { gather } from './diagnosis/gather/gather.ts'
import { pickTwin } from './diagnosis/gather/pick-twin.ts'
import type { Gathered } from './diagnosis/gathered.ts'
import { type Preflight, preflight } from './diagnosis/inject/preflight.ts'

/** Whether a healthy replica would be looked at from inside, and which. */
export interface TwinPreflight {
  readonly ok: boolean
  /** The replica's pod, where there is one now. */
  readonly pod?: string
  /** Why there is none, or why nothing would be added to it; one sentence. */
  readonly explanation?: string
  readonly refusal?: Refusal
}

/** For a request with `compare`; adds nothing. `target`: what is known of the target. Throws ClusterUnavailable. */
export async function preflightTwin(
  request: DiagnosisRequest,
  target: { readonly gathered: Gathered; readonly answer: Preflight },
  deps: Pick<Deps, 'config' | 'clusters' | 'records' | 'clock' | 'redactor'>,
  signal: AbortSignal,
): Promise<TwinPreflight> {
  const { config, redactor, clock } = deps
  const { podRef, uid, container } = target.gathered
  const cluster = deps.clusters.get(request.cluster)
  const pod = podRef && cluster ? await cluster.getPod(podRef, signal) : undefined
  if (!cluster || pod?.metadata.uid !== uid || !pod) return { ok: false, explanation: 'There is no pod to find a healthy replica of' }
  const picked = await pickTwin(pod, container, clock.now(), cluster, signal)
  if (picked.kind === 'none') return { ok: false, explanation: picked.message }
  const { namespace, name } = picked.pod.metadata
  if (!target.answer.ok) return { ok: false, pod: name, explanation: 'Nothing would be added to the target, and so nothing to the replica' }
  const asked = { ...request, target: { kind: 'pod' as const, namespace, name }, checks: target.answer.checks, ...(container ? { container } : {}) }
  const { gathered } = await gather(asked, { cluster, config, redactor, clock, bounds: boundDeclared(config.policy, request) }, signal)
  const { ok, refusal } = await preflight(asked, gathered, deps, signal)
  return { ok, pod: name, ...(refusal ? { refusal } : {}) }
}
