export interface PodInput {
  /** `fruit` by default. */
  readonly namespace?: string
  readonly name: string
  /** Such as `apples-57bcf49487`, of Deployment `apples`. */
  readonly replicaSet?: string
  readonly script?: string
}

const replicaSet = 'apples-57bcf49487'
/** Pod `at` of Deployment apples. */
export const apple = (at: number): string => `${replicaSet}-${at}`

/** Deployment apples of five pods, pears of one, and two pods of their own. */
export const fruitPods: readonly PodInput[] = [
  ...[1, 2, 3, 4, 5].map((at) => ({ name: apple(at), replicaSet })),
  { name: 'pears-6d4cf56db6-1', replicaSet: 'pears-6d4cf56db6' },
  { name: 'plum' },
  // It ends at once, again and again.
  { name: 'quince', script: 'echo the database is not there; exit 3' },
]

export interface AlertInput {
  /** The name; `CrashLooping` by default. */
  readonly name?: string
  /** In namespace fruit; the first of apples by default; null: no label. */
  readonly pod?: string | null
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, unknown>>
  readonly resolved?: boolean
  /** Which firing of it: a number, from which its start follows. 1 by default. */
  readonly firing?: number
  readonly generatorURL?: string
}

/** What Alertmanager sends. */
export function alertBody(alerts: readonly AlertInput[]) {
  return {
    version: '4',
    groupKey: '{}:{}',
    status: 'firing',
    receiver: 'autodiagnose',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    truncatedAlerts: 0,
    externalURL: '',
    alerts: alerts.map(alertOf),
  }
}

function alertOf({
  name = 'CrashLooping',
  pod = apple(1),
  labels = {},
  annotations = {},
  resolved = false,
  firing = 1,
  generatorURL = '',
}: AlertInput) {
  const given = { alertname: name, ...(pod === null ? {} : { namespace: 'fruit', pod }), ...labels }
  return {
    status: resolved ? 'resolved' : 'firing',
    labels: given,
    annotations,
    startsAt: new Date(Date.parse('2026-11-27T08:00:00Z') + firing * 60_000).toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL,
    fingerprint: hashOf(JSON.stringify(Object.entries(given).toSorted())),
  }
}

/** As with Alertmanager, 16 digits that follow from the labels. */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  return hash.toString(16).padStart(16, '0')
}
