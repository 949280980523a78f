import { describe, expect, test } from 'vitest'
import { platform } from '#platform'
import { leftOut } from '../../src/diagnosis/bound-findings.ts'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { columnsOf, rowOf } from '../../src/ports/records/schema.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { resultBytes } from './limits-count.ts'
import { hostileTransport, measured, podWith } from './limits-world.ts'

/** https://developers.cloudflare.com/workers/platform/limits/ and those of Workflows and D1. */
const connections = 6
const stepResultBytes = 1024 ** 2
const rowBytes = 2_000_000

type Measured = Awaited<ReturnType<typeof measured>>

/** Whatever it was made of, a diagnosis keeps all limits; `most` tells what came closest to each. */
function expectWithin({ counter, step, diagnosis }: Measured): void {
  for (const [name, open] of counter.most) expect(open, `open connections of step ${name}`).toBeLessThanOrEqual(connections)
  expect(counter.left, 'connections that were left open').toBe(0)
  for (const [name, result] of step.saved) expect(resultBytes(result), `bytes of step ${name}`).toBeLessThan(stepResultBytes)
  const row = JSON.stringify({ ...rowOf(diagnosis, undefined, ''), ...columnsOf(diagnosis) })
  expect(new TextEncoder().encode(row).length).toBeLessThan(rowBytes)
  expect(new Set(step.names).size).toBe(step.names.length)
  expect(step.failures).toEqual([])
}

const finding = (n: number, evidence: string) => [
  `not ok ${n} - trouble ${n}`,
  '  ---',
  `  evidence: "${evidence}"`,
  `  cause: "${evidence}"`,
  `  next: "${evidence}"`,
  '  ...',
]
const printFindings = (count: number, evidence: string) => (n: number) => (n < 6 * count ? finding(Math.floor(n / 6), evidence)[n % 6] : undefined)
/** Entries of the annotation that names checks. */
const wrongChecks = Array.from({ length: 20_000 }, (_, n) => `wrong-${n}`).join(' ')
const failed = (name: string) => ({
  name,
  ready: false,
  restartCount: 3,
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { exitCode: 1, reason: 'Error', message: `error ${'字'.repeat(3000)}`, finishedAt: '2026-01-02T03:04:00Z' } },
})

describe('a diagnosis', () => {
  test('of the demo keeps the limits of Workers, far from them', async () => {
    const emulator = await platform.openEmulator()
    const cluster = kubernetesCluster({ name: 'main', transport: emulator.transport, clock: wallClock })
    for await (const pod of cluster.watchPod(demoPod, AbortSignal.timeout(10_000)))
      if (pod?.status.containerStatuses?.every(({ ready }) => ready)) break
    const made = await measured(emulator.transport, { target: { kind: 'pod', ...demoPod } })
    await emulator.close()
    expect(made.diagnosis.outcome).toBe('complete')
    expectWithin(made)
    const { counter } = made
    // Measured: 14, 24 and 15. What the clock adds, as one more look whether it was cancelled, has room.
    expect(counter.sum('cluster')).toBeLessThanOrEqual(20)
    expect(counter.sum('records')).toBeLessThanOrEqual(32)
    expect(counter.sum('store')).toBeLessThanOrEqual(24)
  })

  test('of a pod with ten containers that all ended reads few of them at a time', async () => {
    const names = Array.from({ length: 10 }, (_, n) => `app-${n}`)
    const pod = podWith(
      names.map((name) => ({ name })),
      { status: { containerStatuses: names.map(failed) } },
    )
    const made = await measured(hostileTransport({ pod, tail: 'error: it ended\n'.repeat(1000) }))
    expectWithin(made)
    // All of them: pod, node, events, services, version, metrics, and two logs of four containers.
    expect(made.counter.sum('cluster', 'gather')).toBe(14)
  })

  test('of a pod of 1.4 MB, with 500 events, 20 containers and long logs', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `app-${n}`)
    const long = '字'.repeat(20_000)
    const words = long.slice(0, 2000)
    const annotations = {
      'autodiagnose.dev/checks': wrongChecks,
      ...Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`autodiagnose.dev/${n}`, long.slice(0, 300)])),
    }
    const command = ['sh', '-c', 'true '.repeat(100_000)]
    const pod: RawPod = podWith(
      names.map((name) => ({ name, command, image: long })),
      { metadata: { annotations }, status: { containerStatuses: names.map((name) => ({ ...failed(name), imageID: 'sha256:1' })) } },
    )
    const at = new Date(wallClock.now()).toISOString()
    const events = Array.from({ length: 500 }, (_, n) => ({ type: 'Warning', reason: `${n}${words}`, message: words, lastTimestamp: at }))
    const made = await measured(hostileTransport({ pod, events, tail: `${'error 字 '.repeat(2000)}\n`.repeat(200) }))
    expect(made.diagnosis.outcome).toBe('incomplete')
    expectWithin(made)
    expect(made.diagnosis.findings.length).toBeGreaterThan(20)
    expect(made.diagnosis.findings.map(({ evidence }) => evidence)).toContain(leftOut)
  })

  test('of a pod with 20,000 wrong entries in an annotation tells ten of them, and how many others there are', async () => {
    const pod = podWith([{ name: 'app' }], { metadata: { annotations: { 'autodiagnose.dev/checks': wrongChecks } } })
    const made = await measured(hostileTransport({ pod }))
    expectWithin(made)
    const told = made.diagnosis.findings.filter(({ check }) => check === 'annotations').map(({ title }) => title)
    expect(told).toHaveLength(11)
    expect(told).toContain('The annotations autodiagnose.dev/… of the pod have 19990 other entries that are not used')
  })

  test.each([
    ['of three bytes', '字'.repeat(2000)],
    ['that JSON escapes', '\\u0001'.repeat(2000)],
    ['of quotation marks', '\\"'.repeat(2000)],
    ['of one byte, and one of three', `字${'x'.repeat(1999)}`],
  ])('of a container with 10,000 findings, its evidence %s', async (_, evidence) => {
    const pod = podWith([{ name: 'app' }])
    const request = { profile: 'auto' } as const
    const blind = '# autodiagnose target pid=1 uid=7 gid=7 visible=no'
    const print = printFindings(10_000, evidence)
    // The second container prints as much.
    const made = await measured(hostileTransport({ pod, print: (n) => (n === 0 ? blind : print(n - 1)) }), request, {
      diagnosis: { outputBytes: '8Mi' },
    })
    expect(made.diagnosis.containers).toHaveLength(2)
    expectWithin(made)
    const [first] = made.diagnosis.findings
    expect(first).toMatchObject({ title: 'trouble 0', severity: 'error' })
    expect(first?.evidence).toHaveLength(2000)
    expect(made.diagnosis.explanation).toMatch(/cut at its byte cap|findings: the worst \d+ are kept, all are in its log/)
  })

  test('of a container that printed 40 MB', async () => {
    const line = 'x'.repeat(1000)
    const pod = podWith([{ name: 'app' }])
    const made = await measured(hostileTransport({ pod, print: (n) => (n < 40_000 ? line : undefined) }), {}, { diagnosis: { outputBytes: '64Mi' } })
    expect(made.diagnosis.containers[0]).toMatchObject({ lines: 40_000 })
    expect(made.step.names).toContain('listen-1-2')
    expectWithin(made)
  })
})
