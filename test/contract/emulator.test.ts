import { platform } from '#platform'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { clusterContract } from './cluster.ts'
import { wallClock } from './wall-clock.ts'

clusterContract('emulator', async () => {
  const { transport, close } = await platform.openShellEmulator()
  const pods = '/api/v1/namespaces/contract/pods'
  const request = async (path: string, init?: RequestInit) => {
    const response = await transport(new Request(new URL(path, 'http://emulator'), init))
    const body: unknown = await response.json()
    if (!response.ok) throw new Error(`The emulator answers ${response.status} ${JSON.stringify(body)}`)
    return body
  }
  return {
    cluster: kubernetesCluster({ name: 'emulator', transport, clock: wallClock }),
    namespace: 'contract',
    shell: (script) => ({ image: 'localhost/shell:1', args: [script] }),
    createPod: async (manifest) => void (await request(pods, { method: 'POST', body: JSON.stringify(manifest) })),
    deletePod: async (name) => void (await request(`${pods}/${name}`, { method: 'DELETE' })),
    raw: (path) => request(path),
    close,
  }
})
