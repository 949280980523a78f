import { boundDeclared } from './diagnosis/admit/policy.ts'
import type { DiagnosisRequest } from './diagnosis/diagnosis.ts'
import { type GatherResult, gather } from './diagnosis/gather/gather.ts'
import type { Store } from './ports/store/store.ts'
import type { GatherOutcome, StageContext } from './stage-context.ts'

/**
 * Gathers what the API tells of the target of a request, and keeps it for the bundle. Where the step ran before, and may have picked another pod then, what is
 * stored counts: that is what the bundle shows.
 */
export async function gatherAndKeep(
  request: DiagnosisRequest,
  { deps, cluster, evidenceKey }: Pick<StageContext, 'deps' | 'cluster' | 'evidenceKey'>,
  signal: AbortSignal,
): Promise<Extract<GatherOutcome, { kind: 'gathered' }>> {
  const { config, store, redactor, clock } = deps
  const bounds = boundDeclared(config.policy, request)
  const evidence: GatherResult = await gather(request, { cluster: cluster(), config, redactor, clock, bounds }, signal)
  const bytes = new TextEncoder().encode(JSON.stringify(evidence))
  const kept = await store.create(evidenceKey, bytes, { contentType: 'application/json', signal })
  const { gathered, redactions } = kept === 'created' ? evidence : ((await readEvidence(store, evidenceKey, signal)) ?? evidence)
  return { kind: 'gathered', gathered, redactions }
}

/** What was gathered and kept, or undefined. Throws a SyntaxError where it cannot be read. */
export async function readEvidence(store: Pick<Store, 'get'>, key: string, signal: AbortSignal): Promise<GatherResult | undefined> {
  const evidence = await store.get(key, { signal })
  return evidence && ((await new Response(evidence.body).json()) as GatherResult)
}
