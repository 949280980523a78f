import type { NewAlert, Settlement } from '../../src/ports/records/intake.ts'
import type { RecordsFixture } from './records.ts'

export type IntakeFixture = () => Pick<RecordsFixture, 'records' | 'setTime'>

/** The time that the records are told, until a test sets another one. */
export const start = 1_700_000_000_000
export const at = (seconds: number): string => new Date(start + seconds * 1000).toISOString()

export const alertId = (n: number): string => `al-${String(n).padStart(20, '0')}`

export function alertOf(n: number, more: Partial<NewAlert> = {}): NewAlert {
  return {
    id: alertId(n),
    key: `alert-${n}`,
    source: 'prometheus',
    fingerprint: `f${n}`,
    status: 'firing',
    startsAt: at(-60),
    name: 'PodCrashLooping',
    labels: { namespace: 'fruit', pod: `apples-${n}` },
    annotations: { summary: 'It restarts' },
    links: [{ label: 'Runbook', url: 'https://runbooks.test/crash' }],
    ...more,
  }
}

export const resolvedOf = (n: number, more: Partial<NewAlert> = {}): NewAlert => alertOf(n, { status: 'resolved', endsAt: at(30), ...more })

export function settlementOf(n: number, more: Partial<Settlement> = {}): Settlement {
  return {
    outcome: 'diagnosed',
    cluster: 'main',
    namespace: 'fruit',
    workload: 'deployment/apples',
    pod: `apples-${n}`,
    trouble: 'tr-1',
    diagnosis: `ad-${n}`,
    ...more,
  }
}

export const seedOf = (alert: number) => {
  return { id: 'tr-1', cluster: 'main', namespace: 'fruit', workload: 'deployment/apples', name: 'PodCrashLooping', alert: alertId(alert) }
}
