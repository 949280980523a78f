import type { View } from '../../src/api/view.ts'
import type { FaultCase } from './corpus.ts'

/**
 * `ok`: the first finding names the trouble, or nothing is wrong and nothing was found. `MISS`: it does not. `FALSE ALARM`: something
 * was found where nothing is wrong. `NOT UP`: the trouble did not show, and was not found either. `UNSEEN`: the diagnosis itself
 * failed, or did not look into a healthy pod.
 */
export type Verdict = 'ok' | 'MISS' | 'FALSE ALARM' | 'NOT UP' | 'UNSEEN'

export type Diagnosed = Pick<View, 'findings' | 'outcome' | 'explanation'>

export interface Judged {
  readonly verdict: Verdict
  /** What to add to the line, one sentence. */
  readonly note?: string
}

/** The case's name stands in its namespace, and gives the fault away. */
const blank = (one: Pick<FaultCase, 'namespace'>, text: string): string => text.replaceAll(one.namespace, '')

/** Judges a diagnosis by its first finding alone. `late`: why the case did not show its trouble before, if it did not. */
export function judge(one: FaultCase, { findings, outcome, explanation }: Diagnosed, late?: string): Judged {
  const [first] = findings
  const why = explanation === undefined ? `${outcome}` : `${outcome}: ${explanation}`
  if (one.expect) {
    // What evidence alone told, where there was something to look into, is told as that.
    if (first && one.expect.test(blank(one, first.title))) return { verdict: 'ok', ...(one.inject && outcome !== 'complete' ? { note: why } : {}) }
    if (late !== undefined) return { verdict: 'NOT UP', note: late }
    return { verdict: outcome === 'failed' ? 'UNSEEN' : 'MISS', ...(outcome === 'complete' ? {} : { note: why }) }
  }
  if (late !== undefined) return { verdict: 'NOT UP', note: late }
  if (first) return { verdict: 'FALSE ALARM' }
  return one.inject && outcome !== 'complete' ? { verdict: 'UNSEEN', note: why } : { verdict: 'ok' }
}

export interface Scored {
  readonly one: FaultCase
  readonly verdict: Verdict
}

export interface Score {
  readonly named: number
  readonly faults: number
  readonly alarms: number
  readonly healthy: number
  /** Healthy cases that came to no judgement. */
  readonly unseen: number
}

export function scoreOf(results: readonly Scored[]): Score {
  const faults = results.filter(({ one }) => one.expect)
  const healthy = results.filter(({ one }) => !one.expect)
  const count = (list: readonly Scored[], ...verdicts: readonly Verdict[]) => list.filter(({ verdict }) => verdicts.includes(verdict)).length
  return {
    named: count(faults, 'ok'),
    faults: faults.length,
    alarms: count(healthy, 'FALSE ALARM'),
    healthy: healthy.length,
    unseen: count(healthy, 'UNSEEN', 'NOT UP'),
  }
}

/** `score: 22 of 23 (95.7 %), false alarms: 0 of 3`, and what else there is to say. */
export function scoreLine(label: string, { named, faults, alarms, healthy, unseen }: Score): string {
  const share = faults === 0 ? '' : ` (${((named / faults) * 100).toFixed(1)} %)`
  return `${label}: ${named} of ${faults}${share}, false alarms: ${alarms} of ${healthy}${unseen > 0 ? `, healthy but not seen: ${unseen}` : ''}`
}

/** At least 95 % are named, no healthy pod is, and all of those were looked into. */
export const isGood = ({ named, faults, alarms, unseen }: Score): boolean => named >= faults * 0.95 && alarms === 0 && unseen === 0
