import type { Finding, Severity } from '../diagnosis.ts'

const maxTitle = 400
const maxEvidence = 2000

/** What is told beside the sentence: whoever reads the finding is to know why, and what to do. */
export interface Told {
  readonly evidence?: string
  readonly cause: string
  readonly next: string
}

/** A finding of this stage; evidence that is empty is left out. It is cut by {@link cutFinding}, and not before it is redacted. */
export function evidenceFinding(check: string, trouble: string, severity: Severity, title: string, { evidence, cause, next }: Told): Finding {
  return {
    id: `${check}/${trouble}`,
    check,
    severity,
    title,
    ...(evidence ? { evidence } : {}),
    cause,
    next,
    source: 'evidence',
  }
}

/** Makes the title one line, and cuts what is long. Only for what is redacted: half a secret is one that no rule knows any more. */
export function cutFinding(finding: Finding): Finding {
  const { id, title, evidence, cause, next } = finding
  return {
    ...finding,
    id: cut(id, maxTitle),
    title: oneLine(title),
    ...(evidence ? { evidence: evidence.slice(0, maxEvidence) } : {}),
    ...(cause ? { cause: cut(cause, maxEvidence) } : {}),
    ...(next ? { next: cut(next, maxEvidence) } : {}),
  }
}

/** One sentence has one line and no period. */
function oneLine(text: string): string {
  const words = text.replace(/\s+/g, ' ').trim()
  return words.length > maxTitle ? cut(words, maxTitle) : words.replace(/\.$/, '')
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text
}

export function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}
