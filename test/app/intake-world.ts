import { makeId } from '../../src/diagnosis/accept/id.ts'
import { alertKey } from '../../src/diagnosis/alert.ts'
import type { AlertRecord, NewAlert, Settlement } from '../../src/ports/records/intake.ts'
import type { Setup } from './setup.ts'

let count = 0

/** Puts an alert into the records, settled if it is said how; later ones have later ids. Returns its id. */
export async function keepAlert({ deps }: Pick<Setup, 'deps'>, about: Partial<NewAlert>, settlement?: Settlement): Promise<string> {
  const at = Date.parse('2026-11-27T10:00:00Z') + 1000 * ++count
  const alert = {
    source: 'alertmanager',
    fingerprint: String(count),
    status: 'firing',
    startsAt: '2026-11-27T09:00:00.000Z',
    name: 'CrashLooping',
    labels: {},
    annotations: {},
    links: [],
    ...about,
  } satisfies Omit<NewAlert, 'id' | 'key'>
  const id = makeId(at, 'al')
  await deps.records.receiveAlerts([{ ...alert, id, key: await alertKey(alert) }])
  if (settlement) await deps.records.settleAlert(id, settlement)
  return id
}

export const diagnosed: Settlement = {
  outcome: 'diagnosed',
  cluster: 'main',
  namespace: 'shop',
  workload: 'deployment/cart',
  pod: 'cart-0',
  trouble: 'tr-00000000000000000001',
  diagnosis: 'ad-0123456789abcdefghjk',
}

export type Listed = AlertRecord & { readonly diagnosisUrl?: string }
