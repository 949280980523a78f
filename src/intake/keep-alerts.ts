import type { Deps } from '../deps.ts'
import { makeId } from '../diagnosis/accept/id.ts'
import { type Alert, alertKey } from '../diagnosis/alert.ts'
import type { Trouble } from '../ports/records/intake.ts'

export interface Kept {
  readonly fresh: number
  readonly repeated: number
}

/**
 * Puts down what a webhook delivered, its secrets taken out, and wakes whoever settles it. All that has to be done before the sender may be
 * told that it is done: what was kept is not lost.
 */
export async function keepAlerts(alerts: readonly Alert[], deps: Pick<Deps, 'records' | 'redactor' | 'clock' | 'wake' | 'config'>): Promise<Kept> {
  const now = deps.clock.now()
  const given = await Promise.all(alerts.map(async (alert) => ({ ...redacted(alert, deps), id: makeId(now, 'al'), key: await alertKey(alert) })))
  const { fresh, repeated, troubles } = await deps.records.receiveAlerts(given)
  for (const trouble of troubles) await tellResolved(trouble, deps)
  if (given.length > repeated) deps.wake()
  return { fresh: fresh.length, repeated }
}

/** A rule's labels and words come from whoever may write rules, and hold what a pod printed at times. */
function redacted(alert: Alert, { redactor }: Pick<Deps, 'redactor'>): Alert {
  const { labels, annotations, links, name } = alert
  return { ...alert, ...redactor.json('alert', { labels, annotations, links, name }).value }
}

/** Has it told that a trouble is resolved, if it still is when it has been quiet for long enough. */
export async function tellResolved(id: string, deps: Pick<Deps, 'records' | 'clock' | 'config'>): Promise<void> {
  const trouble = await deps.records.getTrouble(id)
  if (!trouble || trouble.resolvedAt !== undefined) return
  const dueAt = new Date(deps.clock.now() + deps.config.intake.quietSeconds * 1000).toISOString()
  await deps.records.tell({ id: resolvedId(trouble), kind: 'resolved', trouble: id, dueAt })
}

/** Each time that a trouble is resolved is told once. */
export const resolvedId = ({ id, round }: Pick<Trouble, 'id' | 'round'>): string => `${id}-resolved-${round}`
