import { once } from 'node:events'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Raw } from '../ports/cluster/cluster.ts'
import type { Emulator } from './emulator.ts'
import type { Image, Start } from './images.ts'

/** Where the demo's pods are, and the one that is in trouble. */
export const demoPod = { namespace: 'demo', name: 'storefront-6c5f8d7b94-x7k2p' } as const

const appFile = fileURLToPath(new URL('demo-app.mjs', import.meta.url))
const runnerFile = fileURLToPath(new URL('../../diagnostics/runner', import.meta.url))

/** `localhost/demo-app`, and our diagnostic image under any registry and tag. */
export function demoImage(name: string): Image | undefined {
  const repository = name.replace(/@.*$/, '').replace(/:[^/]*$/, '')
  if (repository === 'localhost/demo-app') return { entrypoint: [process.execPath, appFile], file: appFile }
  if (repository.split('/').at(-1) !== 'autodiagnose') return undefined
  return {
    entrypoint: ['sh', runnerFile],
    file: runnerFile,
    extraArgs: (start) => [`--proc=${procOfTarget(start)}`],
  }
}

/**
 * A /proc in which the target's process is 1, as in a real pod, and no other process of this machine is seen.
 * Without a target it is empty. Where there is none at all (macOS), checks that read it say so.
 */
function procOfTarget({ directory, targetPid }: Start): string {
  if (!existsSync('/proc/self')) return '/proc'
  const proc = join(directory, 'proc')
  mkdirSync(proc, { recursive: true })
  if (targetPid !== undefined) symlinkSync(`/proc/${targetPid}`, join(proc, '1'))
  return proc
}

/** A caller, `storefront`, and the backend that fails it, `prices`, each a deployment of one pod. */
export async function fillDemoCluster({ createPod, createWorkload }: Pick<Emulator, 'createPod' | 'createWorkload'>): Promise<void> {
  const port = await freePort()
  const url = `http://localhost:${port}/v1/prices`
  const pods = [
    pod('prices-59b7c4f6dd-m4q8z', 'prices', { LISTEN_PORT: String(port) }, [{ containerPort: port }]),
    pod(demoPod.name, 'storefront', { PRICES_URL: url }),
  ]
  for (const manifest of pods) {
    const { app } = manifest.metadata.labels
    createPod(demoPod.namespace, manifest)
    createWorkload('deployments', demoPod.namespace, {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { name: app, namespace: demoPod.namespace, labels: { app } },
      spec: { replicas: 1, selector: { matchLabels: { app } }, template: { metadata: { labels: { app } }, spec: manifest.spec } },
      status: { replicas: 1 },
    })
  }
}

const pod = (name: string, app: string, env: Readonly<Record<string, string>>, ports?: readonly Raw[]) => ({
  metadata: { name, labels: { app } },
  spec: {
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        name: 'app',
        image: 'localhost/demo-app:1',
        args: [app],
        env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
        ...(ports ? { ports } : {}),
        resources: { limits: { memory: '256Mi' } },
      },
    ],
  },
})

/** Asked of the system and given back: the backend takes it a moment later. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
