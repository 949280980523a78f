import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { ConfigInput } from '../src/config.ts'
import { s3Store } from '../src/ports/store/s3.ts'
import { type BenchPod, labVariable, patchTimes, until } from './bench-lab.ts'
import { bundle } from './bundle.ts'

export interface Timed {
  readonly id: string
  /** From sending the request to its answer: the diagnosis is over and its bundle sealed. */
  readonly totalMs: number
  /** When the request was sent, in milliseconds since the epoch. */
  readonly sentAt: number
}

export interface BenchService {
  readonly url: string
  readonly token: string
  /** One diagnosis from request to sealed bundle. Throws if it did not come out complete. */
  diagnose(pod: BenchPod, checks: readonly string[]): Promise<Timed>
  /** The most memory that the process ever had, in MiB. */
  peakMiB(): number
  stop(): Promise<void>
}

/** The service as `npm run build` makes it, in a process of its own, on the lab's cluster and S3. */
export async function startService(namespace: string, more: Partial<ConfigInput> = {}): Promise<BenchService> {
  const directory = mkdtempSync(join(tmpdir(), 'autodiagnose-bench-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const token = `bench-${randomBytes(16).toString('hex')}`
  const config = join(directory, 'autodiagnose.yaml')
  writeFileSync(config, stringify({ ...configOf(directory, url, port, token, namespace), ...more }))
  process.env.BENCH_ALERT_TOKEN = token
  const logFile = join(directory, 'service.log')
  const log = openSync(logFile, 'a')
  const main = join(directory, 'autodiagnose.mjs')
  await bundle(main, 'warning')
  const env = { ...process.env, AUTODIAGNOSE_CONFIG: config }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', log, log] })
  const ended = once(child, 'exit')
  process.once('exit', () => child.kill('SIGKILL'))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    rmSync(directory, { recursive: true, force: true })
    const store = s3Store({ ...benchStore(namespace), credentials: credentials() })
    for await (const { key } of store.list('')) await store.remove(key)
  }
  try {
    await until('start the service', 30, async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined))
  } catch (error) {
    process.stderr.write(readFileSync(logFile, 'utf8').slice(-2000))
    await stop()
    throw error
  }
  return {
    url,
    token,
    async diagnose({ name }, checks) {
      const sentAt = performance.timeOrigin + performance.now()
      const response = await fetch(`${url}/v1/diagnoses`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'wait=60' },
        body: JSON.stringify({ pod: `${namespace}/${name}`, checks }),
      })
      const diagnosis = (await response.json()) as { id: string; outcome?: string; explanation?: string; detail?: string }
      const totalMs = performance.timeOrigin + performance.now() - sentAt
      if (diagnosis.outcome !== 'complete') {
        const why = diagnosis.explanation ?? diagnosis.detail ?? 'not over after 60 s'
        throw new Error(`the diagnosis came out ${diagnosis.outcome ?? response.status}: ${why}; ${readFileSync(logFile, 'utf8').slice(-1500)}`)
      }
      return { id: diagnosis.id, totalMs, sentAt }
    },
    peakMiB: () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    stop,
  }
}

/** Milliseconds from each request to its PATCH at the API server. The audit log is written a moment later. */
export function overheads(namespace: string, timed: readonly Timed[]): Promise<readonly number[]> {
  return until('find all PATCHes in the audit log', 20, async () => {
    const times = patchTimes(namespace)
    const found = timed.flatMap(({ id, sentAt }) => {
      const at = times.get(`${id}-1`)
      return at === undefined ? [] : [at - sentAt]
    })
    return found.length === timed.length ? found : undefined
  })
}

export const credentials = () => ({ accessKeyId: labVariable('LAB_S3_ACCESS_KEY'), secretAccessKey: labVariable('LAB_S3_SECRET_KEY') })
export const benchStore = (namespace: string) => ({
  endpoint: labVariable('LAB_S3_ENDPOINT'),
  bucket: labVariable('LAB_S3_BUCKET'),
  prefix: `${namespace}/`,
})

function configOf(directory: string, publicUrl: string, port: number, token: string, namespace: string): ConfigInput {
  return {
    publicUrl,
    listen: { host: '127.0.0.1', port },
    state: join(directory, 'state'),
    clusters: { lab: { kubeconfig: labVariable('KUBECONFIG') } },
    store: {
      kind: 's3',
      ...benchStore(namespace),
      accessKeyId: { env: 'LAB_S3_ACCESS_KEY' },
      secretAccessKey: { env: 'LAB_S3_SECRET_KEY' },
    },
    principals: [{ name: 'bench', tokenHashes: [`sha256:${createHash('sha256').update(token).digest('hex')}`] }],
    policy: [
      { principals: ['*'], namespaces: [namespace] },
      // What is not settled has no namespace yet: whoever counts it may see all.
      { principals: ['bench'], namespaces: ['*'] },
    ],
    diagnosis: { image: 'localhost/autodiagnose:1', imagePullPolicy: 'Never', containersPerPod: 100 },
    harm: { perNode: 100 },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
