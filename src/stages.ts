import { type Conclusion, concludeFrom } from './conclusion.ts'
import { containerStages } from './container-stages.ts'
import type { Deps } from './deps.ts'
import type { Diagnosis, DiagnosisRequest, Finding } from './diagnosis/diagnosis.ts'
import { gather } from './diagnosis/gather/gather.ts'
import { harmBetween } from './diagnosis/gather/harm-between.ts'
import type { EvidenceFile } from './diagnosis/gathered.ts'
import { noteHarm } from './diagnosis/inject/harm-switch.ts'
import { sealBundle } from './diagnosis/seal/bundle.ts'
import { share } from './diagnosis/share/share.ts'
import type { Examined } from './examine.ts'
import { patiently } from './patience.ts'
import { TrackerUnavailable } from './ports/tracker/tracker.ts'
import { urlsOf } from './routes.ts'
import { type GatherOutcome, minute, podOf, stageContext } from './stage-context.ts'

export type Concluded = Conclusion
export type Stages = ReturnType<typeof stagesOf>

/** The effects of one diagnosis: what each durable step does. All of them may run again. */
export function stagesOf(request: DiagnosisRequest, deps: Deps) {
  const context = stageContext(request, deps)
  const { id, evidenceKey, cluster, failed, late } = context
  const { config, records, store, clock, redactor } = deps
  return {
    ...containerStages(context),

    gather: () =>
      patiently(
        'gather the evidence',
        async (signal): Promise<GatherOutcome> => {
          await records.update(id, { state: 'gathering' })
          const { gathered, files, redactions } = await gather(request, { cluster: cluster(), config, redactor, clock }, signal)
          await store.create(evidenceKey, new TextEncoder().encode(JSON.stringify(files)), { contentType: 'application/json', signal })
          return { kind: 'gathered', gathered, redactions }
        },
        failed,
        { ms: 2 * minute },
        deps,
      ),

    /** Restarts and OOM kills of the target since; a harmed target counts towards the pause. */
    compare: (outcome: GatherOutcome, examined: readonly Examined[]) =>
      patiently(
        'compare the target with what it was before',
        async (signal): Promise<readonly Finding[]> => {
          if (outcome.kind === 'failed' || !examined.some(({ container }) => container)) return []
          const { pod, uid, gathered } = podOf(outcome)
          const now = await cluster().getPod(pod, signal)
          if (!now || now.metadata.uid !== uid) return []
          const { findings, harmed } = harmBetween(gathered, now)
          if (harmed) await noteHarm(id, deps)
          return findings
        },
        () => [],
        { ms: 10_000 },
        deps,
      ),

    conclude: async (outcome: GatherOutcome, examined: readonly Examined[], harm: readonly Finding[]): Promise<Conclusion> =>
      concludeFrom({ outcome, examined, harm, now: clock.now(), redactor }),

    seal: (conclusion: Conclusion) =>
      patiently(
        'seal the bundle',
        async (signal): Promise<void> => {
          const before = await records.update(id, { state: 'sealing' })
          const evidence = await store.get(evidenceKey, { signal })
          const files = evidence ? ((await new Response(evidence.body).json()) as readonly EvidenceFile[]) : []
          // Nothing that another attempt would tell otherwise.
          const diagnosis: Diagnosis = { ...before, ...conclusion, state: 'done', updatedAt: conclusion.finishedAt }
          const bundle = await sealBundle(diagnosis, files, store, signal)
          await records.update(id, { ...conclusion, bundle, state: 'sharing' })
        },
        async (message): Promise<void> => {
          // Without a bundle, the record and the bug report still tell what was found.
          const explanation = [failed(message).message, ...(conclusion.explanation === undefined ? [] : [conclusion.explanation])].join('; ')
          const outcome = conclusion.outcome === 'complete' ? 'incomplete' : conclusion.outcome
          await records.update(id, { ...conclusion, outcome, explanation, state: 'sharing' })
        },
        { ms: 45_000, rethrow: () => !late() },
        deps,
      ),

    share: async (): Promise<void> => {
      const diagnosis = await records.get(id)
      const tracker = diagnosis?.report && deps.trackers.get(diagnosis.report.tracker)
      if (!diagnosis || !tracker) return
      const controller = new AbortController()
      try {
        const reported = redactor.json(
          'reported',
          await share(diagnosis, { tracker, urls: urlsOf(config.publicUrl, id), clock, signal: controller.signal }),
        ).value
        await records.update(id, { reported })
        if (reported.kind === 'rejected')
          deps.log('error', 'The bug report took no note', { id, report: diagnosis.report, message: reported.message })
      } catch (error) {
        if (!(error instanceof TrackerUnavailable) || late()) {
          const message = failed(error instanceof Error ? error.message : String(error)).message
          deps.log('error', 'Cannot tell the bug report', { id, message })
          await records.update(id, { reported: { kind: 'rejected', message: `Given up: ${message}`, at: new Date(clock.now()).toISOString() } })
          return
        }
        deps.log('warn', 'The bug report will be told later', { id, report: diagnosis.report, message: failed(error.message).message })
        await records.update(id, { reported: { kind: 'delayed', message: failed(error.message).message, at: new Date(clock.now()).toISOString() } })
        throw error
      } finally {
        controller.abort()
      }
    },

    finish: async (): Promise<void> => {
      const { outcome, findings, pod } = await records.update(id, { state: 'done' })
      deps.log('info', 'Diagnosis done', { id, outcome, pod: pod?.name, namespace: request.target.namespace, findings: findings.length })
    },
  }
}
