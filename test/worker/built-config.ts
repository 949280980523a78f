import { configSchema } from '../../src/config.ts'
import type { WorkerConfig } from '../../src/hosts/worker-parts.ts'

/** In the place of what scripts/worker-config.ts makes. */
export default {
  config: configSchema.parse({
    publicUrl: 'https://autodiagnose.test',
    clusters: { main: { url: 'https://kubernetes.test:6443', token: { env: 'CLUSTER_TOKEN' }, binding: 'CLUSTER' } },
    store: { kind: 'r2' },
  }),
  redactors: [],
  secrets: ['CLUSTER_TOKEN'],
} satisfies WorkerConfig
