import type { Deps } from '../deps.ts'
import { troubleId } from '../diagnosis/alert.ts'
import type { AlertRecord, Trouble } from '../ports/records/intake.ts'
import { resolvedId } from './keep-alerts.ts'
import type { WorkloadCache } from './workload-cache.ts'

/** So long, at most, is waited for more of the same, before a report is told. */
const gatherMs = 60_000

/** The end of this minute: whatever comes until then puts nothing off, and whoever settles it needs to know of no other. */
function soon({ clock }: TellDeps): string {
  return new Date((Math.floor(clock.now() / gatherMs) + 1) * gatherMs).toISOString()
}

type TellDeps = Pick<Deps, 'records' | 'clock' | 'config'>

/**
 * Has it told, on the report of the diagnosis that stands for it, that an alert has none of its own; and on the trouble's report that it came
 * back. Within a minute, the same is put down once.
 */
export async function tellSuppressed(trouble: Trouble, diagnosis: string | undefined, deps: TellDeps, cache: WorkloadCache): Promise<void> {
  const dueAt = soon(deps)
  if (trouble.round > 1) {
    const id = `${trouble.id}-recurred-${trouble.round}`
    // Before anything else of the same minute: it may have to open the report again.
    const before = new Date(Date.parse(dueAt) - 1).toISOString()
    await cache.get(id, () => deps.records.tell({ id, kind: 'recurred', trouble: trouble.id, dueAt: before }))
  }
  if (diagnosis === undefined) return
  await cache.get(`more for ${diagnosis} ${dueAt}`, async () => {
    const standing = (await deps.records.get(diagnosis))?.alert?.trouble
    const round = standing === undefined ? undefined : (await deps.records.getTrouble(standing))?.round
    if (standing !== undefined && round !== undefined) {
      await deps.records.tell({ id: `${standing}-more-${round}`, kind: 'more', trouble: standing, dueAt })
    }
  })
}

/** The name of the trouble that a storm is. */
export const stormName = 'AutodiagnoseStorm'

/** A storm is a trouble of the cluster: its report, where a route matches it, is told how much was not looked at. */
export async function tellStorm(cluster: string, alert: AlertRecord, deps: TellDeps, cache: WorkloadCache): Promise<void> {
  const { records, clock, config } = deps
  const dueAt = soon(deps)
  await cache.get(`storm of ${cluster} ${dueAt}`, async () => {
    const storm = { cluster, namespace: '', workload: '', name: stormName }
    const opened = await records.openTrouble({ ...storm, id: await troubleId(storm), alert: alert.id })
    const { id, round } = opened
    await records.tell({ id: `${id}-storm-${round}`, kind: 'storm', trouble: id, dueAt })
    // Put off by each alert that comes: when it is due, the storm is over.
    const calmMs = (config.intake.storm.seconds + config.intake.quietSeconds) * 1000
    await records.tell({
      id: resolvedId(opened),
      kind: 'resolved',
      trouble: id,
      dueAt: new Date(clock.now() + gatherMs + calmMs).toISOString(),
    })
  })
}
