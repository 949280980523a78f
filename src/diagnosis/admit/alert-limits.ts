import type { Config } from '../../config.ts'
import type { Suppression } from '../../ports/records/intake.ts'

/** A diagnosis that was started for an alert: a line in the ledger of its cluster. */
export interface Started {
  /** Of the diagnosis. */
  readonly id: string
  /** RFC 3339. */
  readonly at: string
  /** Id of the alert. */
  readonly alert: string
  readonly trouble: string
  readonly namespace: string
  readonly workload: string
  /** Of a workload the pod that was the least healthy one then; absent where none was known. */
  readonly pod?: string
}

export type Wanted = Omit<Started, 'id' | 'at'>

export type Decision =
  /** `entries` is the ledger from now on. */
  | { readonly kind: 'start'; readonly entry: Started; readonly entries: readonly Started[] }
  /** The alert has started one already. */
  | { readonly kind: 'again'; readonly entry: Started }
  /** `diagnosis`: the one that stands for it; a storm has none. */
  | { readonly kind: 'suppressed'; readonly why: Suppression; readonly diagnosis?: string; readonly message: string }

/** Of one cluster. D1 keeps rows of up to 2 MB, and a line with the longest names has less than 1 KB. */
export const maxEntries = 2000

/** However short the limits look back: so long an alert finds again what it started, when a crash came before it was put down. */
const minKeptSeconds = 3600

/**
 * Whether an alert may start a diagnosis. `entries` is what alerts started in this cluster, the oldest first; `now` is in milliseconds since
 * the epoch. The first limit that is reached counts: the pod's cooldown, the trouble, the workload, the cluster. What is older than
 * every limit looks back, and than an hour, leaves the ledger; beyond {@link maxEntries} the oldest are forgotten before their time.
 */
export function decide(entries: readonly Started[], wanted: Wanted, limits: Config['intake'], now: number, makeId: () => string): Decision {
  const again = entries.find(({ alert }) => alert === wanted.alert)
  if (again) return { kind: 'again', entry: again }
  const { podCooldownSeconds, workloadCooldownSeconds, podsPerTrouble, podsPerWorkload, storm } = limits
  const within = (seconds: number) => entries.filter(({ at }) => Math.max(0, now - Date.parse(at)) < seconds * 1000)

  const ofPod = within(podCooldownSeconds)
    .filter((entry) => wanted.pod !== undefined && isSame(entry, wanted, 'pod'))
    .at(-1)
  if (ofPod) return suppressed('pod-cooldown', ofPod, `looks into pod "${wanted.namespace}/${wanted.pod}"`, podCooldownSeconds)

  const recent = within(workloadCooldownSeconds)
  const ofTrouble = recent.filter(({ trouble }) => trouble === wanted.trouble)
  if (ofTrouble.length >= podsPerTrouble) return suppressed('same-trouble', ofTrouble.at(-1), 'looks into the same trouble', workloadCooldownSeconds)

  const ofWorkload = recent.filter((entry) => isSame(entry, wanted, 'workload'))
  const others = podsOf(ofWorkload.filter(({ pod }) => pod === undefined || pod !== wanted.pod))
  if (others >= podsPerWorkload) {
    const what = `is the last of ${ofWorkload.length} that look into "${wanted.namespace}/${wanted.workload}"`
    return suppressed('workload-limit', ofWorkload.at(-1), what, workloadCooldownSeconds)
  }

  const lately = within(storm.seconds).length
  if (lately >= storm.diagnoses) {
    const message = `Alerts of this cluster have started ${lately} diagnoses within ${storm.seconds} s, so this is taken for a storm`
    return { kind: 'suppressed', why: 'storm', message }
  }

  const entry: Started = { id: makeId(), at: new Date(now).toISOString(), ...wanted }
  const kept = within(Math.max(minKeptSeconds, podCooldownSeconds, workloadCooldownSeconds, storm.seconds))
  return { kind: 'start', entry, entries: [...kept.slice(1 - maxEntries), entry] }
}

function isSame(a: Started, b: Wanted, key: 'pod' | 'workload'): boolean {
  return a.namespace === b.namespace && a[key] === b[key]
}

/** Each target without a pod may have led to a pod of its own. */
function podsOf(entries: readonly Started[]): number {
  const named = entries.flatMap(({ pod }) => pod ?? [])
  return new Set(named).size + entries.length - named.length
}

function suppressed(why: Suppression, by: Started | undefined, doing: string, seconds: number): Decision {
  const diagnosis = by === undefined ? {} : { diagnosis: by.id }
  return { kind: 'suppressed', why, ...diagnosis, message: `Diagnosis ${by?.id} of ${by?.at} ${doing}; alerts start no other one for ${seconds} s` }
}
