import type { Finding } from '../../diagnosis/diagnosis.ts'
import { byteLength, cutLine, cutLines, plainLine, plainLines } from './plain-text.ts'
import type { Note } from './tracker.ts'

/** What a note holds at most, whatever a pod printed. Lengths are characters unless they say bytes. */
export const noteLimits = {
  findings: 30,
  title: 300,
  sentence: 1000,
  evidenceBytes: 2048,
  facts: 60,
  label: 60,
  value: 400,
  links: 10,
  noteBytes: 60_000,
} as const

/**
 * The note with every text in it plain (see `plain-text.ts`) and cut to {@link noteLimits}, and so much of it that what `render` makes
 * stays within `noteBytes`: the evidence of the last findings goes first, then the last findings. A fact tells how many are missing.
 */
export function boundNote(note: Note, render: (note: Note) => string): Note {
  let findings = note.findings.slice(0, noteLimits.findings).map(plainFinding)
  const assemble = (): Note => ({
    marker: note.marker,
    at: note.at,
    headline: cutLine(plainLine(note.headline), noteLimits.title),
    ...(note.outcome === undefined ? {} : { outcome: note.outcome }),
    findings,
    facts: [...note.facts.slice(0, noteLimits.facts).map(plainFact), ...missing(note.findings, findings)],
    links: note.links.slice(0, noteLimits.links).flatMap(plainLink),
  })
  for (;;) {
    const bounded = assemble()
    if (findings.length === 0 || byteLength(render(bounded)) <= noteLimits.noteBytes) return bounded
    const last = findings.findLastIndex((finding) => finding.evidence !== undefined)
    findings = last < 0 ? findings.slice(0, -1) : findings.with(last, withoutEvidence(findings[last] as Finding))
  }
}

function plainFinding(finding: Finding): Finding {
  const evidence = finding.evidence === undefined ? '' : plainLines(finding.evidence).replace(/^\n+|\n+$/g, '')
  return {
    id: cutLine(plainLine(finding.id), noteLimits.title),
    check: cutLine(plainLine(finding.check), noteLimits.label),
    severity: finding.severity,
    title: cutLine(plainLine(finding.title), noteLimits.title),
    ...(evidence === '' ? {} : { evidence: cutLines(evidence, noteLimits.evidenceBytes) }),
    ...(finding.cause ? { cause: cutLine(plainLine(finding.cause), noteLimits.sentence) } : {}),
    ...(finding.next ? { next: cutLine(plainLine(finding.next), noteLimits.sentence) } : {}),
    source: finding.source,
  }
}

function withoutEvidence(finding: Finding): Finding {
  const { evidence: _, ...rest } = finding
  return rest
}

function plainFact([label, value]: readonly [string, string]): readonly [string, string] {
  return [cutLine(plainLine(label), noteLimits.label), cutLine(plainLine(value), noteLimits.value)]
}

/** Only web addresses become links: a `javascript:` or a relative one is nothing that we wrote. */
function plainLink(link: Note['links'][number]): Note['links'] {
  const url = URL.parse(link.url)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return []
  return [{ label: cutLine(plainLine(link.label), noteLimits.label), url: url.href }]
}

function missing(all: readonly Finding[], kept: readonly Finding[]): (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = []
  if (kept.length < all.length) facts.push(['Findings left out', `${all.length - kept.length} of ${all.length}; all of them are in the diagnosis`])
  const bare = kept.filter((finding, at) => finding.evidence === undefined && all[at]?.evidence?.trim()).length
  if (bare > 0)
    facts.push(['Evidence left out', `of ${bare} ${bare === 1 ? 'finding' : 'findings'}, for the length of this note; it is in the diagnosis`])
  return facts
}
