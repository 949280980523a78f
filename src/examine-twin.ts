import type { Step } from './deps.ts'
import { examineBoth } from './examine.ts'
import { type Compared, type Examination, notCompared, type twinStages } from './twin-stages.ts'

/**
 * The same checks in a healthy replica, by the same rules, after the target; its steps are those of a container with `twin-` before their names. Where there is
 * no replica, or it may not be touched, that is told.
 */
export async function examineTwin(target: Examination, step: Step, stages: ReturnType<typeof twinStages>): Promise<Compared> {
  const twin = await step.run('twin', () => stages.twin(target))
  if (twin.kind === 'none') return notCompared(twin.explanation)
  const beside: Step = { run: (name, effect) => step.run(`twin-${name}`, effect), sleep: (name, ms) => step.sleep(`twin-${name}`, ms) }
  const examined = twin.request ? await examineBoth(twin.outcome, beside, stages.ofTwin(twin.request)) : []
  return step.run('twin-compare', () => stages.compareTwin(target, twin, examined))
}
