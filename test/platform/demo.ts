import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import { createEmulator, type Emulator } from '../../src/emulator/emulator.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
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
    const backend = await backendOf(app)
    await answering(backend)
    return { app, backend, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function backendOf(app: Emulator['app']): Promise<string> {
  const cluster = kubernetesCluster({ name: 'demo', transport: async (request) => app.fetch(request), clock: wallClock })
  for await (const pod of cluster.watchPod(demoPod, AbortSignal.timeout(10_000))) {
    if (!pod?.status.containerStatuses?.every(({ ready }) => ready)) continue
    return pod.spec.containers[0]?.env?.find(({ name }) => name === 'PRICES_URL')?.value ?? ''
  }
  throw new Error('The demo did not start within 10 s')
}

/** It runs before it listens. */
async function answering(url: string): Promise<void> {
  const until = wallClock.now() + 10_000
  while (!(await fetch(url).catch(() => undefined))) {
    if (wallClock.now() > until) throw new Error(`Nothing answers at ${url} within 10 s`)
    await wallClock.sleep(20)
  }
}
