import { join } from 'node:path'
import { Agent } from 'undici'
import type { Config } from '../config.ts'
import type { Log } from '../deps.ts'
import { createEmulator } from '../emulator/emulator.ts'
import { bearerTransport } from '../ports/cluster/bearer.ts'
import type { Cluster, Transport } from '../ports/cluster/cluster.ts'
import { dispatch } from '../ports/cluster/dispatch.ts'
import { inClusterTransport } from '../ports/cluster/in-cluster.ts'
import { kubeconfigTransport } from '../ports/cluster/kubeconfig.ts'
import { kubernetesCluster } from '../ports/cluster/kubernetes.ts'
import { filesStore } from '../ports/store/files.ts'
import { s3Store } from '../ports/store/s3.ts'
import type { Store } from '../ports/store/store.ts'
import { realClock, type SecretOf, s3Options } from './parts.ts'
import { withKey } from './with-key.ts'

/** The real parts of the outside world on Node, as the configuration names them. */

/** One JSON object a line on standard error. */
export const realLog: Log = (level, message, data) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...data })}\n`)
}

export function realStore({ store }: Config, secret: SecretOf): Store {
  if (store.kind === 'files') return filesStore({ directory: store.directory })
  if (store.kind === 's3') return s3Store(s3Options(store, secret))
  throw new TypeError(`A store of kind "${store.kind}" is not for Node`)
}

/** The clusters by name, and what has to be closed with them. */
export async function realClusters(config: Config, secret: SecretOf): Promise<{ readonly clusters: Map<string, Cluster>; close(): Promise<void> }> {
  const clusters = new Map<string, Cluster>()
  const closers: (() => Promise<void>)[] = []
  const transportOf = async (name: string, cluster: Config['clusters'][string]): Promise<Transport> => {
    if ('kubeconfig' in cluster) {
      return kubeconfigTransport({ file: cluster.kubeconfig, ...(cluster.context === undefined ? {} : { context: cluster.context }) })
    }
    if ('inCluster' in cluster) return inClusterTransport({})
    if ('url' in cluster) {
      const { url, serviceAccount } = cluster
      const dispatcher = new Agent({ connect: { keepAlive: true, keepAliveInitialDelay: 30_000 } })
      closers.push(() => dispatcher.destroy())
      // Not by the fetch of Node: it ends an answer that is silent for five minutes.
      const fetched = async (request: Request) => {
        const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
        return dispatch(request, body, { server: new URL(request.url).origin, headers: [], dispatcher })
      }
      return bearerTransport({ name, url, token: secret(cluster.token), serviceAccount, fetch: fetched, clock: realClock })
    }
    const emulator = await createEmulator({ directory: join(cluster.emulator.directory) })
    closers.push(() => emulator.close())
    return async (request) => emulator.app.fetch(request)
  }
  for (const [name, cluster] of Object.entries(config.clusters)) {
    const transport = await withKey('clusters', name, () => transportOf(name, cluster))
    clusters.set(name, kubernetesCluster({ name, transport, clock: realClock }))
  }
  return {
    clusters,
    async close() {
      for (const close of closers) await close()
    },
  }
}
