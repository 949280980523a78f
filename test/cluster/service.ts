import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import { hashToken } from '../../src/diagnosis/admit/token-hash.ts'
import { loadConfig } from '../../src/hosts/load-config.ts'
import { type Service, type ServiceOptions, startService } from '../../src/hosts/node.ts'
import { bundlePrograms, ServiceProcess } from '../chaos/service-process.ts'
import { isLab, labVariable } from './environment.ts'
import { deleteObjects } from './lab-store.ts'
import { useServiceRights } from './service-rights.ts'
import { readKubeconfig, WorkerProcess } from './worker-process.ts'

export interface LabServiceOptions {
  /** Default: Node. */
  readonly host?: 'Node' | 'Workers'
  /** On Workers: the bucket of wrangler dev, with URLs to download from it, in the place of the lab's. */
  readonly r2?: boolean
  /** Namespaces in which its account gets the Role, and that policy allows. */
  readonly watched: readonly string[]
  /** Namespaces that policy allows although the account has no right there. */
  readonly allowed?: readonly string[]
  /** Security profiles that policy allows; default: the configuration's. */
  readonly profiles?: readonly string[]
  readonly diagnosis?: object
  readonly harm?: object
  readonly evidence?: object
  /** Its source `alertmanager` takes what the lab's pair sends; with the rights of this rule, beside what is given here of the sections about alerts. */
  readonly alerts?: { readonly rule: object; readonly intake: object; readonly reports: object }
  /** The section of the configuration; `alice` is the principal. */
  readonly adoption?: readonly object[]
  /** Puts something around every durable step; the service then runs in the process of the tests. */
  readonly wrapStep?: ServiceOptions['wrapStep']
}

export interface LabService {
  readonly token: string
  readonly url: string
  /** Its user name at the API server. */
  readonly user: string
  /** Put before all its keys in the bucket. */
  readonly prefix: string
  /** What it wrote to standard error until now. */
  readonly log: string
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** Accepts a diagnosis; throws with the problem otherwise. */
  begin(request: object): Promise<View>
  get(id: string): Promise<View>
  /** Waits at most `seconds`, 120 by default. */
  until(id: string, is: (diagnosis: View) => boolean, seconds?: number): Promise<View>
  /** On Workers: kills it with all that it started, while this diagnosis is at work, and starts it again. */
  crash(id: string): Promise<void>
  /** Kills it with all that it started, and starts it again. */
  restart(): Promise<void>
  /** On Workers: has the cron trigger come, which `wrangler dev` does not have by itself, and the engine go on with a run of before a crash. Node needs neither. */
  sweep(id?: string): Promise<void>
  /** The whole of it: begins and waits until it is done. */
  diagnose(request: object, seconds?: number): Promise<View>
}

const sources = { alertmanager: { kind: 'alertmanager', auth: { bearer: [{ env: 'LAB_WEBHOOK_TOKEN' }] } } }

