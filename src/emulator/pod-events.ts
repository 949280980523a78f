import { randomUUID } from 'node:crypto'
import type { Raw, RawPod } from '../ports/cluster/cluster.ts'
import { badRequest } from './api-error.ts'
import { secondTime } from './clock.ts'
import { splitFields } from './selectors.ts'

export interface PodEventText {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  /** Which container, as in `spec.containers{app}`. */
  readonly path?: string
}

/** Events kept, oldest dropped first. */
const kept = 1000

/** What happened to pods, as `v1.Event` objects that the kubelet writes. */
export class PodEvents {
  readonly #events: Raw[] = []

  tell(pod: RawPod, { type, reason, message, path }: PodEventText): void {
    const { name, namespace, uid, resourceVersion } = pod.metadata
    const at = secondTime()
    const same = this.#events.find((event) => event.message === message && event.reason === reason && (event.involvedObject as Raw).uid === uid)
    if (same) {
      this.#events.splice(this.#events.indexOf(same), 1, { ...same, count: Number(same.count) + 1, lastTimestamp: at })
      return
    }
    this.#events.push({
      metadata: { name: `${name}.${randomUUID().slice(0, 8)}`, namespace, uid: randomUUID(), creationTimestamp: at },
      involvedObject: { kind: 'Pod', namespace, name, uid, apiVersion: 'v1', resourceVersion, ...(path ? { fieldPath: path } : {}) },
      reason,
      message,
      source: { component: 'kubelet', host: pod.spec.nodeName },
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: 'kubelet',
      reportingInstance: pod.spec.nodeName,
    })
    if (this.#events.length > kept) this.#events.shift()
  }

  /** Those of a namespace that a field selector picks. */
  list(namespace: string, fieldSelector: string | undefined): Raw[] {
    const terms = splitFields(fieldSelector)
    const unknown = terms.find(({ field }) => !fields.includes(field))
    if (unknown) throw badRequest(`field label not supported: ${unknown.field}`)
    return this.#events.filter(
      (event) =>
        (event.metadata as Raw).namespace === namespace &&
        terms.every(({ field, equal, value }) => (String(read(event, field) ?? '') === value) === equal),
    )
  }
}

/** Source: https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/event/strategy.go (ToSelectableFields) */
const fields = [
  ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((field) => `involvedObject.${field}`),
  ...['metadata.name', 'metadata.namespace', 'reason', 'reportingComponent', 'source', 'type'],
]

const read = (event: Raw, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Raw | undefined)?.[key], path === 'source' ? { source: 'kubelet' } : event)
