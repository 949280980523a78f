import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { isLab, kubectl, needsLab, testImage, useNamespace } from './environment.ts'
import { faultyImage } from './faulty-image.ts'
import { limitProcesses } from './node-cgroup.ts'
import { create, getPod, isReady, logThat, podThat } from './pods.ts'
import { useService } from './service.ts'

/** A pod of the lab's program of troubles: a server on port 8080, and the tasks. */
const served = (name: string, tasks: readonly string[], resources: object, more: { readonly container?: object; readonly spec?: object } = {}) => ({
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'app', image: 'localhost/faulty:1', args: ['serve :8080 200', ...tasks], resources, ...more.container }],
    ...more.spec,
  },
})

/** What must be the same before and after: that the target still is the process that it was. */
const lifeOf = ({ status }: RawPod) => status.containerStatuses?.map(({ restartCount, state, containerID }) => ({ restartCount, state, containerID }))

describe('pods that have little of something', () => {
  needsLab()
  const namespace = useNamespace('limits')
  // The default: of a tenth of a core, the default checks take half a minute and more.
  const deadlineSeconds = 60
  const startDeadlineSeconds = 30
  const service = useService({
    watched: [namespace],
    diagnosis: { image: testImage, deadlineSeconds, startDeadlineSeconds },
    harm: { unknownHeadroom: 'inject' },
  })
  const start = async (pod: ReturnType<typeof served>): Promise<RawPod> => {
    await create(namespace, pod)
    return podThat(namespace, pod.metadata.name, isReady)
  }
  /** Diagnoses it with defaults, in two containers where the first one has to find out its user; it must live through that as it was. */
  async function unharmed(pod: RawPod): Promise<View> {
    const name = pod.metadata.name
    const before = lifeOf(await getPod(namespace, name))
    const diagnosis = await service.diagnose({ pod: `${namespace}/${name}` }, 2 * (deadlineSeconds + startDeadlineSeconds))
    expect(lifeOf(await getPod(namespace, name))).toEqual(before)
    return diagnosis
  }

  beforeAll(async () => {
    if (isLab) await faultyImage()
  })

  test('0.1 core, all of it in use: the report is whole within its deadline', async () => {
    // The user and group of the first container: it need not find out whom a second one has to be.
    const user = { runAsUser: 65_532, runAsGroup: 65_532 }
    const pod = await start(served('slow', ['spin 2'], { limits: { cpu: '100m', memory: '128Mi' } }, { spec: { securityContext: user } }))
    await usageMeasured(pod)
    const { outcome, containers, findings } = await unharmed(pod)
    expect(outcome).toBe('complete')
    for (const container of containers) {
      expect(container).toMatchObject({ proven: true, exitCode: 0 })
      const seconds = (Date.parse(container.finishedAt ?? '') - Date.parse(container.startedAt ?? '')) / 1000
      console.log(`In a pod of 0.1 core that uses all of it, the checks of ${container.name} took ${seconds} s of ${deadlineSeconds} s`)
      // The kubelet tells whole seconds.
      expect(seconds).toBeLessThanOrEqual(deadlineSeconds + 2)
    }
    // Which of the checks are done in so little time is chance; what starves them is told nevertheless.
    const titles = findings.map(({ title }) => title)
    expect(titles, JSON.stringify(containers)).toContainEqual(
      expect.stringMatching(/^CPU of container app is at \d+ % of its limit: 0\.\d+ of 0\.10 cores$/),
    )
    const unseen = containers.flatMap(({ skipped = [] }) => skipped.map(({ check }) => check))
    console.log(`In a pod of 0.1 core that uses all of it, not seen: ${unseen.join(', ') || 'nothing'}; found: ${titles.join('; ')}`)
  }, 240_000)

  /** Waits until metrics.k8s.io has measured the pod's container in a window in which it ran all the time. */
  async function usageMeasured({ metadata, status }: RawPod): Promise<void> {
    const began = Date.parse(status.containerStatuses?.[0]?.state?.running?.startedAt ?? '')
    await vi.waitFor(
      async () => {
        const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${metadata.namespace}/pods/${metadata.name}`
        const { timestamp, window } = JSON.parse(await kubectl(['get', '--raw', path]))
        if (!(Date.parse(timestamp) - Number.parseFloat(window) * 1000 > began)) throw new Error(`measured ${window} until ${timestamp}`)
      },
      { timeout: 90_000, interval: 2000 },
    )
  }

  test('no process id left: the container does not start, which is told, and the target lives', async () => {
    const pod = await start(served('no-ids', [], { limits: { memory: '128Mi' } }))
    limitProcesses(pod.metadata.uid, 0)
    const { outcome, explanation, containers } = await unharmed(pod)
    expect(outcome).not.toBe('complete')
    expect(`${explanation} ${containers.map(({ gaps }) => gaps?.join(' '))}`).toMatch(/start|end line|fork|resource/i)
  })

  test('process ids for a shell and little more: what cannot be run is told, and the target lives', async () => {
    const pod = await start(served('few-ids', [], { limits: { memory: '128Mi' } }))
    // The runtime's own init has several threads until the shell takes its place.
    limitProcesses(pod.metadata.uid, 9)
    const { outcome, explanation, containers } = await unharmed(pod)
    if (outcome !== 'complete') expect(`${explanation} ${containers.map(({ gaps }) => gaps?.join(' '))}`).toMatch(/start|end line|fork|resource/i)
  })

  test('a full volume: named, and nothing is written', async () => {
    const pod = await start(
      served(
        'full',
        ['fill /data/events'],
        { limits: { memory: '128Mi' } },
        {
          container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
          spec: { volumes: [{ name: 'data', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } }] },
        },
      ),
    )
    await logThat(namespace, 'full', 'no space left')
    const { outcome, findings } = await unharmed(pod)
    expect(outcome).toBe('complete')
    expect(findings[0]?.title).toMatch(/\/data.*full/)
  })

  test('ephemeral storage within 512 KiB of its limit: what the report takes of it gets nobody evicted', async () => {
    const limits = { memory: '128Mi', 'ephemeral-storage': '4Mi' }
    const pod = await start(
      served(
        'brim',
        ['hold /data/a 3'],
        { limits },
        { container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] }, spec: { volumes: [{ name: 'data', emptyDir: {} }] } },
      ),
    )
    const { outcome } = await unharmed(pod)
    expect(outcome).toBe('complete')
    // The kubelet looks every ten seconds: it must have looked at the report too.
    await storageMeasured(pod.metadata.uid)
    const after = await getPod(namespace, 'brim')
    expect(after.status.phase).toBe('Running')
    expect(lifeOf(after)).toMatchObject([{ restartCount: 0 }])
  })

  /** Waits until the kubelet has measured the pod's storage with the diagnostic container in it, twice. */
  async function storageMeasured(uid: string): Promise<void> {
    const [node = ''] = (await kubectl(['get', 'nodes', '-o', 'name'])).trim().split('\n')
    const measure = async (): Promise<{ readonly time?: string; readonly usedBytes?: number }> => {
      const summary = JSON.parse(await kubectl(['get', '--raw', `/api/v1/nodes/${node.replace('node/', '')}/proxy/stats/summary`]))
      return summary.pods.find((one: { podRef: { uid: string } }) => one.podRef.uid === uid)?.['ephemeral-storage'] ?? {}
    }
    const first = await measure()
    const since = Math.max(Date.parse(first.time ?? ''), Date.now())
    await vi.waitFor(
      async () => {
        const { time = '', usedBytes } = await measure()
        if (!(Date.parse(time) > since + 10_000)) throw new Error(`measured at ${time}, ${usedBytes} bytes`)
      },
      { timeout: 60_000, interval: 2000 },
    )
  }
})
