import type { Finding } from './diagnosis.ts'

/** In the place of evidence, cause and next step of a finding for which there was no room. */
export const leftOut = '(left out here, for the findings together were too long)'

/**
 * The findings in their order, as far as they have at most `maxBytes` of JSON together: they cross durable steps, which keep 1 MiB, and
 * the records, whose rows have 2 MB on D1. One that does not fit keeps who it is, with a mark; where not even that fits, the rest is dropped.
 */
export function boundFindings(findings: readonly Finding[], maxBytes: number): readonly Finding[] {
  const kept: Finding[] = []
  let left = maxBytes
  let wanted = findings.reduce((sum, finding) => sum + jsonBytes(bare(finding)), 0)
  for (const finding of findings) {
    const short = bare(finding)
    // Room for those behind it, as short as they can be, comes first.
    wanted -= jsonBytes(short)
    const fitting = jsonBytes(finding) <= left - wanted ? finding : short
    left -= jsonBytes(fitting)
    if (left < 0) break
    kept.push(fitting)
  }
  return kept
}

function bare({ id, check, severity, title, source }: Finding): Finding {
  return { id, check, severity, title, evidence: leftOut, source }
}

function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length
}
