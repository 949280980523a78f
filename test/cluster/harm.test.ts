import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { isLab, kubectl, needsLab, useNamespace } from './environment.ts'
import { faultyImage } from './faulty-image.ts'
import { create, getPod, kubectlAgain, logThat, podThat } from './pods.ts'
import { redmineLab, renderedNote } from './redmine-lab.ts'
import { type LabService, useService } from './service.ts'
import { useSilentServer } from './silent-server.ts'

const limited = (name: string, megabytes: number, limit = '64Mi') => ({
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'app',
        image: 'localhost/tools:1',
        // Its memory is files in memory, which count in its cgroup and are not given back.
        command: ['sh', '-c', `trap 'exit 7' TERM; head -c ${megabytes}M /dev/zero > /cache/filled; echo filled; while :; do sleep 0.2; done`],
        resources: { limits: { memory: limit } },
        volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
      },
    ],
    volumes: [{ name: 'cache', emptyDir: { medium: 'Memory' } }],
  },
})

/** As the case memory-near-limit has it, without the sidecar whose limit leaves room. */
const heap = {
  kind: 'Pod',
  metadata: { name: 'heap' },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'app', image: 'localhost/faulty:1', args: ['serve :8080 200', 'grow 55'], resources: { limits: { memory: '64Mi' } } }],
  },
}

const restartsOf = ({ status }: RawPod): number => status.containerStatuses?.[0]?.restartCount ?? Number.NaN

/** Waits until metrics.k8s.io has measured it with at least so many MiB. */
const measured = (namespace: string, pod: string, mebibytes: number) =>
  vi.waitFor(
    async () => {
      const { containers } = JSON.parse(await kubectl(['get', '--raw', `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods/${pod}`]))
      const kibibytes = Number(/^(\d+)Ki$/.exec(containers[0].usage.memory)?.[1])
      if (!(kibibytes / 1024 >= mebibytes)) throw new Error(`measured ${containers[0].usage.memory}, wanted ${mebibytes}Mi`)
    },
    { timeout: 90_000, interval: 500 },
  )

describe('a pod without memory to spare', () => {
  needsLab()
  const namespace = useNamespace('headroom')
  const service = useService({ watched: [namespace] })
  const daring = useService({ watched: [namespace], harm: { unknownHeadroom: 'inject' } })
  let redmine: ReturnType<typeof redmineLab>

  beforeAll(async () => {
    if (!isLab) return
    redmine = redmineLab()
    await create(namespace, limited('full', 59))
    await create(namespace, limited('roomy', 8))
    await faultyImage()
    await create(namespace, heap)
    await logThat(namespace, 'full', 'filled')
    await logThat(namespace, 'heap', 'cache: 55 MiB')
    await measured(namespace, 'heap', 60)
    await measured(namespace, 'full', 57)
    await measured(namespace, 'roomy', 7)
  })
  afterAll(async () => {
    if (isLab) await redmine?.clean()
  })

  test('at 96 % of its limit: refused, told, and unharmed', async () => {
    const before = await getPod(namespace, 'full')
    const issue = await redmine.newIssue()
    for (const asked of [service, daring]) {
      const diagnosis = await asked.diagnose({ pod: `${namespace}/full`, report: `redmine:${issue}` })
      expect(diagnosis).toMatchObject({ outcome: 'refused', refusal: { code: 'headroom' } })
      expect(diagnosis.refusal?.message).toMatch(/has \d\.\d MiB of its 64\.0 MiB memory limit left.*16\.0 MiB/)
      expect(diagnosis.bundle?.bytes).toBeGreaterThan(1000)
    }
    const after = await getPod(namespace, 'full')
    expect(after.spec.ephemeralContainers).toBeUndefined()
    expect(after.status.containerStatuses).toEqual(before.status.containerStatuses)
    const notes = await redmine.notesOf(issue)
    // One of each diagnosis.
    expect(notes).toHaveLength(2)
    expect(await renderedNote(redmine.url, issue, notes[0]?.id ?? 0)).toMatch(/headroom: .* of its 64\.0 MiB memory limit left/)
  })

  test('at 96 % of its limit by its heap: it lives through 20 diagnoses, and each names it', async () => {
    // Refused by what metrics.k8s.io says, whatever is allowed for pods that are not measured.
    const before = await getPod(namespace, 'heap')
    for (let n = 0; n < 20; n++) {
      const { outcome, refusal, findings } = await daring.diagnose({ pod: `${namespace}/heap` })
      expect({ outcome, code: refusal?.code }).toEqual({ outcome: 'refused', code: 'headroom' })
      expect(findings[0]?.title).toMatch(/^Memory of container app is at 9[5-7] % of its limit: 6\d(\.\d)? of 64 MiB$/)
    }
    const after = await getPod(namespace, 'heap')
    expect(after.spec.ephemeralContainers).toBeUndefined()
    expect(after.status.containerStatuses).toEqual(before.status.containerStatuses)
  })

  test('with room: diagnosed, and it goes on', async () => {
    const diagnosis = await service.diagnose({ pod: `${namespace}/roomy` })
    expect(diagnosis.outcome).toBe('complete')
    expect(restartsOf(await getPod(namespace, 'roomy'))).toBe(0)
  })

  test('not measured yet: the evidence alone, unless configuration says otherwise', async () => {
    await create(namespace, limited('fresh', 4))
    // Asked as soon as it runs: the first measurement takes seconds.
    await podThat(namespace, 'fresh', ({ status }) => status.containerStatuses?.[0]?.state?.running !== undefined)
    const [careful, bold] = await Promise.all([
      service.diagnose({ pod: `${namespace}/fresh` }),
      daring.diagnose({ pod: `${namespace}/fresh`, checks: ['resolv'] }),
    ])
    expect(careful).toMatchObject({ outcome: 'refused', refusal: { code: 'headroom-unknown' } })
    expect(careful.refusal?.message).toContain('harm.unknownHeadroom')
    expect(bold.outcome).toBe('complete')
  })
})

