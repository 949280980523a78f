import { join } from 'node:path'
import type { RawContainer, RawPod } from '../ports/cluster/cluster.ts'
import { Container } from './container.ts'
import type { Images } from './images.ts'
import { Lifeline } from './lifeline.ts'
import { PodEvents } from './pod-events.ts'
import { statusOf } from './pod-status.ts'
import type { PodTable } from './pod-table.ts'

interface Running {
  readonly containers: Map<string, Container>
  deleting: Promise<void> | undefined
}

export interface KubeletOptions {
  /** Logs of containers are kept below it, one folder a pod. */
  readonly directory: string
  readonly images: Images
}

/** Makes the pods of the table real: starts their containers as processes, tells their states, ends them. */
export class Kubelet {
  readonly #table: PodTable
  readonly #options: KubeletOptions
  readonly #pods = new Map<string, Running>()
  readonly #lifeline = new Lifeline()
  readonly events = new PodEvents()

  constructor(table: PodTable, options: KubeletOptions) {
    this.#table = table
    this.#options = options
  }

  /** Starts every container of the pod that has not been started. */
  sync(pod: RawPod): void {
    const running = this.#pods.get(pod.metadata.uid) ?? { containers: new Map(), deleting: undefined }
    const isNew = !this.#pods.has(pod.metadata.uid)
    this.#pods.set(pod.metadata.uid, running)
    if (isNew) this.#tell(pod, 'Normal', 'Scheduled', `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${pod.spec.nodeName}`)
    // The real one never starts an ephemeral container in a pod that has finished or is being deleted.
    if (running.deleting || ['Succeeded', 'Failed'].includes(pod.status.phase ?? '')) return
    for (const spec of allContainers(pod)) {
      if (running.containers.has(spec.name)) continue
      const container = this.#container(pod, spec, running)
      running.containers.set(spec.name, container)
      this.#publish(pod)
    }
    // Not at once: the answer to the request that asked for it comes first, as with a real node.
    setImmediate(() => this.#startReady(pod, running))
  }

  container(pod: RawPod, name: string): Container | undefined {
    return this.#pods.get(pod.metadata.uid)?.containers.get(name)
  }

  containers(pod: RawPod): ReadonlyMap<string, Container> {
    return this.#pods.get(pod.metadata.uid)?.containers ?? new Map()
  }

  /** TERM to all containers, KILL after the grace period, then the pod is gone. */
  delete(pod: RawPod, graceMs: number): Promise<void> {
    const running = this.#pods.get(pod.metadata.uid)
    if (!running) return Promise.resolve()
    running.deleting ??= this.#end(pod, running, graceMs)
    return running.deleting
  }

  /** Ends all processes; resolves when there are none. */
  async close(): Promise<void> {
    await Promise.all(this.#table.list().map((pod) => this.delete(pod, 1000)))
    this.#lifeline.close()
  }

  async #end(pod: RawPod, running: Running, graceMs: number): Promise<void> {
    const alive = [...running.containers].filter(([, container]) => container.state.running)
    for (const [name] of alive) this.#tell(pod, 'Normal', 'Killing', `Stopping container ${name}`, name)
    await Promise.all([...running.containers.values()].map((container) => container.stop(graceMs)))
    this.#publish(pod)
    this.#pods.delete(pod.metadata.uid)
    this.#table.remove(pod)
  }

  #container(pod: RawPod, spec: RawContainer, running: Running): Container {
    const ephemeral = !pod.spec.containers.some(({ name }) => name === spec.name)
    const { namespace, name, uid } = pod.metadata
    const directory = join(this.#options.directory, `${namespace}_${name}_${uid}`, spec.name)
    return new Container({
      name: spec.name,
      image: spec.image ?? '',
      program: () => {
        const targetPid = this.container(pod, spec.targetContainerName ?? '')?.pid
        return this.#options.images.program({ pod, spec, directory, ...(targetPid === undefined ? {} : { targetPid }) })
      },
      logPath: (restart) => join(directory, `${restart}.log`),
      lifeline: this.#lifeline,
      restarts: (exitCode) => !ephemeral && restartsAfter(exitCode, pod.spec.restartPolicy),
      changed: (event) => {
        if (event === 'created') this.#tell(pod, 'Normal', 'Created', `Created container: ${spec.name}`, spec.name)
        if (event === 'started') this.#tell(pod, 'Normal', 'Started', `Started container ${spec.name}`, spec.name)
        if (event === 'failed') this.#tellFailure(pod, spec.name)
        this.#publish(pod)
        if (event === 'started') this.#startReady(pod, running)
      },
    })
  }

  /** A container with a target waits until that one runs, as in a real pod. */
  #startReady(pod: RawPod, running: Running): void {
    for (const { name, targetContainerName } of allContainers(this.#table.get(pod.metadata) ?? pod)) {
      const target = targetContainerName ? running.containers.get(targetContainerName)?.state.running : true
      if (target && !running.deleting) running.containers.get(name)?.start()
    }
  }

  #tellFailure(pod: RawPod, name: string): void {
    const { reason, message } = this.container(pod, name)?.state.waiting ?? {}
    if (reason === 'CrashLoopBackOff')
      this.#tell(pod, 'Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${pod.metadata.name}`, name)
    else this.#tell(pod, 'Warning', 'Failed', `Error: ${message ?? reason}`, name)
  }

  /** Writes what the processes do into the pod's status. */
  #publish(pod: RawPod): void {
    const containers = this.containers(pod)
    this.#table.change(pod, (now) => ({ ...now, status: statusOf(now, containers) }))
  }

  #tell(pod: RawPod, type: 'Normal' | 'Warning', reason: string, message: string, container?: string): void {
    const kind = pod.spec.containers.some(({ name }) => name === container) ? 'containers' : 'ephemeralContainers'
    this.events.tell(this.#table.get(pod.metadata) ?? pod, { type, reason, message, ...(container ? { path: `spec.${kind}{${container}}` } : {}) })
  }
}

const allContainers = (pod: RawPod): readonly RawContainer[] => [...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])]
const restartsAfter = (exitCode: number, policy: unknown) => policy !== 'Never' && (policy !== 'OnFailure' || exitCode !== 0)
