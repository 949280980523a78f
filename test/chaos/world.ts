import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import type { ConfigInput } from '../../src/config.ts'
import { bundlePrograms } from './service-process.ts'
import { Site } from './site.ts'

/** A note as the receiver of webhooks got it. */
export interface Delivery {
  readonly webhookId: string
  readonly marker: string
  readonly body: string
}

/** What outlives the service: a cluster in a process of its own, and a bug tracker that counts what it is sent. */
export class World {
  directory = ''
  readonly deliveries: Delivery[] = []
  readonly #closers: (() => Promise<unknown>)[] = []
  #cluster = ''
  #tracker = ''
  #sites = 0

  async open(): Promise<void> {
    this.directory = mkdtempSync(join(tmpdir(), 'chaos-'))
    await Promise.all([bundlePrograms(this.directory), this.#startCluster(), this.#startTracker()])
  }

  /** A service's own place, with a pod to diagnose. */
  async newSite(image: 'autodiagnose' | 'printer' = 'autodiagnose'): Promise<Site> {
    const name = `site-${++this.#sites}`
    const directory = join(this.directory, name)
    mkdirSync(directory)
    const token = `made-up-${randomBytes(8).toString('hex')}`
    const kubeconfig = join(directory, 'kubeconfig')
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(this.#cluster)))
    const config: ConfigInput = {
      publicUrl: 'http://autodiagnose.example',
      listen: { port: 0 },
      state: 'state',
      clusters: { chaos: { kubeconfig } },
      store: { kind: 'files', directory: 'store' },
      trackers: { hook: { kind: 'standard-webhook', url: this.#tracker, secret: { env: 'HOOK_SECRET' } } },
      principals: [{ name: 'alice', tokenHashes: [`sha256:${createHash('sha256').update(token).digest('hex')}`] }],
      policy: [{ principals: ['alice'], namespaces: ['chaos', 'demo'], reports: ['hook:*'] }],
      diagnosis: { image: `localhost/${image}:1`, extraChecks: ['print', 'blind'] },
    }
    writeFileSync(join(directory, 'config.yaml'), JSON.stringify(config))
    const env = { AUTODIAGNOSE_CONFIG: join(directory, 'config.yaml'), HOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}` }
    return new Site({ programs: this.directory, directory, env, token, report: `hook:${name}` })
  }

  /** A pod whose process only waits, in namespace `chaos`. Returns its name. */
  async newPod(): Promise<string> {
    const name = `target-${randomBytes(4).toString('hex')}`
    const containers = [{ name: 'app', image: 'localhost/shell:1', args: ['echo up; exec sleep 600'] }]
    await this.kube('POST', '/api/v1/namespaces/chaos/pods', { metadata: { name }, spec: { terminationGracePeriodSeconds: 0, containers } })
    return name
  }

  /** The URL that the demo's storefront asks and that answers 500. */
  async pricesUrl(): Promise<string> {
    const { items } = JSON.parse(await this.kube('GET', '/api/v1/namespaces/demo/pods')) as {
      items: { spec: { containers: { env: { name: string; value: string }[] }[] } }[]
    }
    const found = items.flatMap(({ spec }) => spec.containers.flatMap(({ env }) => env)).find(({ name }) => name === 'PRICES_URL')
    if (!found) throw new Error('The demo has no PRICES_URL')
    return found.value
  }

  async kube(method: string, path: string, body?: unknown): Promise<string> {
    const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const response = await fetch(`${this.#cluster}${path}`, { method, ...init })
    const answer = await response.text()
    if (!response.ok) throw new Error(`Cannot ${method} ${path}: ${response.status} ${answer}`)
    return answer
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close()
    if (this.directory !== '') rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }

  async #startCluster(): Promise<void> {
    const script = fileURLToPath(new URL('./cluster.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script, join(this.directory, 'cluster')], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#closers.push(async () => {
      const closed = once(child, 'close')
      child.stdin.end()
      await closed
    })
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      // Clients that are killed in the midst of an answer are told there.
      log += piece
    })
    const ended = once(child, 'close').then(() => Promise.reject(new Error(`The cluster ended: ${log}`)))
    ended.catch(() => undefined)
    const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended])
    this.#cluster = `http://127.0.0.1:${JSON.parse(line as string).port}`
  }

  async #startTracker(): Promise<void> {
    const server = createServer(async (request, response) => {
      const body = await text(request)
      this.deliveries.push({ webhookId: String(request.headers['webhook-id']), marker: JSON.parse(body).data.marker, body })
      response.writeHead(204).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#closers.push(async () => {
      server.closeAllConnections()
      server.close()
    })
    this.#tracker = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notes`
  }
}

/** For the top of a file: a world for its tests, made before them and removed after them. */
export function useWorld(): World {
  const world = new World()
  beforeAll(() => world.open(), 60_000)
  afterAll(() => world.close())
  return world
}

function kubeconfigOf(server: string) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'chaos',
    clusters: [{ name: 'chaos', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'chaos', context: { cluster: 'chaos', user: 'nobody' } }],
  }
}
