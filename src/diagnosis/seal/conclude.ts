import type { Store } from '../../ports/store/store.ts'
import type { ContainerRecord, Finding } from '../diagnosis.ts'
import { orderFindings } from '../order-findings.ts'
import { readContainer } from './read-container.ts'
import { TapReader, type TapReading } from './tap-findings.ts'

/** Reads what a container found from its stored log. */
export async function readFindings(store: Pick<Store, 'get'>, id: string, container: string, signal: AbortSignal): Promise<TapReading> {
  const tap = new TapReader()
  const decoder = new TextDecoder()
  for await (const { header, body } of readContainer(store, id, container, signal)) {
    if (!header.artifact) tap.push(decoder.decode(body, { stream: true }))
  }
  return tap.finish()
}

/** What of a container counts here. */
interface Ran {
  readonly checks: readonly string[]
  readonly findings: readonly Finding[]
  readonly container?: Pick<ContainerRecord, 'skipped'>
}

/**
 * The findings of a diagnosis, the most telling first: see {@link orderFindings}. Where the second container ran a check again, the first one's answer is dropped:
 * it was blind.
 */
export function mergeFindings(evidence: readonly Finding[], containers: readonly Ran[]): readonly Finding[] {
  const [first, second] = containers
  const seen = second
    ? inOrder([...(first?.findings ?? []).filter(({ check }) => !second.checks.includes(check)), ...second.findings], first?.checks ?? [])
    : (first?.findings ?? [])
  const all = [...seen, ...evidence]
  // The same trouble has the same id, but two paths of one server may fail in the same way: they are two sentences.
  const unique = all.filter(({ id, title }, at) => all.findIndex((other) => other.id === id && other.title === title) === at)
  const memoryIsCalm = containers.some(sawMemory) && !seen.some(({ check }) => check === 'cgroup')
  return orderFindings(unique.map((one) => weighed(one, evidence, memoryIsCalm)))
}

/** A container that is blind for the target skips this check. */
function sawMemory({ checks, container }: Ran): boolean {
  return checks.includes('cgroup') && !container?.skipped?.some(({ check }) => check === 'cgroup')
}

/** As one container that saw everything would have found them. */
function inOrder(findings: readonly Finding[], checks: readonly string[]): readonly Finding[] {
  return findings.toSorted((a, b) => checks.indexOf(a.check) - checks.indexOf(b.check))
}

/** What others found can make a finding weigh more, or less. */
function weighed(finding: Finding, evidence: readonly Finding[], memoryIsCalm: boolean): Finding {
  if (isWhyProbed(finding, evidence) || isWhyDenied(finding, evidence)) return { ...finding, severity: 'error' }
  // What metrics call used has the page cache in it, which the kernel gives back; the cgroup knows better.
  const isMetric = finding.source === 'evidence' && finding.check === 'memory'
  return isMetric && memoryIsCalm && finding.severity === 'error' ? { ...finding, severity: 'warn' } : finding
}

/** A server on the loopback alone is a warning, unless a probe is refused at its port: then it is why. */
function isWhyProbed({ id }: Finding, evidence: readonly Finding[]): boolean {
  const port = /^listening\/localhost\/(\d+)$/.exec(id)?.[1]
  const refused = new RegExp(`:${port}: .*refused`)
  return port !== undefined && evidence.some(({ check, severity, title }) => check === 'probe' && severity === 'error' && refused.test(title))
}

/** A volume that the target's user may not write to by its mode is a warning, unless the target was denied to: then it is why. */
function isWhyDenied({ id }: Finding, evidence: readonly Finding[]): boolean {
  const path = /^disk\/not-writable\/(.+)$/.exec(id)?.[1]
  return path !== undefined && evidence.some((one) => /permission denied|EACCES/i.test(one.evidence ?? '') && one.evidence?.includes(path))
}
