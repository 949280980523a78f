import { type ConfigInput, configSchema } from '../../src/config.ts'
import type { DiagnosisRequest } from '../../src/diagnosis/diagnosis.ts'
import type { Gathered } from '../../src/diagnosis/gathered.ts'
import { type PlanInput, planContainer } from '../../src/diagnosis/inject/plan-container.ts'
import type { Raw } from '../../src/ports/cluster/cluster.ts'

export const id = 'ad-0123456789abcdefghjk'
export const now = Date.parse('2026-01-02T03:04:05.001Z')
export const request: DiagnosisRequest = {
  id,
  createdAt: '2026-01-02T03:04:05.000Z',
  requester: 'alice',
  cluster: 'main',
  target: { kind: 'pod', namespace: 'shop', name: 'cart' },
  profile: 'auto',
  checks: [],
}
export const gathered: Gathered = {
  at: now,
  podRef: { namespace: 'shop', name: 'cart' },
  uid: 'f0f0f0f0-0000-4000-8000-000000000001',
  container: 'app',
  targetRunning: true,
  targetId: 'a'.repeat(64),
  sharedProcesses: false,
  ids: { uid: 1000, gid: 3000 },
  headroom: { kind: 'unlimited' },
  ephemeralCount: 0,
  restarts: { count: 0 },
  hints: [{ name: 'http', param: 'http://stock:8080/' }],
  findings: [],
}
export const configOf = (change: Partial<ConfigInput> = {}) =>
  configSchema.parse({ publicUrl: 'https://d.example', clusters: { main: { inCluster: true } }, store: { kind: 'files', directory: 'x' }, ...change })
export const plan = (change: Partial<PlanInput> & { gathered?: Gathered } = {}) =>
  planContainer({ request, gathered, attempt: 1, containerName: `${id}-1`, now, paused: false, config: configOf(), ...change })
export const specOf = (change: Parameters<typeof plan>[0] = {}): Raw & { readonly args: readonly string[] } => {
  const planned = plan(change)
  if (planned.kind !== 'inject') throw new Error(`Refused: ${planned.refusal.message}`)
  return planned.candidates[0]?.spec as Raw & { readonly args: readonly string[] }
}
export const refusal = (change: Parameters<typeof plan>[0]) => {
  const planned = plan(change)
  return planned.kind === 'refused' ? planned.refusal : undefined
}