/** The service as a process of this machine, on Node or by `wrangler dev`, beside the lab: its account has only infra/kubernetes' Role, and it stores and reports for real. */
export function useService(options: LabServiceOptions): LabService {
  const rights = useServiceRights(options.watched)
  const token = 'made-up-token-of-the-tests'
  const prefix = `${rights.user.split(':')[2]}/`
  let directory = ''
  let running: ServiceProcess | WorkerProcess | undefined
  let startAgain = async (): Promise<void> => undefined
  let inside: Service | undefined
  let url = ''

  beforeAll(async () => {
    if (!isLab) return
    directory = await mkdtemp(join(tmpdir(), 'autodiagnose-test-'))
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    const kubeconfig = join(directory, 'kubeconfig')
    const config = {
      publicUrl: url,
      listen: { port },
      state: join(directory, 'state'),
      clusters: { lab: { kubeconfig } },
      store: {
        kind: 's3',
        endpoint: labVariable('LAB_S3_ENDPOINT'),
        bucket: labVariable('LAB_S3_BUCKET'),
        prefix,
        accessKeyId: { env: 'LAB_S3_ACCESS_KEY' },
        secretAccessKey: { env: 'LAB_S3_SECRET_KEY' },
      },
      trackers: { redmine: { kind: 'redmine', url: labVariable('LAB_REDMINE_URL'), apiKey: { env: 'LAB_REDMINE_API_KEY' } } },
      principals: [{ name: 'alice', tokenHashes: [await hashToken(token)] }],
      policy: [
        {
          principals: ['alice'],
          namespaces: [...options.watched, ...(options.allowed ?? [])],
          reports: ['redmine:*'],
          operator: true,
          ...(options.profiles ? { profiles: options.profiles } : {}),
        },
        ...(options.alerts ? [{ principals: ['alertmanager'], ...options.alerts.rule }] : []),
      ],
      ...(options.alerts ? { sources, intake: options.alerts.intake, reports: options.alerts.reports } : {}),
      // No admission policy names these accounts.
      diagnosis: { image: 'localhost/autodiagnose:1', imagePullPolicy: 'Never', admissionPolicy: 'unchecked', ...options.diagnosis },
      // The lab has one node, and suites that diagnose many pods at once.
      harm: { perNode: 100, ...options.harm },
      ...(options.adoption ? { adoption: options.adoption.map((rule) => ({ principal: 'alice', ...rule })) } : {}),
      ...(options.evidence ? { evidence: options.evidence } : {}),
    }
    await rights.writeKubeconfig(kubeconfig)
    if (options.host === 'Workers') {
      const { server, ca } = await readKubeconfig(kubeconfig)
      const { state: _, listen: __, ...shared } = config
      const r2 = {
        kind: 'r2',
        prefix,
        downloads: {
          endpoint: `${url}/cdn-cgi/local/r2/s3`,
          bucket: 'autodiagnose',
          accessKeyId: { env: 'R2_ACCESS_KEY_ID' },
          secretAccessKey: { env: 'R2_SECRET_ACCESS_KEY' },
        },
      }
      const onWorkers = {
        ...shared,
        clusters: { lab: { url: server, token: { env: 'CLUSTER_TOKEN' }, serviceAccount: rights.account } },
        ...(options.r2 ? { store: r2 } : {}),
      }
      const names = ['LAB_S3_ACCESS_KEY', 'LAB_S3_SECRET_KEY', 'LAB_REDMINE_API_KEY', 'LAB_WEBHOOK_TOKEN'] as const
      const r2Keys = { accessKeyId: 'local', secretAccessKey: 'made-up-for-this-machine' }
      const ofR2 = { R2_ACCESS_KEY_ID: r2Keys.accessKeyId, R2_SECRET_ACCESS_KEY: r2Keys.secretAccessKey }
      const secrets = { CLUSTER_TOKEN: await rights.askingToken(), ...ofR2, ...Object.fromEntries(names.map((name) => [name, labVariable(name)])) }
      running = await WorkerProcess.start({ directory, port, config: onWorkers, secrets, ca, ...(options.r2 ? { r2Keys } : {}) })
      return
    }
    const file = join(directory, 'config.yaml')
    // JSON is YAML.
    await writeFile(file, JSON.stringify(config))
    if (options.wrapStep) {
      inside = await startService({ ...loadConfig({ ...process.env, AUTODIAGNOSE_CONFIG: file }), wrapStep: options.wrapStep })
      return
    }
    await bundlePrograms(directory)
    startAgain = async () => {
      const started = new ServiceProcess(directory, 'main', { AUTODIAGNOSE_CONFIG: file })
      running = started
      await started.url()
    }
    await startAgain()
  })
  afterAll(async () => {
    await running?.kill('SIGTERM')
    await inside?.close()
    if (!isLab) return
    await deleteObjects(prefix)
    await rm(directory, { recursive: true, force: true })
  })

  const call: LabService['call'] = (method, path, body, headers = {}) =>
    fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
    })
  const read = async (answer: Response): Promise<View> => {
    if (!answer.ok) throw new Error(`the service answered ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as View
  }
  const service: LabService = {
    token,
    user: rights.user,
    prefix,
    get url() {
      return url
    },
    get log() {
      return running?.log ?? ''
    },
    call,
    begin: async (request) => read(await call('POST', '/v1/diagnoses', request)),
    get: async (id) => read(await call('GET', `/v1/diagnoses/${id}`)),
    until: (id, is, seconds = 120) =>
      vi.waitFor(
        async () => {
          const now = await service.get(id)
          if (!is(now)) throw new Error(`diagnosis is not as awaited: ${JSON.stringify(now)} ${troublesOf(service.log)}`)
          return now
        },
        { timeout: seconds * 1000, interval: 150 },
      ),
    async crash(id) {
      if (!(running instanceof WorkerProcess)) throw new TypeError('Only the service on Workers is crashed here')
      await running.crash(id)
    },
    async restart() {
      if (running instanceof WorkerProcess) return running.restart()
      await running?.kill('SIGKILL')
      await startAgain()
    },
    async sweep(id) {
      if (!(running instanceof WorkerProcess)) return
      await running.sweep()
      if (id === undefined) return
      await running.goOn(id).catch(async (error) => {
        // A run that has ended takes no event.
        if ((await service.get(id)).state !== 'done') throw error
      })
    },
    diagnose: async (request, seconds) => service.until((await service.begin(request)).id, ({ state }) => state === 'done', seconds),
  }
  return service
}

/** Its links must name the port before it listens. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Its log without the requests that went well. */
const troublesOf = (log: string): string =>
  log
    .split('\n')
    .filter((line) => !line.includes('"message":"Request"'))
    .slice(-20)
    .join('\n')
