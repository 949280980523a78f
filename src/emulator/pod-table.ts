import type { PodRef, RawPod } from '../ports/cluster/cluster.ts'
import { Changes } from './changes.ts'

export interface PodEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: RawPod
  readonly version: number
}

/** Events that are kept for watches that come back; an older resourceVersion gets a 410. */
const kept = 1000

/** The pods and their history: what etcd and the watch cache are to a real API server. */
export class PodTable {
  readonly #pods = new Map<string, RawPod>()
  readonly #history: PodEvent[] = []
  readonly #changes = new Changes()
  #version: number

  /** `firstVersion` is the resourceVersion to count on from: higher than that of any earlier life, so that old watches are told 410. */
  constructor(firstVersion: number) {
    this.#version = firstVersion
  }

  get version(): number {
    return this.#version
  }

  /** The oldest resourceVersion that a watch may still start from. */
  get oldestVersion(): number {
    return (this.#history[0]?.version ?? this.#version + 1) - 1
  }

  get({ namespace, name }: PodRef): RawPod | undefined {
    return this.#pods.get(`${namespace}/${name}`)
  }

  list(namespace?: string): RawPod[] {
    return [...this.#pods.values()].filter((pod) => namespace === undefined || pod.metadata.namespace === namespace)
  }

  /** Stores a pod under a new resourceVersion and tells the watches. */
  put(pod: RawPod): RawPod {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`
    return this.#record(this.#pods.has(key) ? 'MODIFIED' : 'ADDED', pod, (stored) => this.#pods.set(key, stored))
  }

  /** Replaces the pod by what `change` makes of it, unless it is gone or another one has its name now. */
  change(pod: RawPod, change: (now: RawPod) => RawPod): RawPod | undefined {
    const now = this.get(pod.metadata)
    return now?.metadata.uid === pod.metadata.uid ? this.put(change(now)) : undefined
  }

  remove(pod: RawPod): void {
    const now = this.get(pod.metadata)
    if (now?.metadata.uid !== pod.metadata.uid) return
    this.#record('DELETED', now, () => this.#pods.delete(`${pod.metadata.namespace}/${pod.metadata.name}`))
  }

  /** Events after `version`, for ever, until `signal` aborts. */
  async *eventsAfter(version: number, signal: AbortSignal): AsyncGenerator<PodEvent> {
    let seen = version
    while (!signal.aborted) {
      const count = this.#changes.count
      const next = this.#history.filter((event) => event.version > seen)
      for (const event of next) {
        yield event
        seen = event.version
      }
      if (next.length === 0) await this.#changes.after(count, signal)
    }
  }

  #record(type: PodEvent['type'], pod: RawPod, store: (stored: RawPod) => void): RawPod {
    this.#version++
    const object = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(this.#version) } }
    store(object)
    this.#history.push({ type, object, version: this.#version })
    if (this.#history.length > kept) this.#history.shift()
    this.#changes.tell()
    return object
  }
}
