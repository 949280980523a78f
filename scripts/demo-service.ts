import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import type { ConfigInput } from '../src/config.ts'

/** What went wrong, told by its message alone. */
export class DemoFailure extends Error {}

export function fail(reason: string): never {
  throw new DemoFailure(reason)
}

/** The service of the demo, in a process of its own as in production, on the embedded default. */
export interface DemoService {
  readonly url: string
  readonly token: string
  readonly configFile: string
  /** Asks it to end, and waits until it and its pods are gone. */
  stop(): Promise<void>
  /** Resolves with the reason when it ends before it is asked to. */
  readonly ended: Promise<string>
}

const main = fileURLToPath(new URL('../src/hosts/main.ts', import.meta.url))
// Without the demo, however it ended, the service ends too: the other end of its stdin is gone then.
const lifeline = `data:text/javascript,process.stdin.resume().on('end',()=>process.kill(process.pid,'SIGTERM'))`

/** Starts it in a fresh directory. Throws when it is not ready in `timeoutMs`. */
export async function startDemoService(directory: string, timeoutMs: number): Promise<DemoService> {
  const port = await choosePort(8080)
  const url = `http://127.0.0.1:${port}`
  const token = `demo-${randomBytes(16).toString('hex')}`
  const configFile = join(directory, 'autodiagnose.yaml')
  writeFileSync(configFile, stringify(demoConfig(directory, url, port, token)))
  const logFile = join(directory, 'service.log')
  const log = openSync(logFile, 'a')
  const env = { ...process.env, AUTODIAGNOSE_CONFIG: configFile }
  // Detached: ^C is for the demo, which then asks the service to end in order.
  const child = spawn(process.execPath, ['--import', lifeline, '--import', 'tsx', main], { env, stdio: ['pipe', log, log], detached: true })
  const ended = once(child, 'exit').then(([code, signal]) => `the service ended with ${code ?? signal}:\n${tail(logFile)}`)
  process.once('exit', () => child.kill('SIGKILL'))
  const stop = () => end(child)
  try {
    const deadline = Date.now() + timeoutMs
    const gone = { reason: undefined as string | undefined }
    void ended.then((reason) => {
      gone.reason = reason
    })
    for (let state = 'no answer'; state !== '200'; await sleep(50)) {
      if (gone.reason) fail(gone.reason)
      if (Date.now() > deadline) fail(`the service was not ready within ${timeoutMs / 1000} s (${state}):\n${tail(logFile)}`)
      state = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
        (response) => String(response.status),
        (error: Error) => error.message,
      )
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { url, token, configFile, stop, ended }
}

function demoConfig(directory: string, publicUrl: string, port: number, token: string): ConfigInput {
  mkdirSync(directory, { recursive: true })
  return {
    publicUrl,
    listen: { host: '127.0.0.1', port },
    state: join(directory, 'state'),
    clusters: { demo: { emulator: { directory: join(directory, 'cluster') } } },
    store: { kind: 'files', directory: join(directory, 'store') },
    trackers: { local: { kind: 'local', directory: join(directory, 'tracker') } },
    principals: [{ name: 'demo', tokenHashes: [`sha256:${createHash('sha256').update(token).digest('hex')}`] }],
    policy: [{ principals: ['demo'], namespaces: ['demo'], reports: ['local:*'] }],
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(kill)
}

/** The preferred port, or a free one where that is taken. */
async function choosePort(preferred: number): Promise<number> {
  const server = createServer()
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(preferred).catch(() => listen(0))
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const tail = (file: string) => readFileSync(file, 'utf8').split('\n').slice(-15).join('\n')
