import { join } from 'node:path'
import type { Hono } from 'hono'
import type { Raw, RawPod } from '../ports/cluster/cluster.ts'
import { createApi, createPod } from './api.ts'
import { demoImage, fillDemoCluster } from './demo-cluster.ts'
import { type Image, Images } from './images.ts'
import { Kubelet } from './kubelet.ts'
import { PodTable } from './pod-table.ts'
import { prepareTools } from './tools.ts'

export interface EmulatorOptions {
  /** Logs of containers, and links to tools, are kept below it. */
  readonly directory: string
  /** The images that containers can be started from. Default: those of the demo. */
  readonly image?: (name: string) => Image | undefined
  /** Start the demo's pods. Default: true. */
  readonly demo?: boolean
}

/** A Kubernetes cluster in this process, whose containers are processes of this machine. */
export interface Emulator {
  /** `app.fetch` is a Transport to it. The first request waits until the pods of the demo are there. */
  readonly app: Hono
  createPod(namespace: string, manifest: Raw): RawPod
  /** Makes a workload that can be read; nothing controls its pods. */
  createWorkload(kind: string, namespace: string, workload: Raw): void
  /** Ends all containers; resolves when no process is left. */
  close(): Promise<void>
}

export function createEmulator({ directory, image = demoImage, demo = true }: EmulatorOptions): Emulator {
  // A version above those of any earlier life, so that a watch of that time is told that it is too old.
  const table = new PodTable(Date.now())
  const path = prepareTools(join(directory, 'tools'))
  const kubelet = new Kubelet(table, { directory: join(directory, 'pods'), images: new Images(image, path) })
  const workloads = new Map<string, Raw>()
  const emulator: Omit<Emulator, 'app'> = {
    createPod: (namespace, manifest) => createPod(table, kubelet, namespace, manifest),
    createWorkload: (kind, namespace, workload) => void workloads.set(`${kind}/${namespace}/${(workload.metadata as Raw).name}`, workload),
    close: () => kubelet.close(),
  }
  const filled = demo ? fillDemoCluster(emulator) : Promise.resolve()
  const app = createApi({ table, kubelet, workloads, ready: filled })
  return { ...emulator, app }
}
