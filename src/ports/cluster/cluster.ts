import type { RefusalCode } from '../../diagnosis/diagnosis.ts'

/** How a request reaches an API server: TLS, credentials and base URL are its business. The path is absolute (`/api/v1/…`); any host is ignored. */
export type Transport = (request: Request) => Promise<Response>

/** JSON as the API server sent it: unknown fields and microseconds kept. */
export type Raw = Readonly<Record<string, unknown>>

export interface PodRef {
  readonly namespace: string
  readonly name: string
}

/**
 * One Kubernetes cluster, as far as a diagnosis needs it. The only implementation speaks to a {@link Transport}, so the
 * emulator is plugged in there and client code stays identical. Throws {@link ClusterUnavailable} when the same call may
 * succeed later and {@link ClusterForbidden} when a right is missing.
 */
export interface Cluster {
  readonly name: string
  /** `GET /version`. */
  version(signal: AbortSignal): Promise<Raw>
  getPod(pod: PodRef, signal: AbortSignal): Promise<RawPod | undefined>
  listPods(namespace: string, labelSelector: string, signal: AbortSignal): Promise<readonly RawPod[]>
  /** A deployment, statefulset, daemonset, replicaset, job or service; undefined if there is none. */
  getWorkload(namespace: string, kind: string, name: string, signal: AbortSignal): Promise<Raw | undefined>
  /** The events whose involvedObject is the pod, at most 500, as `v1.EventList`. */
  listPodEvents(pod: PodRef, uid: string, signal: AbortSignal): Promise<Raw>
  /** The events about one object of a namespace, whatever its UID, at most 500, as `v1.EventList`. `kind` as in `involvedObject`: ReplicaSet. */
  listEventsOf(namespace: string, kind: string, name: string, signal: AbortSignal): Promise<Raw>
  /** The Services of a namespace, at most 500. An optional right. */
  listServices(namespace: string, signal: AbortSignal): Promise<readonly Raw[]>
  /** A node; undefined if there is none. An optional right. */
  getNode(name: string, signal: AbortSignal): Promise<Raw | undefined>
  /** `metrics.k8s.io` PodMetrics; undefined where there are none (not installed, not yet measured). */
  podMetrics(pod: PodRef, signal: AbortSignal): Promise<Raw | undefined>
  /** The end of a container's log without timestamps; undefined if there is none to be had. */
  tailLog(
    pod: PodRef,
    container: string,
    options: { readonly tailLines: number; readonly limitBytes: number; readonly previous?: boolean },
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined>
  /** Adds an ephemeral container by strategic-merge PATCH with `metadata.uid` in the body; the same again is no change. */
  addEphemeralContainer(pod: PodRef, uid: string, container: Raw, options: { readonly dryRun?: boolean }, signal: AbortSignal): Promise<AddAnswer>
  /** Yields the pod now and after every change, reconnecting on EOF and 410, until `signal` aborts; `undefined` when it is deleted (or not there), then ends. */
  watchPod(pod: PodRef, signal: AbortSignal): AsyncIterable<RawPod | undefined>
  /** Yields all pods of a namespace, then each after every change, until `signal` aborts. */
  watchPods(namespace: string, signal: AbortSignal): AsyncIterable<RawPod>
  /**
   * Opens the container's log with timestamps, from `sinceTime` (whole seconds, RFC 3339) on, following it unless told not to.
   * `wait`: the container has not started yet. `gone`: no such pod, or no such container in it.
   */
  openLog(pod: PodRef, container: string, options: { readonly sinceTime?: string; readonly follow: boolean }, signal: AbortSignal): Promise<LogAnswer>
  /** The user name that the API server knows this service by: SelfSubjectReview; undefined where that cannot be asked (before Kubernetes 1.28). */
  whoAmI(signal: AbortSignal): Promise<string | undefined>
  /** Whether this service may do it: SelfSubjectAccessReview; undefined where that cannot be asked. */
  mayI(
    what: { readonly verb: string; readonly resource: string; readonly subresource?: string; readonly group?: string; readonly namespace: string },
    signal: AbortSignal,
  ): Promise<boolean | undefined>
}

export type AddAnswer = { readonly kind: 'added' } | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string }

export type LogAnswer =
  | { readonly kind: 'open'; readonly body: ReadableStream<Uint8Array> }
  | { readonly kind: 'wait'; readonly message: string }
  | { readonly kind: 'gone'; readonly message: string }

/** The part of a pod that the stages read; everything else stays in it untyped. */
export interface RawPod extends Raw {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly resourceVersion?: string
    readonly generation?: number
    readonly deletionTimestamp?: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
    readonly [field: string]: unknown
  }
  readonly spec: {
    readonly nodeName?: string
    readonly os?: { readonly name: string }
    readonly shareProcessNamespace?: boolean
    readonly hostPID?: boolean
    readonly securityContext?: RawSecurityContext
    readonly containers: readonly RawContainer[]
    readonly initContainers?: readonly RawContainer[]
    readonly ephemeralContainers?: readonly RawContainer[]
    readonly [field: string]: unknown
  }
  readonly status: {
    readonly phase?: string
    readonly reason?: string
    readonly message?: string
    readonly observedGeneration?: number
    readonly containerStatuses?: readonly RawContainerStatus[]
    readonly initContainerStatuses?: readonly RawContainerStatus[]
    readonly ephemeralContainerStatuses?: readonly RawContainerStatus[]
    readonly [field: string]: unknown
  }
}

export interface RawSecurityContext extends Raw {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
}

export interface RawContainer extends Raw {
  readonly name: string
  readonly image?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name: string; readonly value?: string }[]
  readonly ports?: readonly { readonly containerPort: number; readonly protocol?: string; readonly name?: string }[]
  readonly resources?: { readonly limits?: Readonly<Record<string, string>>; readonly requests?: Readonly<Record<string, string>> }
  readonly securityContext?: RawSecurityContext
  readonly targetContainerName?: string
}

export interface RawContainerStatus extends Raw {
  readonly name: string
  readonly image?: string
  readonly imageID?: string
  readonly containerID?: string
  readonly restartCount?: number
  readonly ready?: boolean
  readonly user?: { readonly linux?: { readonly uid: number; readonly gid: number } }
  readonly state?: RawContainerState
  readonly lastState?: RawContainerState
}

export interface RawContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: { readonly startedAt?: string }
  readonly terminated?: {
    readonly exitCode: number
    readonly signal?: number
    readonly reason?: string
    readonly message?: string
    readonly startedAt?: string
    readonly finishedAt?: string
  }
}

/** The API server could not be reached or failed: the same call may succeed later. */
export class ClusterUnavailable extends Error {
  override readonly name = 'ClusterUnavailable'
}

/** The service's own account lacks a right (RBAC); the message names it. */
export class ClusterForbidden extends Error {
  override readonly name = 'ClusterForbidden'
}
