import type { Deps } from './deps.ts'
import type { Diagnosis, DiagnosisRequest } from './diagnosis/diagnosis.ts'
import type { Accepted, Idempotency } from './ports/records/records.ts'

type StartDeps = Pick<Deps, 'records' | 'runs' | 'log'>

/**
 * Makes the record and starts the durable run, in this order: a crash in between leaves an accepted record that the sweeper starts.
 */
export async function acceptAndStart(request: DiagnosisRequest, idempotency: Idempotency | undefined, deps: StartDeps): Promise<Accepted> {
  const accepted = await deps.records.accept(request, idempotency)
  if (accepted.kind === 'accepted') await start(request.id, deps)
  return accepted
}

/** The same for a request whose id was put down before: made again after a crash, what was accepted first stays. */
export async function startDiagnosis(request: DiagnosisRequest, deps: StartDeps): Promise<Diagnosis> {
  const known = await deps.records.get(request.id)
  if (!known) {
    const accepted = await deps.records.accept(request)
    if (accepted.kind === 'conflict') throw new Error(`Cannot start diagnosis "${request.id}": its record is another one's`)
    await start(request.id, deps)
    return accepted.diagnosis
  }
  if (known.state === 'accepted') await start(request.id, deps)
  return known
}

async function start(id: string, { runs, log }: StartDeps): Promise<void> {
  try {
    await runs.start(id)
  } catch (error) {
    log('warn', 'Cannot start the run of an accepted diagnosis; the sweeper will', { id, error: String(error) })
  }
}