describe('targets that come to harm', () => {
  needsLab()
  const namespace = useNamespace('harm')
  const { slow } = useSilentServer()
  const service = useService({ watched: [namespace] })

  beforeAll(async () => {
    if (!isLab) return
    for (const name of ['one', 'two', 'three']) await create(namespace, unlimited(name))
    for (const name of ['one', 'two', 'three']) await logThat(namespace, name, 'here')
  })

  test('two of them pause injection until an operator resumes it', async () => {
    const first = await harmed(service, namespace, 'one', slow)
    expect(first.findings).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        title: expect.stringMatching(/^Container app ended while it was diagnosed \(Error, exit code 7/),
      }),
    )
    // It shares the process namespace of the target, and ends with it.
    expect(first.outcome).toBe('incomplete')
    expect(await switchOf(service)).toMatchObject({ paused: false, harmed: [first.id] })
    const second = await harmed(service, namespace, 'two', slow)
    expect(await switchOf(service)).toMatchObject({ paused: true, harmed: [first.id, second.id] })

    const third = await service.diagnose({ pod: `${namespace}/three`, checks: ['resolv'] })
    expect(third).toMatchObject({ outcome: 'refused', refusal: { code: 'paused' } })
    expect((await getPod(namespace, 'three')).spec.ephemeralContainers).toBeUndefined()

    expect((await service.call('POST', '/v1/injection', { paused: false })).status).toBe(200)
    expect(await switchOf(service)).toMatchObject({ paused: false, by: 'alice', harmed: [] })
    expect((await service.diagnose({ pod: `${namespace}/three`, checks: ['resolv'] })).outcome).toBe('complete')
  })
})

const unlimited = (name: string) => ({
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'app', image: 'localhost/tools:1', command: ['sh', '-c', "trap 'exit 7' USR1; echo here; while :; do sleep 0.1; done"] }],
  },
})

/** Begins a diagnosis, has the target end with code 7 while it is looked into, and waits for the end. */
async function harmed(service: LabService, namespace: string, pod: string, slow: readonly string[]): Promise<View> {
  const { id } = await service.begin({ pod: `${namespace}/${pod}`, checks: slow })
  await service.until(id, ({ state }) => state === 'listening')
  await kubectlAgain(['-n', namespace, 'exec', pod, '-c', 'app', '--', 'sh', '-c', 'kill -USR1 1'])
  await podThat(namespace, pod, (now) => restartsOf(now) === 1)
  return service.until(id, ({ state }) => state === 'done')
}

async function switchOf(service: LabService): Promise<unknown> {
  return (await service.call('GET', '/v1/injection')).json()
}
