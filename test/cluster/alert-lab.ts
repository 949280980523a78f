import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import type { AlertRecord } from '../../src/ports/records/intake.ts'
import { isLab, kubectl, labVariable } from './environment.ts'
import { labComponent } from './lab-components.ts'
import { create, getPod, isReady, kubectlAgain, logThat, podThat } from './pods.ts'
import { type RedmineNote, type RedmineRow, redmineLab } from './redmine-lab.ts'
import type { LabService } from './service.ts'

const run = promisify(execFile)
const lab = fileURLToPath(new URL('../lab/lab', import.meta.url))

/** Has both Alertmanagers of the lab send to the service; without one, to where the lab has them send. They forget every alert. */
export async function deliverTo(service?: LabService): Promise<void> {
  const settings = service ? { LAB_WEBHOOK_URL: `${service.url}/v1/webhooks/alertmanager` } : {}
  for (const one of ['alertmanager', 'alertmanager-2']) await labComponent('restart', one, settings)
}

/** Fires an alert about a pod of `fruit`, or ends it, at both Alertmanagers and with the same times, as a Prometheus does. */
export async function alert(command: 'alert' | 'resolve', pod: string, name: string): Promise<void> {
  await run(lab, [command, 'fruit', pod, name])
}

/** Of each Alertmanager: how many webhooks it has sent since its start, and how many of them failed. */
export function deliveries(): Promise<readonly { readonly sent: number; readonly failed: number }[]> {
  const urls = [labVariable('LAB_ALERTMANAGER_URL'), labVariable('LAB_ALERTMANAGER_2_URL')]
  return Promise.all(
    urls.map(async (url) => {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      const count = (name: string) => Number(new RegExp(`^${name}\\{integration="webhook"\\} (\\d+)`, 'm').exec(metrics)?.[1])
      return { sent: count('alertmanager_notifications_total'), failed: count('alertmanager_notifications_failed_total') }
    }),
  )
}

/**
 * Pods in `fruit` like those of the lab's deployment `apples`, for the tests of this file or `describe` block, and two more that are a deployment. They are
 * made while other hooks are at work; `twins` resolves with the names of the two, once every pod has failed to reach its backend.
 */
export function usePatients(names: readonly string[], deployment: string): { twins(): Promise<readonly string[]> } {
  let making: Promise<readonly string[]> = Promise.resolve([])
  beforeAll(() => {
    if (!isLab) return
    making = Promise.all([createTwins(deployment), ...names.map(createPatient)]).then(([twins]) => twins)
    // Whoever awaits it is told.
    making.catch(() => undefined)
  })
  afterAll(async () => {
    if (!isLab) return
    const all = [`deployment/${deployment}`, ...names.map((name) => `pod/${name}`)]
    await kubectlAgain(['-n', 'fruit', 'delete', ...all, '--wait=false', '--ignore-not-found'])
  })
  return { twins: () => making }
}

async function createPatient(name: string): Promise<void> {
  await create('fruit', { kind: 'Pod', metadata: { name }, spec: await patient() })
  await hasFailed(name)
}

async function createTwins(name: string): Promise<readonly string[]> {
  const labels = { twins: name }
  const template = { metadata: { labels }, spec: await patient() }
  await create('fruit', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  })
  await kubectl(['-n', 'fruit', 'rollout', 'status', `deployment/${name}`, '--timeout=60s'])
  const pods = (await kubectl(['-n', 'fruit', 'get', 'pods', '-l', `twins=${name}`, '-o', 'name'])).trim().split('\n')
  const names = pods.map((pod) => pod.replace('pod/', ''))
  await Promise.all(names.map(hasFailed))
  return names
}

/** Its user and group stand in the spec, so that the first container is the only one: it need not find them out. */
async function patient(): Promise<object> {
  const { spec } = JSON.parse(await kubectlAgain(['-n', 'fruit', 'get', 'deployment', 'apples', '-o', 'json']))
  const [container] = spec.template.spec.containers
  const securityContext = { ...container.securityContext, runAsUser: 65532, runAsGroup: 65532 }
  return { ...spec.template.spec, containers: [{ ...container, securityContext }] }
}

async function hasFailed(pod: string): Promise<void> {
  await podThat('fruit', pod, isReady)
  await logThat('fruit', pod, '500 Internal Server Error')
}

/** Has Prometheus ask a pod for its metrics, at a port where nobody listens; or no more. */
export async function scrape(pod: string, wanted: boolean): Promise<void> {
  const annotations = wanted ? ['prometheus.io/scrape=true', 'prometheus.io/port=9999'] : ['prometheus.io/scrape-']
  await kubectlAgain(['-n', 'fruit', 'annotate', 'pod', pod, ...annotations])
}

/** The names of what was added to a pod, the oldest first. */
export async function added(pod: string): Promise<readonly string[]> {
  return ((await getPod('fruit', pod)).spec.ephemeralContainers ?? []).map(({ name }) => name).sort()
}

/** What became of alerts, as the service and its Redmine tell. Whatever is waited for on Workers, the cron trigger comes meanwhile. */
export function alertsAt(service: LabService) {
  const redmine = redmineLab()

  function until<T>(look: () => Promise<T | undefined>, what: string): Promise<T> {
    return vi.waitFor(
      async () => {
        await service.sweep()
        const found = await look()
        if (found === undefined) throw new Error(`${what} is not as awaited: ${service.log.slice(-1500)}`)
        return found
      },
      { timeout: 60_000, interval: 250 },
    )
  }
  /** Newest first. */
  async function alertsOf(name: string, pods: readonly string[]): Promise<readonly AlertRecord[]> {
    const answer = await service.call('GET', `/v1/intake?name=${name}&namespace=fruit&limit=100`)
    const { alerts } = (await answer.json()) as { readonly alerts: readonly AlertRecord[] }
    return alerts.filter(({ labels }) => pods.includes(labels.pod ?? ''))
  }
  /** Waits until so many firings of the alert are settled. */
  function settled(name: string, pods: readonly string[], count: number): Promise<readonly AlertRecord[]> {
    return until(async () => {
      const alerts = await alertsOf(name, pods)
      return alerts.length >= count && alerts.every(({ state }) => state === 'settled') ? alerts : undefined
    }, `alert ${name}`)
  }
  return {
    redmine,
    alertsOf,
    settled,
    /** The diagnosis for the newest firing, once it is done. */
    async diagnosed(name: string, pod: string, count = 1): Promise<View> {
      const [newest] = await settled(name, [pod], count)
      if (newest?.diagnosis === undefined) throw new Error(`alert ${name} was not diagnosed: ${JSON.stringify(newest)}`)
      return service.until(newest.diagnosis, ({ state }) => state === 'done')
    },
    /** Every issue about a pod, or a workload. */
    async issuesAbout(name: string): Promise<readonly RedmineRow[]> {
      return (await redmine.issuesOf('apples')).filter(({ subject }) => subject.includes(name))
    },
    /** Waits until an issue has a note with a text; all notes of it that have the text. */
    notesWith(issue: string, text: string): Promise<readonly RedmineNote[]> {
      return until(async () => {
        const notes = (await redmine.notesOf(issue)).filter(({ notes }) => notes.includes(text))
        return notes.length > 0 ? notes : undefined
      }, `issue ${issue}`)
    },
  }
}
