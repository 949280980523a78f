import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config, SecretRef } from '../config.ts'
import type { Clock, Log } from '../deps.ts'
import type { Redactor } from '../diagnosis/redact/redactor.ts'
import { createEmulator } from '../emulator/emulator.ts'
import type { Cluster, Transport } from '../ports/cluster/cluster.ts'
import { inClusterTransport } from '../ports/cluster/in-cluster.ts'
import { kubeconfigTransport } from '../ports/cluster/kubeconfig.ts'
import { kubernetesCluster } from '../ports/cluster/kubernetes.ts'
import { filesStore } from '../ports/store/files.ts'
import { s3Store } from '../ports/store/s3.ts'
import type { Store } from '../ports/store/store.ts'
import { local } from '../ports/tracker/local.ts'
import { redmine } from '../ports/tracker/redmine.ts'
import { standardWebhook } from '../ports/tracker/standard-webhook.ts'
import type { Tracker } from '../ports/tracker/tracker.ts'
import { withKey } from './with-key.ts'

/** The real parts of the outside world on Node, as the configuration names them. */

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
  },
}

/** One JSON object a line on standard error. */
export const realLog: Log = (level, message, data) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...data })}\n`)
}

/** The log with its secrets taken out: errors of the API server, of the store and of trackers quote what they were sent. */
export function redactedLog(log: Log, redactor: Redactor): Log {
  return (level, message, data) => {
    const { value } = redactor.json('service.log', { message, data })
    log(level, value.message, value.data)
  }
}

export type SecretOf = (ref: SecretRef) => string

export function realStore(config: Config, secret: SecretOf): Store {
  const { store } = config
  switch (store.kind) {
    case 'files':
      return filesStore({ directory: store.directory })
    case 's3': {
      const { accessKeyId, secretAccessKey } = store
      return s3Store({
        region: store.region,
        bucket: store.bucket,
        prefix: store.prefix,
        forcePathStyle: store.forcePathStyle,
        ...(store.endpoint === undefined ? {} : { endpoint: store.endpoint }),
        ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId: secret(accessKeyId), secretAccessKey: secret(secretAccessKey) } } : {}),
      })
    }
  }
}

export function realTrackers(config: Config, secret: SecretOf): Map<string, Tracker> {
  const http = { fetch: (request: Request) => fetch(request), clock: realClock }
  const make = (tracker: Config['trackers'][string]): Tracker => {
    switch (tracker.kind) {
      case 'redmine':
        return redmine({ ...http, url: tracker.url, apiKey: secret(tracker.apiKey) })
      case 'standard-webhook':
        return standardWebhook({ ...http, url: tracker.url, secret: secret(tracker.secret) })
      case 'local':
        return local({ directory: tracker.directory })
    }
  }
  return new Map(Object.entries(config.trackers).map(([name, tracker]) => [name, make(tracker)]))
}

/** The clusters by name, and what has to be closed with them. */
export async function realClusters(config: Config): Promise<{ readonly clusters: Map<string, Cluster>; close(): Promise<void> }> {
  const clusters = new Map<string, Cluster>()
  const closers: (() => Promise<void>)[] = []
  const transportOf = async (cluster: Config['clusters'][string]): Promise<Transport> => {
    if ('kubeconfig' in cluster) {
      return kubeconfigTransport({ file: cluster.kubeconfig, ...(cluster.context === undefined ? {} : { context: cluster.context }) })
    }
    if ('inCluster' in cluster) return inClusterTransport({})
    const emulator = await createEmulator({ directory: join(cluster.emulator.directory) })
    closers.push(() => emulator.close())
    return async (request) => emulator.app.fetch(request)
  }
  for (const [name, cluster] of Object.entries(config.clusters)) {
    const transport = await withKey('clusters', name, () => transportOf(cluster))
    clusters.set(name, kubernetesCluster({ name, transport, clock: realClock }))
  }
  return {
    clusters,
    async close() {
      for (const close of closers) await close()
    },
  }
}
