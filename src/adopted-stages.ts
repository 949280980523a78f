import type { PlanOutcome } from './container-stages.ts'
import { patiently } from './patience.ts'
import { type GatherOutcome, minute, podOf, type StageContext } from './stage-context.ts'

export type AdoptedStages = ReturnType<typeof adoptedStages>

/** The effects that only the story of an adopted container has. */
export function adoptedStages({ request, deps, progress, failed, refused, cancelled }: StageContext) {
  return {
    /** The container that was typed in, in the place of one that would be planned. Refused where its pod was replaced since. */
    find: (outcome: GatherOutcome) =>
      patiently(
        'find the container',
        async (): Promise<PlanOutcome> => {
          const { adopted, checks } = request
          if (!adopted) throw new TypeError(`Diagnosis "${request.id}" has adopted no container`)
          if (outcome.kind === 'failed') return outcome
          if (await cancelled()) return { kind: 'cancelled' }
          const { refusal } = outcome.gathered
          if (!outcome.gathered.podRef) return refused(refusal ?? { code: 'pod-not-found', message: 'The pod is gone' })
          const { pod, uid, gathered } = podOf(outcome)
          if (uid !== adopted.podUid)
            return refused({
              code: 'pod-replaced',
              message: `The pod was replaced by another one of its name, and the log of "${adopted.container}" went with it`,
            })
          const { node, container } = gathered
          await progress({ state: 'listening', pod: { name: pod.name, uid, ...(node ? { node } : {}), ...(container ? { container } : {}) } })
          const { profile, image, ids } = adopted
          const candidate = { profile, image, ...(ids ? { ids } : {}), spec: {} }
          return { kind: 'planned', name: adopted.container, candidate, checks: checks.map(({ name }) => name), asked: checks, at: deps.clock.now() }
        },
        failed,
        { ms: 2 * minute, unwanted: cancelled },
        deps,
      ),
  }
}
