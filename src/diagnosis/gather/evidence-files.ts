import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import type { EvidenceFile } from '../gathered.ts'
import type { RedactionCounts } from '../redact/redactor.ts'
import { dropEnv } from './drop-env.ts'
import type { GatherDeps } from './gather.ts'
import { paths, type Readings } from './readings.ts'

/**
 * The evidence as files in Troubleshoot's layout, redacted. The namespace's files hold the diagnosed pod alone, and literal values
 * of environment variables are dropped, whatever they are; references, unknown fields and microseconds stay.
 */
export function evidenceFiles(
  pod: RawPod,
  readings: Readings,
  findings: readonly Finding[],
  { redactor, config }: Pick<GatherDeps, 'redactor' | 'config'>,
): { readonly files: readonly EvidenceFile[]; readonly redactions: RedactionCounts } {
  const { namespace } = pod.metadata
  const files: EvidenceFile[] = []
  const redactions: Record<string, number> = {}
  const count = (counts: RedactionCounts): void => {
    for (const [rule, removed] of Object.entries(counts)) redactions[rule] = (redactions[rule] ?? 0) + removed
  }
  const put = (path: string, value: unknown): void => {
    files.push({ path, text: `${JSON.stringify(value, null, 2)}\n` })
  }
  const json = (path: string, value: unknown): void => {
    const redacted = redactor.json(path, value)
    count(redacted.counts)
    put(path, redacted.value)
  }
  const { value: withoutEnv, dropped } = dropEnv(pod)
  if (dropped > 0) count({ 'env-literal': dropped })
  json(paths.pods(namespace), { apiVersion: 'v1', kind: 'PodList', metadata: {}, items: [withoutEnv] })
  if (readings.eventList) put(paths.events(namespace), readings.eventList)
  if (readings.version) json(paths.version, { info: readings.version, string: readings.version.gitVersion })
  if (readings.metrics) json(paths.metrics(pod), readings.metrics)
  for (const [container, { current, previous }] of readings.logs) {
    for (const [log, isPrevious] of [
      [current, false],
      [previous, true],
    ] as const) {
      const text = allowed(log, config.evidence.logs, findings)
      if (text !== '') files.push({ path: paths.log(pod, container, isPrevious), text })
    }
  }
  for (const [path, why] of Object.entries(readings.unread)) json(errorPath(path), { [namespace]: why })
  return { files, redactions }
}

/** `cluster-resources/events/shop.json` → `cluster-resources/events-errors.json`; a log's stand beside it. */
function errorPath(path: string): string {
  if (path.endsWith('.log')) return path.replace(/\.log$/, '-logs-errors.json')
  return path.replace(/^((?:cluster-resources\/)?[^/]+)\/.*$/, '$1-errors.json')
}

/** By default an application's log leaves the cluster only as far as a finding quotes it, line by line. */
function allowed(log: string, policy: 'quoted' | 'tail' | 'none', findings: readonly Finding[]): string {
  if (policy === 'none' || log === '') return ''
  if (policy === 'tail') return log
  const quoted = new Set(findings.flatMap(({ evidence = '' }) => evidence.split('\n')).filter((line) => line.trim() !== ''))
  const lines = log.split('\n').filter((line) => quoted.has(line))
  return lines.length > 0 ? `${lines.join('\n')}\n` : ''
}
