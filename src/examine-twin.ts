import type { Step } from './deps.ts'
import { examine } from './examine.ts'
import { type Compared, type Examination, notCompared, type twinStages } from './twin-stages.ts'

/**
 * The same checks in a healthy replica, by the same rules, after the target; its steps are those of a container with `twin-` before their names. There is one container at
 * most: a pod that is well gets no second. Where there is
 * no replica, or it may not be touched, that is told.
 */
export async function examineTwin(target: Examination, step: Step, stages: ReturnType<typeof twinStages>): Promise<Compared> {
  const twin = await step.run('twin', () => stages.twin(target))
  if (twin.kind === 'none') return notCompared(twin.explanation)
  const beside: Step = { run: (name, effect) => step.run(`twin-${name}`, effect), sleep: (name, ms) => step.sleep(`twin-${name}`, ms) }
  const examination = { attempt: 1, gathered: twin.outcome, ...(twin.ids ? { foundIds: twin.ids } : {}) }
  const examined = twin.request ? [await examine(examination, beside, stages.ofTwin(twin.request))] : []
  return step.run('twin-compare', () => stages.compareTwin(target, twin, examined))
}
