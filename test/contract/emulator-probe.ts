import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmulator } from '../../src/emulator/emulator.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'

/** An emulator without the demo, whose one image is a shell: a container's argument is what it does. */
export async function probeEmulator() {
  const directory = await mkdtemp(join(tmpdir(), 'emulator-'))
  const image = (name: string) => (name === 'localhost/shell:1' ? { entrypoint: ['/bin/sh', '-c'] as const, file: '/bin/sh' } : undefined)
  const emulator = createEmulator({ directory, image, demo: false })
  const base = 'http://emulator/api/v1/namespaces/probe/pods'

  const ask = async (path: string, init?: RequestInit) => emulator.app.fetch(new Request(path.startsWith('http') ? path : `${base}${path}`, init))
  const patch = (pod: string, body: object, { type = 'application/strategic-merge-patch+json', query = '' } = {}) =>
    ask(`/${pod}/ephemeralcontainers${query}`, { method: 'PATCH', headers: { 'content-type': type }, body: JSON.stringify(body) })
  const read = async (name: string) => (await (await ask(`/${name}`)).json()) as RawPod

  return {
    ask,
    patch,
    read,
    emulator,
    run: (name: string, script: string, more: object = {}) =>
      emulator.createPod('probe', {
        metadata: { name },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'localhost/shell:1', args: [script] }], ...more },
      }),

    /** Watches until the pod is as wanted, at most 10 s. */
    async until(name: string, wanted: (pod: RawPod) => unknown): Promise<RawPod> {
      const response = await ask(`?watch=1&fieldSelector=metadata.name%3D${name}&timeoutSeconds=10`)
      let rest = ''
      const decoder = new TextDecoder()
      for await (const bytes of response.body ?? []) {
        const lines = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          const { type, object } = JSON.parse(line)
          if (type !== 'DELETED' && wanted(object)) return object
        }
      }
      throw new Error(`pod "${name}" did not get there: ${JSON.stringify(await read(name))}`)
    },

    async close() {
      await emulator.close()
      await rm(directory, { recursive: true })
    },
  }
}

export const add = (...ephemeralContainers: object[]) => ({ spec: { ephemeralContainers } })
export const isRunning = (pod: RawPod) => pod.status.containerStatuses?.every(({ state }) => state?.running)
export const hasEnded = (container: string) => (pod: RawPod) =>
  [...(pod.status.containerStatuses ?? []), ...(pod.status.ephemeralContainerStatuses ?? [])].find(({ name }) => name === container)?.state
    ?.terminated
