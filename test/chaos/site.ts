import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import { ServiceProcess } from './service-process.ts'

const run = promisify(execFile)

export interface SiteOptions {
  /** Where the bundled programs are. */
  readonly programs: string
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  readonly token: string
  readonly report: string
}

/** One service's configuration, state and store, over all lives of its process; and its API as a caller uses it. */
export class Site {
  readonly options: SiteOptions
  service: ServiceProcess | undefined

  constructor(options: SiteOptions) {
    this.options = options
  }

  /** Starts the service, told to kill itself at `fault`. */
  async start(fault = ''): Promise<ServiceProcess> {
    this.service = new ServiceProcess(this.options.programs, 'host', { ...this.options.env, FAULT: fault })
    await this.service.url()
    return this.service
  }

  /** Starts the service as it is shipped. */
  startMain(): ServiceProcess {
    this.service = new ServiceProcess(this.options.programs, 'main', this.options.env)
    return this.service
  }

  async stop(): Promise<void> {
    await this.service?.kill('SIGKILL')
  }

  async call(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    if (!this.service) throw new Error('The service was not started')
    const response = await fetch(`${await this.service.url()}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.options.token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`Cannot ${method} ${path}: ${response.status} ${await response.text()}`)
    return response
  }

  /** Asks for a diagnosis. Throws when the service dies before it answers. */
  async ask(request: object, key: string): Promise<View> {
    const body = { report: this.options.report, ...request }
    return (await (await this.call('POST', '/v1/diagnoses', body, { 'idempotency-key': key })).json()) as View
  }

  async read(id: string): Promise<View> {
    return (await (await this.call('GET', `/v1/diagnoses/${id}`)).json()) as View
  }

  async list(): Promise<readonly View[]> {
    return ((await (await this.call('GET', '/v1/diagnoses')).json()) as { diagnoses: View[] }).diagnoses
  }

  async untilDone(id: string, timeout = 60_000): Promise<View> {
    return vi.waitFor(
      async () => {
        const view = await this.read(id)
        if (view.state !== 'done') throw new Error(`the diagnosis is ${view.state}: ${this.service?.log}`)
        return view
      },
      { timeout, interval: 100 },
    )
  }

  /** The bundle unpacked by tar: the text of each file by its path without the top directory. */
  async unpack(id: string): Promise<ReadonlyMap<string, string>> {
    const directory = join(this.options.directory, `unpacked-${id}`)
    await mkdir(directory, { recursive: true })
    const archive = join(directory, 'bundle.tar.gz')
    await writeFile(archive, new Uint8Array(await (await this.call('GET', `/v1/diagnoses/${id}/bundle`)).arrayBuffer()))
    await run('tar', ['-xzf', archive, '-C', directory, '--strip-components=1'])
    const files = new Map<string, string>()
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isFile() && path !== archive) files.set(path.slice(directory.length + 1), await readFile(path, 'utf8'))
    }
    return files
  }
}
