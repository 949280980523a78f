import type { TwinFinding } from '../comparison.ts'
import type { Finding, Severity } from '../diagnosis.ts'
import { measure } from './numbers.ts'

const maxTold = 20
const rank: Readonly<Record<Severity, number>> = { error: 0, warn: 1, info: 2 }

/** Whose findings: what only says whose they are. */
export interface Found<F extends TwinFinding = TwinFinding> {
  readonly findings: readonly F[]
  readonly names: readonly string[]
}

/**
 * The target's findings, those first that it has alone, each part in the order that it had; the others say on which replica they are, too. The same is what has
 * the same id, and a title that differs by numbers and names of pods alone, unless it is worse here than there.
 */
export function markShared(target: Found<Finding>, twin: Found, twinName: string): readonly Finding[] {
  const theirs = new Map<string, Severity>()
  for (const finding of twin.findings) {
    const key = keyOf(finding, twin.names)
    const known = theirs.get(key)
    if (known === undefined || rank[finding.severity] < rank[known]) theirs.set(key, finding.severity)
  }
  const isShared = (finding: TwinFinding): boolean => {
    const there = theirs.get(keyOf(finding, target.names))
    return there !== undefined && rank[there] <= rank[finding.severity]
  }
  const marked = target.findings.map((finding): Finding => (isShared(finding) ? { ...finding, alsoOn: twinName } : finding))
  return [...marked.filter(({ alsoOn }) => alsoOn === undefined), ...marked.filter(({ alsoOn }) => alsoOn !== undefined)]
}

/** What was found in the replica and not in the target. */
export function onTwinAlone(target: Found, twin: Found): readonly TwinFinding[] {
  const own = new Set(target.findings.map((finding) => keyOf(finding, target.names)))
  return twin.findings
    .filter((finding) => !own.has(keyOf(finding, twin.names)))
    .toSorted((a, b) => rank[a.severity] - rank[b.severity])
    .slice(0, maxTold)
    .map(({ id, check, severity, title }) => ({ id, check, severity, title }))
}

function keyOf({ id, title }: TwinFinding, names: readonly string[]): string {
  return `${id}\n${measure(title, names).shape}`
}
