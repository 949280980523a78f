import type { Config } from '../../config.ts'
import type { Clock } from '../../deps.ts'
import type { Cluster } from '../../ports/cluster/cluster.ts'
import { boundFindings } from '../bound-findings.ts'
import type { CheckRequest, DiagnosisRequest, Refusal } from '../diagnosis.ts'
import type { EvidenceFile, Gathered } from '../gathered.ts'
import type { RedactionCounts, Redactor } from '../redact/redactor.ts'
import { type Complain, readAnnotations } from './annotations.ts'
import { evidenceFiles } from './evidence-files.ts'
import { cutFinding } from './evidence-finding.ts'
import { evidenceFindings } from './findings.ts'
import { headroomOf } from './headroom.ts'
import { hintsFor } from './hints.ts'
import { pickPod } from './pick-pod.ts'
import { paths, type Readings, readBeside } from './readings.ts'
import { redactMessages } from './redact-messages.ts'
import { readTarget } from './target.ts'

export interface GatherDeps {
  readonly cluster: Cluster
  readonly config: Config
  readonly redactor: Redactor
  readonly clock: Clock
  /** Why policy keeps out a check that the pod's annotations name, or undefined. */
  readonly complain: Complain
}

export interface GatherResult {
  readonly gathered: Gathered
  /** For the bundle; kept out of the durable step, for a log tail may be large. */
  readonly files: readonly EvidenceFile[]
  readonly redactions: RedactionCounts
}

/** Of all findings, as JSON: they are kept with those of two containers. Without what is long in them, all have room. */
const maxFindingsBytes = 98_304

/**
 * Reads what the API tells of the target; nothing is changed. The pod must be had; what else cannot be read is told in the
 * bundle. Throws ClusterUnavailable, to be called again.
 */
export async function gather(request: DiagnosisRequest, deps: GatherDeps, signal: AbortSignal): Promise<GatherResult> {
  const { config, redactor, clock } = deps
  const picked = await pickPod(request.target, deps.cluster, signal)
  if (picked.kind === 'refused') return nothing(picked.refusal, clock.now())
  const { pod } = picked
  const target = readTarget(pod, request.container)
  const annotations = readAnnotations(pod, config.diagnosis.extraChecks, deps.complain)
  const readings = await readBeside(pod, target.container, deps, signal)
  const unread = readings.unread[paths.metrics(pod)]
  const headroom = headroomOf(pod, readings.metrics, clock.now(), unread && redactor.text('message', unread).text)
  // Where no line of a log may leave the cluster, none is quoted either.
  const quotable = config.evidence.logs === 'none' ? { ...readings, logs: new Map() } : readings
  const found = [...evidenceFindings(redactMessages(pod, redactor), target, quotable, headroom, clock.now()), ...annotations.findings]
  const { value, counts } = redactor.json('autodiagnose/findings.json', found)
  const findings = boundFindings(value.map(cutFinding), maxFindingsBytes)
  const { files, redactions } = evidenceFiles(pod, readings, findings, deps)
  const refusal = target.refusal ?? annotations.refusal
  const gathered: Gathered = {
    at: clock.now(),
    ...target.gathered,
    headroom,
    hints: merge(annotations.checks, hintsFor(pod, target.container, logText(readings, target.container), redactor)),
    findings,
    ...(refusal ? { refusal } : {}),
  }
  return { gathered, files, redactions: sum([readings.redactions, counts, redactions]) }
}

function logText({ logs }: Readings, container = ''): string {
  const log = logs.get(container)
  return log ? `${log.previous}\n${log.current}` : ''
}

/** What the owners declare comes first, but names are looked up before anything connects to them. */
function merge(declared: readonly CheckRequest[], hints: readonly CheckRequest[]): readonly CheckRequest[] {
  const all = [...declared, ...hints]
  const once = all.filter((one, at) => all.findIndex(({ name, param }) => name === one.name && param === one.param) === at)
  return [...once.filter(({ name }) => name === 'dns'), ...once.filter(({ name }) => name !== 'dns')]
}

function nothing(refusal: Refusal, at: number): GatherResult {
  const gathered: Gathered = {
    at,
    targetRunning: false,
    sharedProcesses: false,
    headroom: { kind: 'unknown', why: 'there is no pod' },
    ephemeralCount: 0,
    restarts: { count: 0 },
    hints: [],
    findings: [],
    refusal,
  }
  return { gathered, files: [], redactions: {} }
}

function sum(all: readonly RedactionCounts[]): RedactionCounts {
  const total: Record<string, number> = {}
  for (const counts of all) for (const [rule, count] of Object.entries(counts)) total[rule] = (total[rule] ?? 0) + count
  return total
}
