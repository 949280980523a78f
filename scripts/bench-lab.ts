import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The lab's environment, as `lab env` exports it, in this process and those that it starts. */
export function enterLab(): void {
  const lab = fileURLToPath(new URL('../test/lab/lab', import.meta.url))
  const text = execFileSync('bash', ['-c', 'eval "$("$1" env)"; env -0', 'bash', lab], { encoding: 'utf8' })
  for (const entry of text.split('\0')) {
    const at = entry.indexOf('=')
    if (at > 0) process.env[entry.slice(0, at)] = entry.slice(at + 1)
  }
  try {
    execFileSync('kubectl', ['get', '--raw', '/readyz', '--request-timeout=10s'], { stdio: 'pipe' })
  } catch {
    throw new Error('the lab does not answer; run "npm run lab -- up" as root')
  }
}

export function labVariable(name: `LAB_${string}` | 'KUBECONFIG'): string {
  const value = process.env[name]
  if (!value) throw new Error(`"test/lab/lab env" does not export ${name}`)
  return value
}

export async function kubectl(args: readonly string[], input?: unknown): Promise<string> {
  const running = run('kubectl', [...args], { maxBuffer: 64 * 1024 * 1024 })
  if (input !== undefined) running.child.stdin?.end(JSON.stringify(input))
  return (await running).stdout
}

/** Asks again until there is an answer. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + seconds * 1000; ; await sleep(200)) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
  }
}

export interface BenchPod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface BenchNamespace {
  readonly name: string
  /** Starts a pod of one container named `app`, and waits until it runs or has ended. */
  pod(name: string, container: Readonly<Record<string, unknown>>): Promise<BenchPod>
  remove(): Promise<void>
}

export async function makeNamespace(): Promise<BenchNamespace> {
  const namespace = `autodiagnose-bench-${randomBytes(3).toString('hex')}`
  await kubectl(['create', 'namespace', namespace])
  return {
    name: namespace,
    async pod(name, container) {
      const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [{ name: 'app', ...container }] }
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
      await until(`create pod ${name}`, 30, () => kubectl(['-n', namespace, 'create', '-f', '-'], pod))
      const uid = await until(`start pod ${name}`, 60, async () => {
        const { metadata, status } = JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', name, '-o', 'json']))
        return status.phase === 'Pending' ? undefined : (metadata.uid as string)
      })
      return { namespace, name, uid }
    },
    remove: async () => void (await kubectl(['delete', 'namespace', namespace, '--wait=false'])),
  }
}

interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly requestReceivedTimestamp: string
  readonly objectRef?: { readonly namespace?: string; readonly subresource?: string }
  readonly requestObject?: { readonly spec?: { readonly ephemeralContainers?: readonly { readonly name: string }[] } }
}

/** When the API server received the PATCH that adds a container, in milliseconds since the epoch, by the container's name. */
export function patchTimes(namespace: string): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  for (const line of readFileSync(labVariable('LAB_AUDIT_LOG'), 'utf8').split('\n')) {
    if (!line.includes(namespace) || !line.includes('ephemeralcontainers')) continue
    const event = JSON.parse(line) as AuditEvent
    if (event.verb !== 'patch' || event.objectRef?.subresource !== 'ephemeralcontainers' || event.requestURI.includes('dryRun')) continue
    const name = event.requestObject?.spec?.ephemeralContainers?.[0]?.name
    if (name !== undefined && !times.has(name)) times.set(name, milliseconds(event.requestReceivedTimestamp))
  }
  return times
}

/** Date knows no microseconds. */
function milliseconds(time: string): number {
  const fraction = /\.(\d+)Z$/.exec(time)?.[1] ?? '0'
  return Date.parse(time.replace(/\.\d+Z$/, 'Z')) + Number(`0.${fraction}`) * 1000
}
