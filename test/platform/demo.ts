import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import { createEmulator, type Emulator } from '../../src/emulator/emulator.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { wallClock } from '../contract/wall-clock.ts'

/** An emulator whose pods of the demo are ready; `backend`, the URL that one of them calls, answers. Throws where that takes longer than 10 s. */
export async function openDemo(): Promise<Pick<Emulator, 'app' | 'close'> & { readonly backend: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-'))
  const { app, ...emulator } = createEmulator({ directory })
  const close = async () => {
    await emulator.close()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const backend = await within10s('The demo is not ready', () => backendOf(app))
    // It runs before it listens.
    await within10s(`Nothing answers at ${backend}`, () => fetch(backend).catch(() => undefined))
    return { app, backend, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Asked past the port: its generated client is hundreds of files, which the tests in workerd would load once more for this. */
async function backendOf(app: Emulator['app']): Promise<string | undefined> {
  const response = await app.request(`/api/v1/namespaces/${demoPod.namespace}/pods/${demoPod.name}`)
  const { spec, status } = (await response.json()) as RawPod
  if (!status.containerStatuses?.every(({ ready }) => ready)) return undefined
  return spec.containers[0]?.env?.find(({ name }) => name === 'PRICES_URL')?.value
}

async function within10s<T>(failure: string, look: () => Promise<T | undefined>): Promise<T> {
  const until = wallClock.now() + 10_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (wallClock.now() > until) throw new Error(`${failure} within 10 s`)
    await wallClock.sleep(20)
  }
}
