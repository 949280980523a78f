import { describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { gather } from '../../src/diagnosis/gather/gather.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import type { Cluster } from '../../src/ports/cluster/cluster.ts'
import { captured as capture, capturedNames as names } from './gather-world.ts'

async function gatherCaptured(name: string) {
  const captured = capture(name)
  const { pod } = captured
  const cluster = {
    name: 'main',
    getPod: async () => pod,
    version: async () => ({ gitVersion: 'v1.34.4' }),
    listPodEvents: async () => captured.events,
    podMetrics: async () => captured.metrics ?? undefined,
    tailLog: async (_: unknown, __: unknown, { previous }: { readonly previous?: boolean }) =>
      new TextEncoder().encode(previous ? captured.previousLog : captured.log),
  } as unknown as Cluster
  const config = configSchema.parse({
    publicUrl: 'https://d.example',
    clusters: { main: { inCluster: true } },
    store: { kind: 'files', directory: 'x' },
  })
  const { namespace, name: podName } = pod.metadata
  return gather(
    {
      id: 'ad-0123456789abcdefghjk',
      createdAt: captured.now,
      requester: 'alice',
      cluster: 'main',
      target: { kind: 'pod', namespace, name: podName },
      profile: 'auto',
      checks: [],
    },
    {
      cluster,
      config,
      redactor: makeRedactor(),
      bounds: { check: () => undefined, use: () => undefined },
      clock: { now: () => Date.parse(captured.now), sleep: async () => undefined },
    },
    new AbortController().signal,
  )
}

describe('the first finding of a captured pod', () => {
  test.each([
    ['config-key-missing', /databaseUrl.*ConfigMap/],
    ['crashing', /exit code 1 again and again/],
    ['env-missing', /DATABASE_URL/],
    ['image-missing', /pull.*shop:2\.4\.1|shop:2\.4\.1.*pull/],
    ['init-fails', /migrate.*exit code 3/],
    ['liveness-kills', /Liveness probe.*restart/],
    ['memory-near-limit', /Memory.*limit/],
    ['oom-killed', /OOM-killed/],
    ['readiness-404', /Readiness probe.*404/],
    ['unschedulable', /on no node.*affinity/],
  ])('%s', async (name, title) => {
    const { gathered } = await gatherCaptured(name)
    expect(gathered.findings[0]).toMatchObject({ severity: 'error', source: 'evidence', title: expect.stringMatching(title) })
  })
})

test.each([...names.filter((name) => name.startsWith('healthy-')), 'completed', 'sidecar'])('nothing is wrong with the pod %s', async (name) => {
  const { gathered } = await gatherCaptured(name)
  // What its own log says of others is no fault of the pod.
  expect(gathered.findings.filter(({ check }) => check !== 'log')).toEqual([])
})

test('the memory limit of a pod with a sidecar is that of its cgroup, as the kubelet set it', async () => {
  // Read from memory.limit_in_bytes of the pod's cgroup when it was captured.
  expect((await gatherCaptured('sidecar')).gathered.headroom).toMatchObject({ kind: 'known', limitBytes: 117_440_512 })
})

test('the literal values of environment variables leave no captured pod', async () => {
  const { files } = await gatherCaptured('sidecar')
  expect(JSON.stringify(files)).toContain('DB_PASSWORD')
  expect(JSON.stringify(files)).not.toContain('made-up-0000')
})

test('the neighbour that its log names is hinted at, its name first', async () => {
  const { gathered } = await gatherCaptured('healthy-caller')
  expect(gathered.hints).toEqual([
    { name: 'dns', param: 'bananas' },
    { name: 'http', param: 'http://bananas:8080' },
  ])
})
