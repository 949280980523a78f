import type { Deps, Step } from './deps.ts'
import type { DiagnosisRequest } from './diagnosis/diagnosis.ts'
import { examineAdopted, examineBoth } from './examine.ts'
import { examineTwin } from './examine-twin.ts'
import { type Concluded, type Stages, stagesOf } from './stages.ts'

/**
 * The life of a diagnosis, a line a stage. Every awaited step runs at least once: its effect carries a key of its own, so
 * that a crash between effect and save repeats nothing. What went wrong is a value, told in the bundle and the bug report;
 * a step throws only to be tried again.
 */
export async function diagnose(request: DiagnosisRequest, step: Step, deps: Deps): Promise<void> {
  const stages = stagesOf(request, deps)

  const outcome = await step.run('gather', stages.gather)
  const examined = request.adopted ? await examineAdopted(outcome, step, stages) : await examineBoth(outcome, step, stages)
  const harm = request.adopted ? [] : await step.run('compare', () => stages.compare(outcome, examined))
  const target = { outcome, examined, harm }
  const compared = request.compare ? await examineTwin(target, step, stages) : undefined
  const concluded: Concluded = await step.run('conclude', () => stages.conclude(target, compared))
  await step.run('seal', () => stages.seal(concluded))
  await report(request, step, stages)
}

/**
 * The end of a diagnosis whose run is lost: what is stored is sealed, and told as failed, unless its outcome is there already. Nothing is
 * gathered, planned or added again: that would ask the pod, which may have our container, as if nothing had been.
 */
export async function endLost(request: DiagnosisRequest, explanation: string, step: Step, deps: Deps): Promise<void> {
  const stages = stagesOf(request, deps)
  const concluded: Concluded | undefined = await step.run('conclude', () => stages.concludeLost(explanation))
  if (concluded) await step.run('seal', () => stages.seal(concluded))
  await report(request, step, stages)
}

async function report(request: DiagnosisRequest, step: Step, stages: Stages): Promise<void> {
  for (let attempt = 1; request.report ?? request.route; attempt++) {
    const shared = await step.run(`share-${attempt}`, () => stages.share(attempt))
    if (shared.kind === 'told') break
    await step.sleep(`share-${attempt}-pause`, shared.afterMs)
  }
  await step.run('finish', stages.finish)
}
