import type { Clock } from '../../deps.ts'
import { type ApiClient, refusal } from './api-client.ts'
import { ClusterUnavailable, type Raw, type RawPod } from './cluster.ts'
import { apiPath } from './path.ts'
import { BrokenStream, events } from './watch-pod.ts'

interface PodList {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items: readonly Raw[]
}

interface WatchDeps {
  readonly api: ApiClient
  readonly clock: Clock
}

const pageSize = 500
/** After this the API server ends a watch, and after a little more we do: a connection that died in silence is noticed. */
const watchSeconds = 240
const longestPauseMs = 5000
/** The version is too old to watch from, or to go on with a list. */
const gone = 410

/**
 * All pods of a namespace, a page of 500 at a time, then each after every change of it; those that are deleted are left out. A watch that ends goes on at the last
 * version that was seen; where that is too old, all pods come once more. Aborting ends it without a throw. Throws ClusterForbidden.
 */
export async function* watchPods(namespace: string, deps: WatchDeps, signal: AbortSignal): AsyncGenerator<RawPod, void, void> {
  let version: string | undefined
  for (let pauseMs = 0; !signal.aborted; pauseMs = Math.min(longestPauseMs, Math.max(100, pauseMs * 2))) {
    if (pauseMs > 0) await deps.clock.sleep(pauseMs, signal)
    try {
      version ??= yield* listed(namespace, deps, signal)
      for await (const event of changes(namespace, version, deps, signal)) {
        if (event === 'expired') {
          version = undefined
          break
        }
        pauseMs = 0
        version = event.object.metadata.resourceVersion ?? version
        if (event.type === 'ADDED' || event.type === 'MODIFIED') yield event.object
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Expired) version = undefined
      else if (!(error instanceof ClusterUnavailable) && !(error instanceof BrokenStream)) throw error
    }
  }
}

/** Returns the version to watch from. */
async function* listed(namespace: string, { api }: WatchDeps, signal: AbortSignal): AsyncGenerator<RawPod, string, void> {
  const doing = `list pods of namespace "${namespace}"`
  for (let next: string | undefined; ; ) {
    const list = await api.get(doing, pathOf(namespace, { limit: pageSize, continue: next }), signal)
    if (!list.ok && list.status.code === gone) throw new Expired('The list is too old to go on with')
    if (!list.ok) throw refusal(doing, list.status)
    const { metadata, items } = list.value as unknown as PodList
    // Items of a list come without their kind.
    for (const item of items) yield { apiVersion: 'v1', kind: 'Pod', ...item } as unknown as RawPod
    next = metadata.continue || undefined
    if (next === undefined) return metadata.resourceVersion ?? ''
  }
}

interface Change {
  readonly type: string
  readonly object: RawPod
}

async function* changes(namespace: string, version: string, { api }: WatchDeps, signal: AbortSignal): AsyncGenerator<Change | 'expired', void, void> {
  const doing = `watch pods of namespace "${namespace}"`
  const done = new AbortController()
  const both = AbortSignal.any([signal, done.signal, AbortSignal.timeout((watchSeconds + 30) * 1000)])
  try {
    const query = { watch: 1, resourceVersion: version, allowWatchBookmarks: 'true', timeoutSeconds: watchSeconds }
    const watch = await api.open(doing, pathOf(namespace, query), both)
    if (!watch.ok && watch.status.code === gone) return yield 'expired'
    if (!watch.ok) throw refusal(doing, watch.status)
    for await (const { type, object } of events(watch.value)) {
      if (type === 'ERROR') return yield 'expired'
      yield { type, object: object as unknown as RawPod }
    }
  } finally {
    done.abort()
  }
}

const pathOf = (namespace: string, query: Readonly<Record<string, string | number | undefined>>): string =>
  apiPath(['api', 'v1', 'namespaces', namespace, 'pods'], query)

class Expired extends Error {
  override readonly name = 'Expired'
}
