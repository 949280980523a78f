import type { Clock } from '../../deps.ts'
import { type ApiClient, refusal } from './api-client.ts'
import { ClusterUnavailable, type PodRef, type Raw, type RawPod } from './cluster.ts'
import { apiPath } from './path.ts'

interface PodList {
  readonly metadata: { readonly resourceVersion?: string }
  readonly items: readonly Raw[]
}

/** After this the API server ends a watch, and after a little more we do: a connection that died in silence is noticed. */
const watchSeconds = 240
const longestPauseMs = 2000
/** The version is too old to watch from; some servers say it by their status, most in an event. */
const gone = 410

/**
 * The pod now and after every change, `undefined` when it is gone. However a watch ends, the pod is read again and watched from
 * that version on: what happened in between is in the pod's state. Aborting ends it without a throw.
 */
export async function* watchPod(
  pod: PodRef,
  deps: { readonly api: ApiClient; readonly clock: Clock },
  signal: AbortSignal,
): AsyncGenerator<RawPod | undefined, void, void> {
  const doing = `watch pod "${pod.namespace}/${pod.name}"`
  const path = (query: Readonly<Record<string, string | number>>) =>
    apiPath(['api', 'v1', 'namespaces', pod.namespace, 'pods'], { fieldSelector: `metadata.name=${pod.name}`, ...query })
  let seen: RawPod | undefined
  for (let pauseMs = 0; !signal.aborted; pauseMs = Math.min(longestPauseMs, Math.max(50, pauseMs * 2))) {
    if (pauseMs > 0) await deps.clock.sleep(pauseMs, signal)
    const done = new AbortController()
    try {
      const list = await deps.api.get(doing, path({}), signal)
      if (!list.ok && list.status.code === gone) continue
      if (!list.ok) throw refusal(doing, list.status)
      const { metadata, items } = list.value as unknown as PodList
      // Items of a list come without their kind.
      const now = items[0] && ({ apiVersion: 'v1', kind: 'Pod', ...items[0] } as unknown as RawPod)
      if (!now || (seen && now.metadata.uid !== seen.metadata.uid)) return yield undefined
      const changed = now.metadata.resourceVersion !== seen?.metadata.resourceVersion
      seen = now
      if (changed) yield now

      const query = { watch: 1, resourceVersion: metadata.resourceVersion ?? '', timeoutSeconds: watchSeconds }
      const both = AbortSignal.any([signal, done.signal, AbortSignal.timeout((watchSeconds + 30) * 1000)])
      const watch = await deps.api.open(doing, path(query), both)
      if (!watch.ok && watch.status.code === gone) continue
      if (!watch.ok) throw refusal(doing, watch.status)
      for await (const event of events(watch.value)) {
        if (event.type === 'ERROR') break
        if (event.type === 'BOOKMARK') continue
        pauseMs = 0
        if (event.type === 'DELETED') return yield undefined
        seen = event.object as unknown as RawPod
        yield seen
      }
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof ClusterUnavailable) && !(error instanceof BrokenStream)) throw error
    } finally {
      done.abort()
    }
  }
}

/** The connection of a watch broke: nothing is lost, the pod is read again. */
export class BrokenStream extends Error {
  override readonly name = 'BrokenStream'
}

/** The events of a watch, until its stream ends. Throws BrokenStream. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<{ readonly type: string; readonly object: Raw }, void, void> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new BrokenStream('The connection broke', { cause })
    })
    // What a broken connection leaves of a line is no event.
    if (done) return
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield JSON.parse(line)
  }
}
