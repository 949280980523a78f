import { adoptedStages } from './adopted-stages.ts'
import { type Conclusion, concludeFrom } from './conclusion.ts'
import { containerStages } from './container-stages.ts'
import type { Deps } from './deps.ts'
import { twinOf } from './diagnosis/comparison.ts'
import type { Diagnosis, DiagnosisRequest, ReportStatus } from './diagnosis/diagnosis.ts'
import { harmUnknown } from './diagnosis/gather/harm-between.ts'
import { sealBundle } from './diagnosis/seal/bundle.ts'
import { twinFiles } from './diagnosis/seal/bundle-files.ts'
import { share } from './diagnosis/share/share.ts'
import type { Examined } from './examine.ts'
import { harmSince } from './harm-stage.ts'
import { gatherAndKeep, readEvidence } from './kept-evidence.ts'
import { patiently } from './patience.ts'
import { RecordsUnavailable } from './ports/records/records.ts'
import { TrackerUnavailable } from './ports/tracker/tracker.ts'
import { urlsOf } from './routes.ts'
import { evidenceKeyOf, type GatherOutcome, minute, stageContext } from './stage-context.ts'
import { storedExaminations } from './stored-examinations.ts'
import { type Compared, type Examination, notCompared, twinStages } from './twin-stages.ts'

export type Concluded = Conclusion
export type Shared = { readonly kind: 'told' } | { readonly kind: 'later'; readonly afterMs: number }

/** Between two attempts at a tracker that is down, where it names no longer time itself. */
const longestPauseMs = 10 * minute
export type Stages = ReturnType<typeof stagesOf>

/** The effects of one diagnosis: what each durable step does. All of them may run again. */
export function stagesOf(request: DiagnosisRequest, deps: Deps) {
  const context = stageContext(request, deps)
  const { id, evidenceKey, failed, late, cancelled } = context
  const { config, records, store, clock, redactor } = deps
  return {
    ...containerStages(context),
    ...adoptedStages(context),
    ...twinStages(request, deps),

    gather: () =>
      patiently(
        'gather the evidence',
        async (signal): Promise<GatherOutcome> => {
          await records.update(id, { state: 'gathering' })
          return gatherAndKeep(request, context, signal)
        },
        failed,
        { ms: 2 * minute, unwanted: cancelled },
        deps,
      ),

    /** Restarts and OOM kills of the target since; a harmed target counts towards the pause. */
    compare: (outcome: GatherOutcome, examined: readonly Examined[]) =>
      patiently(
        'compare the target with what it was before',
        (signal) => harmSince(outcome, examined, context, signal),
        (message) => harmUnknown(failed(message).message),
        { ms: 2 * minute },
        deps,
      ),

    conclude: async (target: Examination, compared?: Compared): Promise<Conclusion> =>
      concludeFrom({ ...target, now: clock.now(), redactor, cancelled: await cancelled(), ...(compared ? { compared } : {}) }),

    /**
     * Of a run that is lost: what is stored of evidence and logs; undefined where it came to its own conclusion. The pod is free when its
     * lease ends: a container may run until then.
     */
    concludeLost: async (explanation: string): Promise<Conclusion | undefined> => {
      const known = await records.get(id)
      if (!known || known.outcome !== undefined) return undefined
      const { signal } = new AbortController()
      const evidence = await readEvidence(store, evidenceKey, signal).catch(toleratingBadJson)
      const outcome: GatherOutcome = evidence
        ? { kind: 'gathered', gathered: evidence.gathered, redactions: evidence.redactions }
        : failed(explanation)
      const examined = await storedExaminations(request, request.adopted?.image ?? config.diagnosis.image, store, signal)
      const compared = request.compare && notCompared('The run was lost before the target was compared with a healthy replica')
      const conclusion = concludeFrom({ outcome, examined, harm: [], now: clock.now(), redactor, ...(compared ? { compared } : {}) })
      return { ...conclusion, outcome: examined.length > 0 ? 'incomplete' : 'failed', explanation: failed(explanation).message }
    },

    seal: (conclusion: Conclusion) =>
      patiently(
        'seal the bundle',
        async (signal): Promise<void> => {
          const before = await records.update(id, { state: 'sealing' })
          const files = (await readEvidence(store, evidenceKey, signal))?.files ?? []
          const beside = request.compare && (await readEvidence(store, evidenceKeyOf(twinOf(id)), signal))
          // Nothing that another attempt would tell otherwise.
          const diagnosis: Diagnosis = { ...before, ...conclusion, state: 'done', updatedAt: conclusion.finishedAt }
          const bundle = await sealBundle(diagnosis, [...files, ...(beside ? twinFiles(beside.files) : [])], store, signal)
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

    /** Tells the bug report; `later` when its tracker is to be asked again, and after how long. Never throws for a tracker's sake. */
    share: async (attempt: number): Promise<Shared> => {
      const diagnosis = await records.get(id)
      if (!diagnosis?.report && !diagnosis?.route) return { kind: 'told' }
      const at = new Date(clock.now()).toISOString()
      const note = async (reported: ReportStatus): Promise<void> => {
        await records.update(id, { reported: redactor.json('reported', reported).value })
      }
      const controller = new AbortController()
      try {
        const { trackers } = deps
        const { recurrence } = config.reports
        const reported = await share(diagnosis, {
          trackers,
          records,
          urls: urlsOf(config.publicUrl, id),
          clock,
          recurrence,
          signal: controller.signal,
        })
        await note(reported)
        if (reported.kind === 'rejected')
          deps.log('error', 'The bug report took no note', { id, report: diagnosis.report, message: failed(reported.message).message })
        return { kind: 'told' }
      } catch (error) {
        const message = failed(error instanceof Error ? error.message : String(error)).message
        // The records are asked between two requests to the tracker; they come back.
        if (error instanceof RecordsUnavailable) throw error
        if (!(error instanceof TrackerUnavailable) || late()) {
          deps.log('error', 'Cannot tell the bug report', { id, message })
          await note({ kind: 'rejected', message: `Given up: ${message}`, at })
          return { kind: 'told' }
        }
        deps.log('warn', 'The bug report will be told later', { id, report: diagnosis.report, message })
        await note({ kind: 'delayed', message, at })
        return { kind: 'later', afterMs: Math.max(error.retryAfterMs, Math.min(longestPauseMs, 1000 * 2 ** (attempt - 1))) }
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

/** Where that is what ended the run, it must not end the next one. */
function toleratingBadJson(error: unknown): undefined {
  if (!(error instanceof SyntaxError)) throw error
}
