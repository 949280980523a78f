import type { Deps } from '../deps.ts'
import { ClusterForbidden, ClusterUnavailable } from '../ports/cluster/cluster.ts'
import type { AlertRecord } from '../ports/records/intake.ts'
import { RecordsUnavailable } from '../ports/records/records.ts'
import { minute } from '../stage-context.ts'
import { settleAlert } from './settle-alert.ts'
import { settleCommand } from './settle-command.ts'
import { type WorkloadCache, workloadCache } from './workload-cache.ts'

const atOnce = 100
const longestDelayMs = 5 * minute
const day = 24 * 60 * minute

/**
 * Settles everything that webhooks delivered and that is due: each alert starts a diagnosis, or it is said why not. What cannot be settled now is
 * looked at again later, for a day. May run in several processes at once, and again after a crash at any line: the ledger of the cluster
 * says which alert has which diagnosis.
 */
export async function settleDue(deps: Deps, cache: WorkloadCache = workloadCache(deps.clock)): Promise<void> {
  while (!deps.stopping.aborted) {
    const due = await deps.records.dueAlerts(new Date(deps.clock.now()).toISOString(), atOnce)
    for (const alert of due) {
      if (deps.stopping.aborted) return
      await settleOne(alert, deps, cache)
    }
    if (due.length < atOnce) return
  }
}

async function settleOne(alert: AlertRecord, deps: Deps, cache: WorkloadCache): Promise<void> {
  const { records, clock, log } = deps
  const source = deps.config.sources[alert.source]
  try {
    if (!source) {
      const message = `Source "${alert.source}" is not configured any more`
      return await records.settleAlert(alert.id, { outcome: 'denied', message })
    }
    if ('users' in source || (source.kind === 'standard' && alert.name === requestName)) return await settleCommand(alert, source, deps)
    return await settleAlert(alert, source, deps, cache)
  } catch (error) {
    // The records themselves are away: nothing can be put down.
    if (error instanceof RecordsUnavailable || deps.stopping.aborted) throw error
    const passes = error instanceof ClusterUnavailable || error instanceof ClusterForbidden
    const said = error instanceof Error ? (passes ? error.message : (error.stack ?? error.message)) : String(error)
    const message = deps.redactor.text('message', error instanceof Error ? error.message : said).text.slice(0, 1000)
    const age = clock.now() - Date.parse(alert.receivedAt)
    log(passes ? 'warn' : 'error', 'Cannot settle an alert now', { alert: alert.id, error: said })
    if (age > day) return await records.settleAlert(alert.id, { outcome: 'failed', message: `Given up after a day: ${message}` })
    await records.delayAlert(alert.id, new Date(clock.now() + Math.min(longestDelayMs, Math.max(5000, age))).toISOString(), message)
  }
}

/** The name of what asks for a diagnosis in the words of `POST /v1/diagnoses`, by a webhook. */
export const requestName = 'diagnosis.requested'
