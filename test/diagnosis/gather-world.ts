import { expect } from 'vitest'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import type { Bounds } from '../../src/diagnosis/bounds.ts'
import type { DiagnosisRequest, Finding } from '../../src/diagnosis/diagnosis.ts'
import { gather } from '../../src/diagnosis/gather/gather.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import type { Cluster, Raw, RawPod } from '../../src/ports/cluster/cluster.ts'

/** What a real cluster told of a pod at one moment. */
export interface Captured {
  /** RFC 3339. */
  readonly now: string
  readonly pod: RawPod
  readonly events: Raw
  readonly metrics: Raw | null
  readonly log: string
  readonly previousLog: string
}

const files = import.meta.glob<string>('../fixtures/pods/*.json', { query: '?raw', import: 'default', eager: true })

export const capturedNames: readonly string[] = Object.keys(files).map((path) => path.replace(/^.*\/|\.json$/g, ''))

export function captured(name: string): Captured {
  const text = files[`../fixtures/pods/${name}.json`]
  if (text === undefined) throw new Error(`There is no captured pod "${name}"`)
  return JSON.parse(text)
}

/** The captured pod with changes of its spec's first container, status or metadata. */
export function changed(world: Captured, change: { container?: Raw; spec?: Raw; status?: Raw; metadata?: Raw }): Captured {
  const { pod } = world
  const [first, ...others] = pod.spec.containers
  const spec = { ...pod.spec, containers: [{ ...first, ...change.container }, ...others], ...change.spec }
  return { ...world, pod: { ...pod, metadata: { ...pod.metadata, ...change.metadata }, spec, status: { ...pod.status, ...change.status } } as RawPod }
}

/** A reader is never left with a sentence alone: whatever a test gathers has a cause and a next step. */
export function expectWhyAndNext(finding: Finding): void {
  const text = expect.stringMatching(/^\S.{9,}/)
  expect(finding, `${finding.id} has a cause and a next step`).toMatchObject({ cause: text, next: text })
  expect(finding.cause).not.toBe(finding.next)
}

/** A cluster that tells what was captured. */
function clusterOf(world: Captured, overrides: Partial<Cluster> = {}): Cluster {
  const no = async () => {
    throw new Error('gathering must not ask for this')
  }
  const { name, namespace } = world.pod.metadata
  return {
    name: 'captured',
    version: async () => ({ major: '1', gitVersion: 'v1.34.4' }),
    getPod: async (ref) => (ref.name === name && ref.namespace === namespace ? world.pod : undefined),
    listPods: async () => [world.pod],
    getWorkload: async () => undefined,
    listPodEvents: async () => world.events,
    listEventsOf: async () => ({ items: [] }),
    listServices: async () => [],
    getNode: async () => undefined,
    podMetrics: async () => world.metrics ?? undefined,
    tailLog: async (_pod, _container, { previous }) => new TextEncoder().encode(previous ? world.previousLog : world.log),
    addEphemeralContainer: no,
    watchPod: () => {
      throw new Error('gathering must not watch')
    },
    watchPods: () => {
      throw new Error('gathering must not watch')
    },
    openLog: no,
    mayI: no,
    whoAmI: no,
    ...overrides,
  }
}

function requestFor(world: Captured, more: Partial<DiagnosisRequest> = {}): DiagnosisRequest {
  const { name, namespace } = world.pod.metadata
  const id = 'ad-01k0000000000000000a'
  return {
    id,
    createdAt: world.now,
    requester: 'tester',
    cluster: 'captured',
    target: { kind: 'pod', namespace, name },
    profile: 'auto',
    checks: [],
    ...more,
  }
}

export async function gatherOf(
  world: Captured,
  {
    request = {},
    cluster = {},
    evidence = {},
    bounds = {},
    diagnosis = {},
  }: {
    request?: Partial<DiagnosisRequest>
    cluster?: Partial<Cluster>
    evidence?: NonNullable<ConfigInput['evidence']>
    bounds?: Partial<Bounds>
    diagnosis?: NonNullable<ConfigInput['diagnosis']>
  } = {},
) {
  const config = configSchema.parse({
    publicUrl: 'https://autodiagnose.example',
    clusters: { captured: { inCluster: true } },
    store: { kind: 'files', directory: 'x' },
    evidence,
    diagnosis,
  })
  const clock = { now: () => Date.parse(world.now), sleep: async () => undefined }
  const deps = {
    cluster: clusterOf(world, cluster),
    config,
    redactor: makeRedactor(),
    clock,
    bounds: { check: () => undefined, use: () => undefined, ...bounds },
  }
  const result = await gather(requestFor(world, request), deps, AbortSignal.timeout(10_000))
  for (const finding of result.gathered.findings) expectWhyAndNext(finding)
  return { ...result, file: (part: string) => result.files.find(({ path }) => path.includes(part))?.text }
}

const web = captured('healthy-web')

/** Before the time at which the healthy pod was captured. */
export const secondsAgo = (seconds: number): string => new Date(Date.parse(web.now) - seconds * 1000).toISOString()

/** A warning of five seconds ago. */
export const event = (reason: string, message: string, more: Raw = {}): Raw => ({
  type: 'Warning',
  reason,
  message,
  lastTimestamp: secondsAgo(5),
  involvedObject: {},
  ...more,
})

/** Without events and without a log. */
export const quiet = (world: Captured): Captured => ({ ...world, events: { items: [] }, log: '', previousLog: '' })

export const findingsOf = async (world: Captured, more: Parameters<typeof gatherOf>[1] = {}) => (await gatherOf(world, more)).gathered.findings
