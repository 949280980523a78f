import type { Config } from '../config.ts'
import type { Deps, Log } from '../deps.ts'
import { makeRedactor } from '../diagnosis/redact/make-redactor.ts'
import { bearerTransport } from '../ports/cluster/bearer.ts'
import type { Cluster } from '../ports/cluster/cluster.ts'
import { kubernetesCluster } from '../ports/cluster/kubernetes.ts'
import type { ServiceAccountToken } from '../ports/cluster/service-account-tokens.ts'
import { d1Records } from '../ports/records/d1.ts'
import { r2Store } from '../ports/store/r2.ts'
import { s3Store } from '../ports/store/s3.ts'
import type { Store } from '../ports/store/store.ts'
import { housekeeper } from './housekeeper.ts'
import { realClock, realTrackers, redactedLog, type SecretOf, s3Options } from './parts.ts'
import { checkRoutes, webhookVerifier } from './webhooks.ts'
import { missingParts } from './worker-problems.ts'
import { type DiagnosisWorkflow, startRun } from './worker-runs.ts'

/** Of wrangler.toml. Buckets, clusters and secrets have the names that the configuration gives them. */
export interface Bindings {
  readonly DB: D1Database
  readonly DIAGNOSIS: DiagnosisWorkflow
  readonly [name: string]: unknown
}

/** What scripts/worker-config.ts writes: the configuration, checked, and the redactor files, read. */
export interface WorkerConfig {
  readonly config: Config
  readonly redactors: readonly { readonly name: string; readonly document: unknown }[]
  /** Names of the secrets that the configuration refers to. */
  readonly secrets: readonly string[]
}

/** Short-lived tokens, which outlive the request that asked for them; plain data, for no request may wait for another's. */
const tokens = new Map<string, ServiceAccountToken>()

/** One JSON object a line; `wrangler tail` and the dashboard show it. */
const workerLog: Log = (level, message, data) => {
  console[level](JSON.stringify({ at: new Date().toISOString(), level, message, ...data }))
}

/**
 * Fills the outside world, for one request or one run. `later` keeps the Worker alive for work that nobody waits for; what is lost of it, the
 * sweeper does. Throws naming all that is missing, or what is of no use.
 */
export function openWorker({ config, redactors, secrets }: WorkerConfig, env: Bindings, later: (work: Promise<void>) => void): Deps {
  const missing = missingParts(config, secrets, env)
  if (missing.length > 0) throw new Error(missing.join('; '))
  const redactor = makeRedactor({ files: redactors })
  const log = redactedLog(workerLog, redactor)
  const records = d1Records({ database: env.DB, clock: realClock })
  // Each was looked at above; no reference to a file passes the build.
  const secret: SecretOf = (ref) => String('env' in ref && env[ref.env])
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
    verifyWebhook: webhookVerifier(config, secret, realClock),
    wake() {
      house.wake()
      later(house.done())
    },
    // A Worker is not told when it ends; the engine runs the step again.
    stopping: new AbortController().signal,
  }
  checkRoutes(config, deps.trackers)
  const house = housekeeper(deps)
  return deps
}

function storeOf({ store }: Config, env: Bindings, secret: SecretOf): Store {
  if (store.kind === 's3') return s3Store(s3Options(store, secret))
  if (store.kind !== 'r2') throw new TypeError(`A store of kind "${store.kind}" is not for Workers`)
  const { binding, prefix, downloads } = store
  return r2Store({
    bucket: env[binding] as R2Bucket,
    binding,
    prefix,
    clock: realClock,
    ...(downloads && { downloads: downloadsOf(downloads, prefix, secret) }),
  })
}

/** URLs of R2's S3 API, signed for the keys of the store. The client is made when the first is asked for: few requests need it. */
function downloadsOf({ endpoint, bucket, accessKeyId, secretAccessKey }: Downloads, prefix: string, secret: SecretOf): Pick<Store, 'downloadUrl'> {
  const credentials = { accessKeyId: secret(accessKeyId), secretAccessKey: secret(secretAccessKey) }
  let store: Store | undefined
  return {
    downloadUrl(key, options) {
      store ??= s3Store({ endpoint, region: 'auto', bucket, prefix, credentials })
      return store.downloadUrl(key, options)
    },
  }
}

type Downloads = NonNullable<Extract<Config['store'], { kind: 'r2' }>['downloads']>

function clustersOf(config: Config, env: Bindings, secret: SecretOf): Map<string, Cluster> {
  const clusters = new Map<string, Cluster>()
  for (const [name, cluster] of Object.entries(config.clusters)) {
    if (!('url' in cluster)) throw new TypeError(`Cluster "${name}" is not for Workers`)
    const { url, serviceAccount, binding } = cluster
    const service = binding === undefined ? undefined : (env[binding] as Fetcher)
    const fetched = async (request: Request): Promise<Response> => {
      try {
        return await (service ? service.fetch(request) : fetch(request))
      } catch (error) {
        // Of a name that is not there as of a certificate, the runtime says "internal error".
        const why = 'the host has no such name or does not answer, or its certificate is of a CA that Workers do not trust'
        throw new Error(`${error instanceof Error ? error.message : String(error)} (${why})`)
      }
    }
    const token = secret(cluster.token)
    const transport = bearerTransport({ name, url, token, serviceAccount, tokens, fetch: fetched, clock: realClock })
    clusters.set(name, kubernetesCluster({ name, transport, clock: realClock }))
  }
  return clusters
}
