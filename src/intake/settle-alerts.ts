import type { Deps } from '../deps.ts'
import { ClusterForbidden, ClusterUnavailable } from '../ports/cluster/cluster.ts'
import type { AlertRecord } from '../ports/records/intake.ts'
import { RecordsUnavailable } from '../ports/records/records.ts'
import { minute } from '../stage-context.ts'
import { tellResolved } from './keep-alerts.ts'
import { type Batch, type Settled, settleAlert } from './settle-alert.ts'
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
    const batch: Batch = { troubles: new Map(), ledgers: new Map() }
    let settled: Settled[] = []
    for (const alert of due) {
      if (deps.stopping.aborted) return
      const one = await settleOne(alert, deps, cache, batch)
      if (one) settled.push(one)
      // What started nothing is many, and can wait for each other.
      if (one?.settlement.outcome !== 'diagnosed') continue
      await putDown(settled, deps)
      settled = []
    }
    await putDown(settled, deps)
    if (due.length < atOnce) return
  }
}

/**
 * Puts down what became of alerts. Until then nothing says which troubles they are of: so a trouble may have been resolved without them, or be
 * resolved by them. Looked at before, because nobody looks at a settled alert again after a crash; and after, for what came in between.
 */
async function putDown(settled: readonly Settled[], deps: Deps): Promise<void> {
  if (settled.length === 0) return
  const { records } = deps
  const seeds = new Map(settled.flatMap(({ seed }) => (seed ? [[seed.alert, seed]] : [])))
  const tellWhatEnded = async () => {
    const troubles = (await records.resolvedAmong([...seeds.keys()])).map((alert) => seeds.get(alert)?.id ?? '')
    for (const trouble of new Set(troubles)) await tellResolved(trouble, deps)
  }
  await tellWhatEnded()
  await records.settleAlerts(settled.map(({ alert, settlement }) => ({ id: alert, ...settlement })))
  for (const seed of new Map([...seeds.values()].map((one) => [one.id, one])).values()) await records.openTrouble(seed)
  await tellWhatEnded()
}

/** Undefined where it is put down already, or is to be looked at again. */
async function settleOne(alert: AlertRecord, deps: Deps, cache: WorkloadCache, batch: Batch): Promise<Settled | undefined> {
  const { records, clock, log } = deps
  const source = deps.config.sources[alert.source]
  try {
    if (!source) {
      const message = `Source "${alert.source}" is not configured any more`
      return { alert: alert.id, settlement: { outcome: 'denied', message } }
    }
    if ('users' in source || (source.kind === 'standard' && alert.name === requestName)) {
      await settleCommand(alert, source, deps)
      return undefined
    }
    return await settleAlert(alert, source, deps, cache, batch)
  } catch (error) {
    // The records themselves are away: nothing can be put down.
    if (error instanceof RecordsUnavailable || deps.stopping.aborted) throw error
    const passes = error instanceof ClusterUnavailable || error instanceof ClusterForbidden
    const said = error instanceof Error ? (passes ? error.message : (error.stack ?? error.message)) : String(error)
    const message = deps.redactor.text('message', error instanceof Error ? error.message : said).text.slice(0, 1000)
    const age = clock.now() - Date.parse(alert.receivedAt)
    log(passes ? 'warn' : 'error', 'Cannot settle an alert now', { alert: alert.id, error: said })
    if (age > day) return { alert: alert.id, settlement: { outcome: 'failed', message: `Given up after a day: ${message}` } }
    await records.delayAlert(alert.id, new Date(clock.now() + Math.min(longestDelayMs, Math.max(5000, age))).toISOString(), message)
    return undefined
  }
}

/** The name of what asks for a diagnosis in the words of `POST /v1/diagnoses`, by a webhook. */
export const requestName = 'diagnosis.requested'
