import { setTimeout as sleep } from 'node:timers/promises'
import { type BenchNamespace, kubectl, until } from './bench-lab.ts'
import { type BenchService, startService } from './bench-service.ts'

const workloads = 20
const podsOfEach = 10
const names = 50
const seconds = 60

export interface AlertFigures {
  readonly alerts: number
  readonly deliveries: number
  readonly pods: number
  /** Milliseconds from sending a delivery to its answer. */
  readonly acknowledged: readonly number[]
  /** Seconds from the last answer until nothing is waiting. */
  readonly settledAfter: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly diagnoses: number
  readonly mostOfAWorkload: number
  readonly peakMiB: number
}

/**
 * 10,000 alerts for 200 pods in a minute, each delivered by both members of a pair: 50 rules, each for all pods of 20 Deployments, a group a
 * rule and Deployment. The pods are real and fit on no node, so that what is measured is intake, not the kubelet.
 */
export async function benchAlerts(namespace: BenchNamespace): Promise<AlertFigures> {
  const pods = await makePods(namespace.name)
  const service = await startService(namespace.name, {
    sources: { alertmanager: { kind: 'alertmanager', auth: { bearer: [{ env: 'BENCH_ALERT_TOKEN' }] } } },
    // No report: the tracker of the lab is not what is measured.
    reports: { routes: [] },
  })
  try {
    const groups = [...pods].flatMap(([workload, members]) => Array.from({ length: names }, (_, n) => ({ workload, members, name: `Bench${n}` })))
    const acknowledged: number[] = []
    const startsAt = new Date().toISOString()
    const began = performance.now()
    const sent = groups
      .flatMap((group) => [group, group])
      .map(async (group, at) => {
        await sleep((at * seconds * 1000) / (groups.length * 2))
        const body = deliveryOf(group, namespace.name, startsAt)
        const sentAt = performance.now()
        const answer = await fetch(`${service.url}/v1/webhooks/alertmanager`, {
          method: 'POST',
          headers: { authorization: `Bearer ${process.env.BENCH_ALERT_TOKEN}`, 'content-type': 'application/json' },
          body,
        })
        await answer.text()
        if (answer.status !== 202) throw new Error(`a delivery was answered ${answer.status}`)
        acknowledged.push(performance.now() - sentAt)
      })
    await Promise.all(sent)
    const tookSeconds = (performance.now() - began) / 1000
    if (tookSeconds > seconds * 1.5) throw new Error(`sending took ${tookSeconds.toFixed(0)} s: the service does not keep up`)
    const outcomes = await until('settle all alerts', 300, async () => {
      const counted = await count(service)
      return counted.waiting === undefined ? counted : undefined
    })
    const settledAfter = (performance.now() - began) / 1000 - tookSeconds
    const started = await listed(service, 'outcome=diagnosed')
    const perWorkload = Map.groupBy(started, ({ workload }) => workload)
    return {
      alerts: groups.length * podsOfEach,
      deliveries: acknowledged.length,
      pods: workloads * podsOfEach,
      acknowledged,
      settledAfter,
      outcomes,
      diagnoses: started.length,
      mostOfAWorkload: Math.max(...[...perWorkload.values()].map((of) => of.length)),
      peakMiB: service.peakMiB(),
    }
  } finally {
    await service.stop()
  }
}

interface Listed {
  readonly workload?: string
  readonly state: string
  readonly outcome?: string
}

/** Alerts by outcome; those without one are waiting. */
async function count(service: BenchService): Promise<Record<string, number>> {
  const all = await listed(service, '')
  const counts: Record<string, number> = {}
  for (const { outcome = 'waiting' } of all) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

async function listed({ url, token }: BenchService, query: string): Promise<Listed[]> {
  const alerts: Listed[] = []
  for (let next: string | undefined = `${url}/v1/intake?limit=100&${query}`; next; ) {
    const page = (await (await fetch(next, { headers: { authorization: `Bearer ${token}` } })).json()) as { alerts: Listed[]; next?: string }
    alerts.push(...page.alerts)
    next = page.next
  }
  return alerts
}

/** Pods by the name of their Deployment. */
async function makePods(namespace: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const items = Array.from({ length: workloads }, (_, n) => {
    const labels = { app: `app-${n}` }
    const containers = [{ name: 'app', image: 'localhost/pause:1' }]
    const template = { metadata: { labels }, spec: { containers, nodeSelector: { bench: 'nowhere' } } }
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: `app-${n}`, namespace },
      spec: { replicas: podsOfEach, selector: { matchLabels: labels }, template },
    }
  })
  await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items })
  return until('have all pods', 180, async () => {
    const list = JSON.parse(await kubectl(['-n', namespace, 'get', 'pods', '-o', 'json'])) as {
      items: { metadata: { name: string; labels?: { app?: string } } }[]
    }
    const named = list.items.filter(({ metadata }) => metadata.labels?.app !== undefined)
    if (named.length < workloads * podsOfEach) return undefined
    const byApp = Map.groupBy(named, ({ metadata }) => metadata.labels?.app ?? '')
    return new Map([...byApp].map(([app, of]) => [app, of.map(({ metadata }) => metadata.name)]))
  })
}

function deliveryOf(
  group: { readonly workload: string; readonly members: readonly string[]; readonly name: string },
  namespace: string,
  startsAt: string,
): string {
  const { workload, members, name } = group
  const alerts = members.map((pod, at) => ({
    status: 'firing',
    labels: { alertname: name, namespace, pod, severity: 'warning' },
    annotations: { summary: `${name} of ${pod}` },
    startsAt,
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.example/graph',
    fingerprint: `${name}-${workload}-${at}`,
  }))
  return JSON.stringify({
    version: '4',
    groupKey: `{}:{alertname="${name}", deployment="${workload}"}`,
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'autodiagnose',
    groupLabels: { alertname: name },
    commonLabels: { alertname: name, namespace },
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example',
    alerts,
  })
}
