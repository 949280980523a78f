import { Parser, type Result } from 'tap-parser'
import { boundFindings } from '../bound-findings.ts'
import { type Finding, type Ids, type Severity, type Skipped, severities } from '../diagnosis.ts'
import { TapLines } from './tap-lines.ts'

/** What a container's TAP says. */
export interface TapReading {
  readonly findings: readonly Finding[]
  readonly skipped: readonly Skipped[]
  /** The target as the runner saw it, if it printed that. */
  readonly target?: SeenTarget
  /** The runner's own words, where it cut its output or could not run everything. */
  readonly cut?: string
  /** One sentence, where there were more findings than are kept. */
  readonly dropped?: string
}

export interface SeenTarget {
  readonly ids: Ids
  /** Whether the target's descriptors could be read: if not, the container ran as somebody else. */
  readonly visible: boolean
}

const maxFindings = 50
const maxSkipped = 40
const maxWhy = 200
const maxText = 2000
const maxId = 300
/** Of all findings of a container, as JSON. Two containers and the evidence together are less than 1 MiB, in any encoding. */
const maxBytes = 131_072

/** Reads redacted TAP 14 as it comes; anything that is no TAP is passed over. */
export class TapReader {
  private readonly findings: Record<Severity, Finding[]> = { error: [], warn: [], info: [] }
  private readonly parser = new Parser()
  private readonly wanted = new TapLines()
  private readonly skipped: Skipped[] = []
  private failed = 0
  private held = ''
  private check = ''
  private target: SeenTarget | undefined
  private cut: string | undefined

  constructor() {
    this.parser.on('comment', (comment: string) => this.comment(comment))
    this.parser.on('assert', (result: Result) => this.assert(result))
  }

  push(text: string): void {
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.parse(this.wanted.take(this.held + text.slice(from, end + 1)))
      this.held = ''
      from = end + 1
    }
    this.held += text.slice(from)
  }

  /** The worst findings, each kind in the order of the log. */
  finish(): TapReading {
    if (this.held !== '') this.parse(this.wanted.take(`${this.held}\n`))
    this.parse(this.wanted.flush())
    this.parser.end()
    const { target, cut } = this
    const findings = boundFindings(Object.values(this.findings).flat().slice(0, maxFindings), maxBytes)
    const left = this.failed - findings.length
    const dropped = left > 0 ? `the container printed ${this.failed} findings: the worst ${findings.length} are kept, all are in its log` : undefined
    return { findings, skipped: this.skipped, ...(target ? { target } : {}), ...(cut ? { cut } : {}), ...(dropped ? { dropped } : {}) }
  }

  private comment(comment: string): void {
    const check = /^# check ([a-z0-9-]{1,63})\s*$/.exec(comment)
    if (check) this.check = check[1] as string
    const cut = /^# autodiagnose (cut at \d+ bytes|stopped by TERM|expired at \d+)/.exec(comment)
    if (cut) this.cut = cut[1]
    const target = /^# autodiagnose target pid=\d+ uid=(\d{1,10}) gid=(\d{1,10}) visible=(yes|no)\s*$/.exec(comment)
    if (target) this.target = { ids: { uid: Number(target[1]), gid: Number(target[2]) }, visible: target[3] === 'yes' }
  }

  private parse(lines: readonly string[]): void {
    for (const line of lines) this.parser.write(line)
  }

  private assert(result: Result): void {
    // The parser keeps them all.
    for (const kept of [this.parser.failures, this.parser.skips, this.parser.todos, this.parser.comments]) kept.length = 0
    this.parser.pointsSeen.clear()
    if (result.skip && this.check !== '' && this.skipped.length < maxSkipped)
      this.skipped.push({ check: this.check, why: oneLine(String(result.skip)).slice(0, maxWhy) })
    if (result.ok || result.skip || result.todo) return
    this.failed += 1
    const finding = toFinding(result, this.check)
    const same = this.findings[finding.severity]
    if (same.length < maxFindings) same.push(finding)
  }
}

function toFinding(result: Result, running: string): Finding {
  const diag: Record<string, unknown> = typeof result.diag === 'object' && result.diag !== null ? { ...result.diag } : {}
  const title = oneLine(result.name) || 'a check failed without saying why'
  const check = text(diag.check, maxId) ?? (running || 'unknown')
  const severity = severities.find((known) => known === diag.severity) ?? 'error'
  const evidence = text(diag.evidence)
  const cause = text(diag.cause)
  const next = text(diag.next)
  return {
    id:
      text(diag.id, maxId) ??
      `${check}/${title
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .slice(0, 80)}`,
    check,
    severity,
    title,
    source: 'container',
    ...(evidence === undefined ? {} : { evidence }),
    ...(cause === undefined ? {} : { cause }),
    ...(next === undefined ? {} : { next }),
  }
}

function oneLine(name: string): string {
  return name.replace(/^- /, '').replace(/\s+/g, ' ').trim().slice(0, 500)
}

function text(value: unknown, max = maxText): string | undefined {
  if (value === undefined || value === null) return undefined
  const string = typeof value === 'string' ? value : textOf(value)
  return string.trim().slice(0, max) || undefined
}

/** YAML's tags make more than JSON knows: functions, symbols, big integers, circles. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
