import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { vi } from 'vitest'
import { parse } from 'yaml'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const wrangler = join(root, 'node_modules/.bin/wrangler')

export interface WorkerOptions {
  /** Where the state of D1, R2 and Workflows is kept, and the files that are written here. */
  readonly directory: string
  readonly port: number
  /** The configuration; its secrets are those of `secrets`. */
  readonly config: object
  readonly secrets: Readonly<Record<string, string>>
  /** PEM of a certificate authority that fetch trusts. */
  readonly ca: string
  /** R2's S3 API at `/cdn-cgi/local/r2/s3`, with these keys; wrangler calls it experimental. */
  readonly r2Keys?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** wrangler.toml with absolute paths, so that it may be anywhere, and with keys for the bucket. */
async function withKeys({ accessKeyId, secretAccessKey }: NonNullable<WorkerOptions['r2Keys']>): Promise<string> {
  const keys = `local_dev = { experimental_s3_credentials = { accessKeyId = "${accessKeyId}", secretAccessKey = "${secretAccessKey}" } }`
  return (await readFile(join(root, 'wrangler.toml'), 'utf8'))
    .replace(/"(?:\.\/)?((?:src|infra|dist|node_modules)\/[^"]*)"/g, (_, path) => JSON.stringify(join(root, path)))
    .replace('[build]', `[build]\ncwd = ${JSON.stringify(root)}`)
    .replace('[[r2_buckets]]', `[[r2_buckets]]\n${keys}`)
}

/** The service on Workers as a process of this machine: `wrangler dev`, set up as docs/deploy-workers.md says. */
export class WorkerProcess {
  log = ''
  #child: ChildProcess | undefined
  readonly #env: NodeJS.ProcessEnv
  readonly #line: readonly string[]
  readonly #port: number

  private constructor(port: number, line: readonly string[], env: NodeJS.ProcessEnv) {
    this.#port = port
    this.#line = line
    this.#env = env
  }

  /** Resolves once it answers. */
  static async start({ directory, port, config, secrets, ca, r2Keys }: WorkerOptions): Promise<WorkerProcess> {
    const file = join(directory, 'autodiagnose.yaml')
    const vars = join(directory, 'vars')
    const authority = join(directory, 'ca.pem')
    const state = join(directory, 'state')
    const secretLines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`)
    // JSON is YAML.
    await Promise.all([writeFile(file, JSON.stringify(config)), writeFile(vars, secretLines.join(''), { mode: 0o600 }), writeFile(authority, ca)])
    const env = { ...process.env, AUTODIAGNOSE_CONFIG: file, NODE_EXTRA_CA_CERTS: authority, WRANGLER_SEND_METRICS: 'false', CI: 'true' }
    const toml = r2Keys ? join(directory, 'wrangler.toml') : join(root, 'wrangler.toml')
    if (r2Keys) await writeFile(toml, await withKeys(r2Keys))
    await run(wrangler, ['d1', 'migrations', 'apply', 'autodiagnose', '--local', '--persist-to', state, '--config', toml], { cwd: root, env })
    const line = [
      'dev',
      '--config',
      toml,
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      '--inspector-port',
      '0',
      '--persist-to',
      state,
      '--env-file',
      vars,
    ]
    const worker = new WorkerProcess(port, [...line, '--show-interactive-dev-session=false'], env)
    await worker.#launch()
    return worker
  }

  async #launch(): Promise<void> {
    // A group of its own: wrangler starts workerd, and a signal is for both.
    const child = spawn(wrangler, this.#line, { cwd: root, env: this.#env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text
      })
    await vi.waitFor(
      async () => {
        const answer = child.exitCode === null ? await fetch(`http://127.0.0.1:${this.#port}/healthz`).catch(() => undefined) : undefined
        if (child.exitCode === null && !answer?.ok) throw new Error(`the Worker does not answer: ${this.log.slice(-1500)}`)
      },
      { timeout: 60_000, interval: 100 },
    )
    if (child.exitCode !== null) throw new Error(`wrangler dev ended with ${child.exitCode}: ${this.log.slice(-1500)}`)
  }

  /** As a crash of the machine, and what Cloudflare does after it: the run goes on elsewhere, and the cron trigger comes. */
  async crash(id: string): Promise<void> {
    await this.restart()
    await this.goOn(id)
  }

  /** As a crash of the machine; the cron trigger comes. */
  async restart(): Promise<void> {
    await this.kill('SIGKILL')
    await this.#launch()
    await this.sweep()
  }

  /** Has the cron trigger come. */
  async sweep(): Promise<void> {
    const swept = await fetch(`http://127.0.0.1:${this.#port}/cdn-cgi/local/scheduled`)
    if (!swept.ok) throw new Error(`the cron trigger answered ${swept.status}: ${this.log.slice(-1500)}`)
  }

  /** Has the engine go on with a run that was at work before a crash: an event wakes it, which nothing waits for. */
  async goOn(id: string): Promise<void> {
    const event = ['--type', 'wake', '--payload', '{}', '--local', '--port', String(this.#port)]
    await run(wrangler, ['workflows', 'instances', 'send-event', 'autodiagnose', id, ...event], { cwd: root, env: this.#env })
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    process.kill(-child.pid, signal)
    await closed
  }
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } }]
}

/** What a Worker needs to know of a kubeconfig of one cluster. */
export async function readKubeconfig(file: string): Promise<{ readonly server: string; readonly ca: string }> {
  const { clusters } = parse(await readFile(file, 'utf8')) as Kubeconfig
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster
  return { server, ca: Buffer.from(ca, 'base64').toString() }
}
