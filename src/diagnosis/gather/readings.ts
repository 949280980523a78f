import type { Config } from '../../config.ts'
import type { Clock } from '../../deps.ts'
import { type Cluster, ClusterUnavailable, type Raw, type RawPod } from '../../ports/cluster/cluster.ts'
import type { RedactionCounts, Redactor } from '../redact/redactor.ts'
import { blockingInit } from './containers.ts'
import { slots } from './slots.ts'

/** What was read beside the pod. A part that could not be read is missing, and `unread` says why under its file's path. */
export interface Readings {
  /** Redacted. */
  readonly eventList?: Raw
  readonly events: readonly PodEvent[]
  readonly version?: Raw
  readonly metrics?: Raw
  /** By container, of the target and of those that have ended: the ends of their logs, redacted. */
  readonly logs: ReadonlyMap<string, LogTails>
  readonly unread: Readonly<Record<string, string>>
  readonly redactions: RedactionCounts
}

export interface LogTails {
  readonly current: string
  /** Of the run before. */
  readonly previous: string
}

/** The part of `v1.Event` that findings are made of. */
export interface PodEvent {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
  readonly count?: number
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string } | null
  readonly firstTimestamp?: string | null
  readonly lastTimestamp?: string | null
  readonly eventTime?: string | null
  readonly involvedObject?: { readonly fieldPath?: string }
}

export interface ReadingDeps {
  readonly cluster: Pick<Cluster, 'listPodEvents' | 'version' | 'podMetrics' | 'tailLog'>
  readonly config: Pick<Config, 'evidence'>
  readonly redactor: Pick<Redactor, 'text' | 'json'>
  readonly clock: Clock
}

export const paths = {
  pods: (namespace: string) => `cluster-resources/pods/${namespace}.json`,
  events: (namespace: string) => `cluster-resources/events/${namespace}.json`,
  version: 'cluster-info/cluster_version.json',
  metrics: (pod: RawPod) => `metrics/${pod.metadata.namespace}/${pod.metadata.name}.json`,
  log: (pod: RawPod, container: string, previous: boolean) =>
    `cluster-resources/pods/logs/${pod.metadata.namespace}/${pod.metadata.name}/${container}${previous ? '-previous' : ''}.log`,
}

const tailBytes = 262_144
const maxLogs = 4
/** Each part is given this long, and this many attempts while the cluster cannot be reached. */
const patienceMs = 10_000
const attempts = 3
/** Of why a part could not be read. */
const maxWords = 2000
/** What the kubelet says in the place of a log that is gone. */
const isOfKubelet = /^(?:unable to retrieve container logs for \S+|failed to try resolving symlinks in path "[^"]*": .*)\s*$/
/** Parts that are read at the same time: a Worker has six connections, of which one may fetch a token, and one tell the records. */
const atOnce = 4

/** Reads the parts, {@link atOnce} at the same time. None of them is worth failing for. */
export async function readBeside(pod: RawPod, target: string | undefined, deps: ReadingDeps, signal: AbortSignal): Promise<Readings> {
  const { cluster, config, redactor, clock } = deps
  const { namespace, uid, annotations } = pod.metadata
  const unread: Record<string, string> = {}
  const redactions: Record<string, number> = {}
  const count = (counts: RedactionCounts): void => {
    for (const [rule, removed] of Object.entries(counts)) redactions[rule] = (redactions[rule] ?? 0) + removed
  }

  const inTurn = slots(atOnce)
  const part = <T>(path: string, read: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> => inTurn(() => patient(path, read))
  const patient = async <T>(path: string, read: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> => {
    const both = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
    for (let attempt = 1; ; attempt++) {
      try {
        return await read(both)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof ClusterUnavailable && attempt < attempts && !both.aborted) {
          await clock.sleep(200 * attempt, both)
          continue
        }
        unread[path] = both.aborted
          ? `not answered within ${patienceMs / 1000} s`
          : (error instanceof Error ? error.message : String(error)).slice(0, maxWords)
        return undefined
      }
    }
  }
  const tail = async (container: string, previous: boolean): Promise<string> => {
    const path = paths.log(pod, container, previous)
    const options = { tailLines: config.evidence.tailLines, limitBytes: tailBytes, previous }
    const bytes = await part(path, (both) => cluster.tailLog(pod.metadata, container, options, both))
    const read = new TextDecoder().decode(bytes ?? new Uint8Array())
    const { text, counts } = redactor.text(path, isOfKubelet.test(read) ? '' : read)
    count(counts)
    return text
  }
  const eventListOf = async (ofUid: string): Promise<Raw | undefined> => {
    const path = paths.events(namespace)
    const list = await part(path, (both) => cluster.listPodEvents(pod.metadata, ofUid, both))
    if (!list) return undefined
    const { value, counts } = redactor.json(path, list)
    count(counts)
    return value
  }
  const logsOf = logged(pod, target).map(async ({ name, restarted }) => {
    const [current, previous] = await Promise.all([tail(name, false), restarted ? tail(name, true) : ''])
    return [name, { current, previous }] as const
  })

  // The kubelet's events of a static pod name the file's digest, not the UID of the mirror.
  const eventsOf = annotations?.['kubernetes.io/config.mirror'] ?? uid
  const [eventList, version, metrics, logs] = await Promise.all([
    eventListOf(eventsOf),
    part(paths.version, (both) => cluster.version(both)),
    part(paths.metrics(pod), (both) => cluster.podMetrics(pod.metadata, both)),
    Promise.all(logsOf),
  ])
  return {
    ...(eventList ? { eventList } : {}),
    // A redactor file may have hidden the items whole.
    events: Array.isArray(eventList?.items) ? eventList.items : [],
    ...(version ? { version } : {}),
    ...(metrics ? { metrics } : {}),
    logs: new Map(logs),
    unread,
    redactions,
  }
}

/** The target, whatever has failed beside it, and the init container for which the others wait. */
function logged(pod: RawPod, target: string | undefined): readonly { readonly name: string; readonly restarted: boolean }[] {
  const all = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]
  const own = all.filter(({ name }) => name === target)
  const init = blockingInit(pod)?.name
  const troubled = all.filter(({ name, state, lastState }) => {
    const ended = state?.terminated ?? lastState?.terminated
    return name !== target && (name === init || (ended !== undefined && ended.exitCode !== 0))
  })
  return [...own, ...troubled].slice(0, maxLogs).map(({ name, restartCount = 0 }) => ({ name, restarted: restartCount > 0 }))
}
