import { platform } from '#platform'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import type { Clock, Deps } from '../../src/deps.ts'
import { diagnose } from '../../src/diagnose.ts'
import type { Diagnosis, DiagnosisRequest } from '../../src/diagnosis/diagnosis.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import type { Raw, RawContainer, RawPod, Transport } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import type { Tracker } from '../../src/ports/tracker/tracker.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { Counter, countingRecords, countingStore, countingTracker, countingTransport } from './limits-count.ts'
import { id, MemoryStep } from './story-world.ts'

/** What a pod and whoever writes about it may bring about. */
export interface Hostile {
  readonly pod: RawPod
  /** Under which it is asked for. Default: that of {@link podRef}. */
  readonly name?: string
  readonly events?: readonly Raw[]
  /** The log of each of its own containers. */
  readonly tail?: string
  /** The lines that our container prints, counted from 0; undefined: no more. They must not have the end line. */
  readonly print?: (n: number) => string | undefined
}

export const podRef = { namespace: 'shop', name: 'cart' }
const printedFrom = Date.parse('2026-01-02T03:04:05Z')

export function podWith(containers: readonly RawContainer[], more: { metadata?: Raw; status?: Raw } = {}): RawPod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...podRef, uid: 'u-1', resourceVersion: '1', ...more.metadata },
    spec: { nodeName: 'node-1', containers },
    status: {
      phase: 'Running',
      containerStatuses: containers.map(({ name }) => ({
        name,
        ready: true,
        restartCount: 0,
        imageID: `registry.example/app@sha256:${'0'.repeat(64)}`,
        containerID: 'containerd://1',
        state: { running: { startedAt: '2026-01-02T03:00:00Z' } },
      })),
      ...more.status,
    },
  }
}

/** A cluster of that one pod, in which an added container has ended at once. */
export function hostileTransport({ pod: given, name = podRef.name, events = [], tail = '', print = () => undefined }: Hostile): Transport {
  let pod = given
  const add = async (request: Request): Promise<void> => {
    const { spec } = (await request.json()) as { spec: { ephemeralContainers: RawContainer[] } }
    const ephemeralContainers = [...(pod.spec.ephemeralContainers ?? []), ...spec.ephemeralContainers]
    const state = { terminated: { exitCode: 0, startedAt: '2026-01-02T03:04:05Z', finishedAt: '2026-01-02T03:04:06Z' } }
    const ephemeralContainerStatuses = ephemeralContainers.map(({ name }) => ({ name, state }))
    pod = { ...pod, spec: { ...pod.spec, ephemeralContainers }, status: { ...pod.status, ephemeralContainerStatuses } }
  }
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/version') return Response.json({ gitVersion: 'v1.34.4' })
    if (pathname.endsWith('/events')) return Response.json({ kind: 'EventList', apiVersion: 'v1', items: events })
    if (pathname.endsWith('/ephemeralcontainers')) {
      if (!searchParams.has('dryRun')) await add(request)
      return Response.json(pod)
    }
    if (pathname.endsWith('/log'))
      return new Response(searchParams.get('container')?.startsWith('ad-') ? printed(print, searchParams.get('sinceTime')) : tail)
    if (pathname.endsWith(`/pods/${name}`)) return Response.json(pod)
    if (pathname.endsWith('/pods') && searchParams.has('watch')) return new Response(new ReadableStream())
    if (pathname.endsWith('/pods')) return Response.json({ metadata: { resourceVersion: '1' }, items: [pod] })
    return Response.json({ kind: 'Status', message: 'the server could not find it', code: 404 }, { status: 404 })
  }
}

/** A line a millisecond; `sinceTime` leaves out what is older. */
function printed(print: (n: number) => string | undefined, sinceTime: string | null): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let n = sinceTime === null ? 0 : Math.max(0, Date.parse(sinceTime) - printedFrom)
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        let text = ''
        for (let line = print(n); line !== undefined && text.length < 65_536; line = print(++n))
          text += `${new Date(printedFrom + n).toISOString().replace('Z', '000000Z')} ${line}\n`
        if (text === '') controller.close()
        else controller.enqueue(encoder.encode(text))
      },
    },
    { highWaterMark: 0 },
  )
}

/** One diagnosis over that transport, with everything counted. Records and store are real ones. */
export async function measured(
  transport: Transport,
  request: Partial<DiagnosisRequest> = {},
  config: Partial<ConfigInput> = {},
  clock: Clock = wallClock,
) {
  const counter = new Counter()
  const step = new MemoryStep(1, async (name) => {
    counter.step = name
  })
  const records = countingRecords(await platform.openRecords(clock), counter)
  const tracker: Tracker = {
    writeNote: async () => ({ noteId: '1' }),
    openIssue: async () => ({ key: 'bug-1', state: 'made' }),
    closeIssue: async () => undefined,
    keyOfUrl: () => undefined,
    complainAboutKey: () => undefined,
    complainAboutProject: () => undefined,
  }
  const deps: Deps = {
    config: configSchema.parse({
      publicUrl: 'https://d.example',
      clusters: { main: { inCluster: true } },
      store: { kind: 'files', directory: 'unused' },
      ...config,
    }),
    clusters: new Map([['main', kubernetesCluster({ name: 'main', transport: countingTransport(transport, counter), clock })]]),
    store: countingStore(await platform.openStore(), counter),
    records,
    trackers: new Map([['bugs', countingTracker(tracker, counter)]]),
    redactor: makeRedactor(),
    clock,
    log: () => undefined,
    runs: { start: () => Promise.reject(new Error('Nothing is started here')) },
    verifyWebhook: () => Promise.reject(new Error('Nothing is delivered here')),
    wake: () => undefined,
    stopping: new AbortController().signal,
  }
  const accepted: DiagnosisRequest = {
    id,
    createdAt: new Date(clock.now()).toISOString(),
    requester: 'alice',
    cluster: 'main',
    target: { kind: 'pod', ...podRef },
    profile: 'auto',
    checks: [],
    report: { tracker: 'bugs', key: 'bug-1' },
    ...request,
  }
  await records.accept(accepted)
  await diagnose(accepted, step, deps)
  const diagnosis = (await records.get(id)) as Diagnosis
  return { diagnosis, counter, step, deps }
}
