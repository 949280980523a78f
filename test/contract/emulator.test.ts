import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { clusterContract } from './cluster.ts'
import { probeEmulator } from './emulator-probe.ts'
import { wallClock } from './wall-clock.ts'

clusterContract('emulator', async () => {
  const { emulator, close } = await probeEmulator()
  const request = async (path: string, init?: RequestInit) => emulator.app.fetch(new Request(new URL(path, 'http://emulator'), init))
  return {
    cluster: kubernetesCluster({ name: 'emulator', transport: async (call) => emulator.app.fetch(call), clock: wallClock }),
    namespace: 'contract',
    shell: (script) => ({ image: 'localhost/shell:1', args: [script] }),
    createPod: async (manifest) => void emulator.createPod('contract', manifest),
    deletePod: async (name) => void (await request(`/api/v1/namespaces/contract/pods/${name}`, { method: 'DELETE' })),
    raw: async (path) => (await request(path)).json(),
    close,
  }
})
