import { configSchema } from '../../src/config.ts'
import type { AlertSource } from '../../src/diagnosis/accept/relabel.ts'

/** A source as the configuration has it, with its defaults. */
export function alertSource(more: object = {}): AlertSource {
  const config = configSchema.parse({
    publicUrl: 'https://autodiagnose.example',
    clusters: { main: { inCluster: true } },
    store: { kind: 'files', directory: 'x' },
    sources: { alerts: { kind: 'alertmanager', auth: { bearer: [{ env: 'TOKEN' }] }, ...more } },
  })
  return config.sources.alerts as AlertSource
}
