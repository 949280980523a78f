import type { Config, SecretRef } from '../config.ts'
import type { Deps, Log } from '../deps.ts'
import { makeRedactor } from '../diagnosis/redact/make-redactor.ts'
import { bearerTransport } from '../ports/cluster/bearer.ts'
import type { Cluster } from '../ports/cluster/cluster.ts'
import { kubernetesCluster } from '../ports/cluster/kubernetes.ts'
import { d1Records } from '../ports/records/d1.ts'
import { r2Store } from '../ports/store/r2.ts'
import { s3Store } from '../ports/store/s3.ts'
import type { Store } from '../ports/store/store.ts'
import { realClock, realTrackers, redactedLog, type SecretOf, s3Options } from './parts.ts'

/** Of wrangler.toml. Buckets, clusters and secrets have the names that the configuration gives them. */
export interface Bindings {
  readonly DB: D1Database
  readonly DIAGNOSIS: Workflow<{ readonly id: string }>
  readonly [name: string]: unknown
}

/** What scripts/worker-config.ts writes: the configuration, checked, and the redactor files, read. */
export interface WorkerConfig {
  readonly config: Config
  readonly redactors: readonly { readonly name: string; readonly document: unknown }[]
}

export interface Worker {
  readonly deps: Deps
  /** Starts accepted diagnoses that have no run. */
  sweep(): Promise<void>
}

/** One JSON object a line; `wrangler tail` and the dashboard show it. */
const workerLog: Log = (level, message, data) => {
  console[level](JSON.stringify({ at: new Date().toISOString(), level, message, ...data }))
}

/** Fills the outside world, for one request or one run. Throws naming every binding and secret that is missing. */
export function openWorker({ config, redactors }: WorkerConfig, env: Bindings): Worker {
  const redactor = makeRedactor({ files: redactors })
  const log = redactedLog(workerLog, redactor)
  const records = d1Records({ database: env.DB, clock: realClock })
  const secret = secretsOf(env)
  const deps: Deps = {
    config,
    clusters: clustersOf(config, env, secret),
    store: storeOf(config, env, secret),
    records,
    redactor,
    trackers: realTrackers(config, secret, () => {
      throw new TypeError('Workers have no directories')
    }),
    clock: realClock,
    log,
    runs: {
      async start(id) {
        await startRun(env.DIAGNOSIS, id)
        await records.markStarted(id)
      },
    },
    // A Worker is not told when it ends; the engine runs the step again.
    stopping: new AbortController().signal,
  }
  return {
    deps,
    async sweep() {
      for (const id of await records.unstarted(100)) await deps.runs.start(id)
    },
  }
}

/** A run has the id of its diagnosis; `create` throws when there is one. */
async function startRun(workflow: Bindings['DIAGNOSIS'], id: string): Promise<void> {
  try {
    await workflow.create({ id, params: { id } })
  } catch (error) {
    const known = await workflow.get(id).then(
      () => true,
      () => false,
    )
    if (!known) throw error
  }
}

function secretsOf(env: Bindings): SecretOf {
  return (ref: SecretRef) => {
    const name = 'env' in ref ? ref.env : ref.file
    const text = env[name]
    if (typeof text !== 'string' || text === '') throw new Error(`secret "${name}" is not set; run: npx wrangler secret put ${name}`)
    return text
  }
}

function bindingOf<T>(env: Bindings, name: string, method: string): T {
  const binding = env[name] as Record<string, unknown> | undefined
  if (typeof binding?.[method] !== 'function') throw new Error(`wrangler.toml has no binding "${name}" of that kind`)
  return binding as T
}

function storeOf({ store }: Config, env: Bindings, secret: SecretOf): Store {
  if (store.kind === 's3') return s3Store(s3Options(store, secret))
  if (store.kind !== 'r2') throw new TypeError(`A store of kind "${store.kind}" is not for Workers`)
  return r2Store({ bucket: bindingOf<R2Bucket>(env, store.binding, 'createMultipartUpload'), prefix: store.prefix })
}

function clustersOf(config: Config, env: Bindings, secret: SecretOf): Map<string, Cluster> {
  const clusters = new Map<string, Cluster>()
  for (const [name, cluster] of Object.entries(config.clusters)) {
    if (!('url' in cluster)) throw new TypeError(`Cluster "${name}" is not for Workers`)
    const { url, serviceAccount, binding } = cluster
    const service = binding === undefined ? undefined : bindingOf<Fetcher>(env, binding, 'fetch')
    const fetched = (request: Request) => (service ? service.fetch(request) : fetch(request))
    const token = secret(cluster.token)
    const transport = bearerTransport({ url, token, fetch: fetched, clock: realClock, ...(serviceAccount === undefined ? {} : { serviceAccount }) })
    clusters.set(name, kubernetesCluster({ name, transport, clock: realClock }))
  }
  return clusters
}
