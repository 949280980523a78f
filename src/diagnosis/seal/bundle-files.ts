import { stringify } from 'yaml'
import { alsoText, comparisonLines } from '../comparison-words.ts'
import type { Diagnosis, Finding } from '../diagnosis.ts'
import type { EvidenceFile } from '../gathered.ts'
import { skippedIn } from '../skipped-words.ts'

/** Name of the bundle without ending, and of its one top directory: Troubleshoot's, from the time of the request. */
export function bundleName(createdAt: string): string {
  return `support-bundle-${createdAt.slice(0, 19).replaceAll(':', '_')}`
}

/** The small files of a bundle in Troubleshoot's layout, as far as they do not depend on the log. */
export function bundleFiles(diagnosis: Diagnosis, evidence: readonly EvidenceFile[]): readonly EvidenceFile[] {
  return [
    {
      path: 'version.yaml',
      text: stringify({ apiVersion: 'troubleshoot.sh/v1beta2', kind: 'SupportBundle', spec: { versionNumber: bundleVersion } }),
    },
    { path: 'analysis.json', text: json(diagnosis.findings.map(toAnalysis)) },
    { path: 'execution-data/summary.txt', text: summary(diagnosis) },
    { path: 'autodiagnose/diagnosis.json', text: json(diagnosis) },
    ...evidence,
  ]
}

/** The evidence of the healthy replica stands under a path of its own, for its files have the names of the target's. */
export function twinFiles(evidence: readonly EvidenceFile[]): readonly EvidenceFile[] {
  return evidence.map(({ path, text }) => ({ path: `autodiagnose/twin/${path}`, text }))
}

const bundleVersion = '0.1.0'

/** One entry of analysis.json, as Troubleshoot's own tools write and read it. */
function toAnalysis(finding: Finding): unknown {
  const severity = finding.severity === 'info' ? 'debug' : finding.severity
  const detail = [finding.title, finding.evidence, finding.cause && `Likely cause: ${finding.cause}`, finding.next && `Next: ${finding.next}`]
    .filter(Boolean)
    .join('\n')
  const name = finding.id.replace(/[^A-Za-z0-9.-]+/g, '-')
  return {
    name,
    labels: { desiredPosition: '', iconKey: '', iconUri: '' },
    insight: { name, labels: { iconKey: '', iconUri: '' }, primary: finding.title, detail, severity },
    severity,
    analyzerSpec: '',
  }
}

function summary(diagnosis: Diagnosis): string {
  const { id, outcome = 'unknown', explanation, findings, containers, comparison } = diagnosis
  const lines = [
    `diagnosis   ${id}`,
    `outcome     ${outcome}${explanation ? `: ${explanation}` : ''}`,
    ...containers.map(
      ({ name, profile, exitCode, lines: count }) => `container   ${name} (${profile}), exit code ${exitCode ?? 'unknown'}, ${count ?? 0} lines`,
    ),
    ...containers.flatMap(({ gaps = [] }) => gaps.map((gap) => `missing     ${gap}`)),
    ...skippedIn(containers).map(({ check, why }) => `not seen    ${check}: ${why}`),
    '',
    findings.length === 0 ? 'Nothing was found' : 'Findings, the most telling first:',
    ...findings.map(({ severity, title, alsoOn }) => `${severity.padEnd(6)}${title}${alsoText(alsoOn)}`),
    ...(comparison ? ['', ...comparisonLines(comparison)] : []),
  ]
  return `${lines.join('\n')}\n`
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
