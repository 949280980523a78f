import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import type { Deps, Step } from '../deps.ts'
import { diagnose } from '../diagnose.ts'
import { makeRedactor } from '../diagnosis/redact/make-redactor.ts'
import { sqliteRecords } from '../ports/records/sqlite.ts'
import { local } from '../ports/tracker/local.ts'
import { adopter } from './adopter.ts'
import { housekeeper } from './housekeeper.ts'
import { openWorkflowEngine } from './openworkflow-engine.ts'
import { realClock, realTrackers, redactedLog, redactedStep, type SecretOf } from './parts.ts'
import { realClusters, realLog, realStore } from './real.ts'
import { readRedactorFiles } from './redactor-files.ts'
import { checkRoutes, webhookVerifier } from './webhooks.ts'
import { withKey } from './with-key.ts'

export interface ServiceOptions {
  readonly config: Config
  readonly secret: SecretOf
  /** Puts something in place of a part of the outside world, or around it. */
  readonly wrap?: (deps: Deps) => Deps
  /** Puts something around every durable step. */
  readonly wrapStep?: (step: Step, id: string) => Step
}

export interface Service {
  /** Where it listens. */
  readonly url: string
  readonly deps: Deps
  /** Stops listening, lets requests and steps at work end for a moment, and closes everything. What is left goes on after the next start. */
  close(): Promise<void>
}

/** How often accepted records without a run are looked for. */
const sweepMs = 5000
const graceMs = 3000

/** The service on Node: embedded SQLite as records and durable engine, one process a state directory. Throws if anything is wrong at start. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, secret } = options
  await withKey('state', config.state, () => mkdirSync(config.state, { recursive: true, mode: 0o700 }))
  const redactor = makeRedactor({ files: readRedactorFiles(config.redaction.files) })
  const log = redactedLog(realLog, redactor)
  const records = await sqliteRecords({ directory: config.state, clock: realClock })
  const { clusters, close: closeClusters } = await realClusters(config, secret)
  const store = await withKey('store', 'directory' in config.store ? config.store.directory : config.store.kind, () => realStore(config, secret))
  const engine = openWorkflowEngine({ file: join(config.state, 'runs.sqlite'), concurrency: config.diagnosis.concurrent, log }, async (id, step) => {
    const request = await deps.records.get(id)
    if (!request) throw new Error(`Cannot diagnose "${id}": there is no such record`)
    await diagnose(request, redactedStep(options.wrapStep?.(step, id) ?? step, redactor), deps)
  })
  const stopping = new AbortController()
  const real: Deps = {
    config,
    clusters,
    store,
    records,
    redactor,
    trackers: realTrackers(config, secret, (directory) => local({ directory })),
    clock: realClock,
    log,
    runs: {
      async start(id) {
        await engine.start(id)
        await deps.records.markStarted(id)
      },
    },
    verifyWebhook: webhookVerifier(config, secret, realClock),
    wake: () => house.wake(),
    stopping: stopping.signal,
  }
  checkRoutes(config, real.trackers)
  const deps = options.wrap?.(real) ?? real
  const house = housekeeper(deps)
  await engine.recover()

  const app = createApp(deps)
  const server = serve({ fetch: app.fetch, hostname: config.listen.host, port: config.listen.port })
  await withKey('listen', `${config.listen.host}:${config.listen.port}`, () => once(server, 'listening'))
  const { port } = server.address() as AddressInfo
  // Only who has the port works: one that is started again and again for want of it would spend the attempts of every run.
  await engine.open()

  const sweep = async (): Promise<void> => {
    house.wake()
    try {
      for (const id of await records.unstarted(100)) await deps.runs.start(id)
    } catch (error) {
      log('error', 'Cannot start accepted diagnoses', { error: String(error) })
    }
  }
  await sweep()
  const adopting = adopter(deps)
  const sweeper = setInterval(sweep, sweepMs)
  log('info', 'Listening', { host: config.listen.host, port })

  return {
    url: `http://${config.listen.host}:${port}`,
    deps,
    async close() {
      clearInterval(sweeper)
      stopping.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      if ('closeIdleConnections' in server) server.closeIdleConnections()
      const force = setTimeout(() => {
        if ('closeAllConnections' in server) server.closeAllConnections()
      }, graceMs)
      await Promise.all([engine.close(graceMs), house.done(), adopting.done()])
      await closed
      clearTimeout(force)
      await closeClusters()
      await records.close()
    },
  }
}
