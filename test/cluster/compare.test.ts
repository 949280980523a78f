import { execFile } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import { isLab, kubectl, needsLab, testImage, useNamespace } from './environment.ts'
import { openBundle } from './lab-store.ts'
import { create, getPod, isReady, kubectlAgain } from './pods.ts'
import { redmineLab, renderedNote } from './redmine-lab.ts'
import { useService } from './service.ts'

describe('a diagnosis beside a healthy replica', () => {
  needsLab()
  const namespace = useNamespace('compare')
  const service = useService({ watched: [namespace], diagnosis: { deadlineSeconds: 60, image: testImage } })
  let redmine: ReturnType<typeof redmineLab>
  beforeAll(() => {
    if (isLab) redmine = redmineLab()
  })
  afterAll(async () => {
    if (isLab) await redmine.clean()
  })

  /** A deployment of the lab's image `faulty`; its tasks are what it does. */
  const deploy = (name: string, tasks: readonly string[], more: { replicas?: number; container?: object; spec?: object } = {}) =>
    create(namespace, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: more.replicas ?? 2,
        selector: { matchLabels: { app: name } },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            terminationGracePeriodSeconds: 1,
            ...more.spec,
            containers: [
              {
                name: 'app',
                image: 'localhost/faulty:1',
                args: tasks,
                resources: { limits: { memory: '64Mi' }, requests: { memory: '16Mi', cpu: '10m' } },
                readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
                ...more.container,
              },
            ],
          },
        },
      },
    })
  const podsOf = async (name: string): Promise<readonly string[]> =>
    (await kubectl(['-n', namespace, 'get', 'pods', '-l', `app=${name}`, '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ').filter(Boolean)
  const readyPods = (name: string, count: number) =>
    vi.waitFor(
      async () => {
        const names = await podsOf(name)
        const pods = await Promise.all(names.map((pod) => getPod(namespace, pod)))
        expect(pods.filter(isReady)).toHaveLength(count)
        return names
      },
      { timeout: 90_000, interval: 500 },
    )
  /** What the service knows of its headroom is from metrics, of which there are none in a pod's first seconds. */
  const measured = (pod: string) =>
    vi.waitFor(() => kubectl(['get', '--raw', `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods/${pod}`]), {
      timeout: 90_000,
      interval: 500,
    })
  const addedTo = async (pod: string) => ((await getPod(namespace, pod)).spec.ephemeralContainers ?? []).map(({ name }) => name)
  const bundleOf = async ({ id }: View) => {
    const link = await service.call('GET', `/v1/diagnoses/${id}/bundle`)
    return openBundle(await (await fetch(link.headers.get('location') ?? '')).arrayBuffer())
  }

  /** The program of the image fills the volume of this one pod until it cannot. */
  async function fillVolume(pod: string): Promise<void> {
    const filling = execFile('kubectl', ['-n', namespace, 'exec', pod, '--', '/app', 'fill /data/events.log'])
    let said = ''
    filling.stdout?.on('data', (text: string) => {
      said += text
    })
    await vi.waitFor(() => expect(said).toContain('no space left'), { timeout: 30_000, interval: 100 })
    filling.kill()
  }

  test('of two pods of one template, the one whose volume is full: that comes first, and both are in bundle, page and note', async () => {
    const volumes = [{ name: 'data', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } }]
    await deploy('full', ['serve :8080 200'], { spec: { volumes }, container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] } })
    const [broken = '', healthy = ''] = await readyPods('full', 2)
    await fillVolume(broken)
    await Promise.all([measured(broken), measured(healthy)])
    const report = `redmine:${await redmine.newIssue()}`
    const told = await service.diagnose({ pod: `${namespace}/${broken}`, compare: true, report })
    const comparison = told.comparison
    expect(told).toMatchObject({ outcome: 'complete', pod: { name: broken }, compare: true })
    expect(comparison).toMatchObject({ twin: { name: healthy }, containers: [{ name: `${told.id}-1`, proven: true, exitCode: 0 }], findings: [] })
    expect(comparison).not.toHaveProperty('explanation')
    expect(told.findings[0]).toMatchObject({ check: 'disk', severity: 'error', title: expect.stringContaining('/data') })
    expect(told.findings[0]).not.toHaveProperty('alsoOn')
    expect(comparison?.facts.find(({ check }) => check === 'disk')?.twin.join('\n')).toContain('/data')
    // Of one template and, in the lab, on one node.
    expect(comparison?.specs).toEqual([])
    // Who it runs as had to be found out; for the replica that was known.
    expect(await addedTo(broken)).toContain(`${told.id}-1`)
    expect(await addedTo(healthy)).toEqual([`${told.id}-1`])

    const log = await (await fetch(`${told.links.twinLog}`, { headers: { authorization: `Bearer ${service.token}` } })).text()
    expect(log).toMatch(/^# autodiagnose target .*visible=yes$/m)
    const bundle = await bundleOf(told)
    expect(bundle.text(`autodiagnose/${namespace}/${healthy}/${told.id}-1-stdout.txt`)).toBe(log)
    expect(bundle.text(`autodiagnose/twin/cluster-resources/pods/${namespace}.json`)).toContain(healthy)
    const page = await (await service.call('GET', `/diagnoses/${told.id}`, undefined, { accept: 'text/html' })).text()
    expect(page).toContain('Compared with a healthy replica')
    expect(page).toContain(healthy)
    const issue = report.slice('redmine:'.length)
    const [note] = await redmine.notesOf(issue)
    expect(await renderedNote(redmine.url, issue, note?.id ?? 0)).toContain(healthy)
  })

  test('of a rollout with a wrong setting: the old revision is the replica, and the setting is what differs', async () => {
    await deploy('rollout', ['serve :8080 200'], { container: { env: [{ name: 'LISTEN', value: 'all' }] } })
    const [old = ''] = await readyPods('rollout', 2)
    await deploy('rollout', ['serve 127.0.0.1:8080 200'], { container: { env: [{ name: 'LISTEN_ON', value: 'localhost' }] } })
    const fresh = await vi.waitFor(
      async () => {
        const pods = await Promise.all((await podsOf('rollout')).map((pod) => getPod(namespace, pod)))
        const pod = pods.find(
          (one) => one.spec.containers[0]?.env?.some(({ name }) => name === 'LISTEN_ON') && one.status.containerStatuses?.[0]?.state?.running,
        )
        if (!pod) throw new Error('the new revision has no running pod')
        return pod.metadata.name
      },
      { timeout: 60_000, interval: 500 },
    )
    await measured(fresh)
    const told = await service.diagnose({ workload: `${namespace}/deployment/rollout`, compare: 'true' })
    expect(told).toMatchObject({ outcome: 'complete', pod: { name: fresh } })
    expect(told.comparison?.twin?.name).toMatch(new RegExp(`^${old.replace(/-[^-]+$/, '')}`))
    expect(told.comparison?.specs.map(({ what }) => what)).toEqual([
      'revision (label pod-template-hash)',
      'command of container app',
      'environment of container app',
    ])
    expect(told.comparison?.specs[2]).toMatchObject({ target: 'LISTEN_ON', twin: 'LISTEN' })
    expect(told.findings[0]?.title).toMatch(/8080/)
    expect(told.findings[0]).not.toHaveProperty('alsoOn')
    const listening = told.comparison?.facts.find(({ check }) => check === 'listening')
    expect(listening?.target.join('\n')).toContain('127.0.0.1:8080')
    expect(listening?.twin.join('\n')).toContain('8080')
  })

  test('goes on where the service is killed while the replica is looked at: one container in each pod', async () => {
    await deploy('killed', ['serve :8080 200', 'idle'])
    const [pod = '', other = ''] = await readyPods('killed', 2)
    await Promise.all([measured(pod), measured(other)])
    const { id } = await service.begin({ pod: `${namespace}/${pod}`, compare: true })
    await vi.waitFor(async () => expect(await addedTo(other)).toEqual([`${id}-1`]), { timeout: 90_000, interval: 50 })
    await service.restart()
    const told = await service.until(id, ({ state }) => state === 'done')
    expect(told).toMatchObject({ outcome: 'complete', comparison: { twin: { name: other }, containers: [{ name: `${id}-1`, proven: true }] } })
    expect(told.comparison?.specs).toEqual([])
    // Two that are well differ by nothing worth telling.
    expect(told.comparison?.facts).toEqual([])
    expect(await addedTo(pod)).toEqual([`${id}-1`])
    expect(await addedTo(other)).toEqual([`${id}-1`])
    // Nothing is wrong with either.
    expect(told.findings.filter(({ severity }) => severity === 'error')).toEqual([])
  })

  test('tells that there is none, where the only other pod is not ready', async () => {
    await kubectlAgain(['-n', namespace, 'delete', 'deployment', 'killed', '--wait=false'])
    await deploy('alone', ['serve :8080 200'], { replicas: 1 })
    const [pod = ''] = await readyPods('alone', 1)
    await measured(pod)
    const told = await service.diagnose({ pod: `${namespace}/${pod}`, compare: true, checks: ['resolv'] })
    expect(told).toMatchObject({
      outcome: 'complete',
      comparison: { explanation: 'The deployment "alone" has no other pod to compare with', containers: [] },
    })
  })
})
