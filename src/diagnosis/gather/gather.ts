import type { Config } from '../../config.ts'
import type { Clock } from '../../deps.ts'
import type { Cluster, RawPod } from '../../ports/cluster/cluster.ts'
import { boundFindings } from '../bound-findings.ts'
import type { Bounds } from '../bounds.ts'
import type { CheckRequest, DiagnosisRequest, Finding, Refusal } from '../diagnosis.ts'
import type { EvidenceFile, Gathered } from '../gathered.ts'
import type { RedactionCounts, Redactor } from '../redact/redactor.ts'
import { hasChecksVolume, readAnnotations } from './annotations.ts'
import { readAround, withoutPods } from './around.ts'
import { onceBegun } from './begun.ts'
import { blockingInit } from './containers.ts'
import { evidenceFiles } from './evidence-files.ts'
import { cutFinding } from './evidence-finding.ts'
import { evidenceFindings } from './findings.ts'
import { headroomOf } from './headroom.ts'
import { calledBy, hintsFor } from './hints.ts'
import { ownHints } from './own-hints.ts'
import { pickPod } from './pick-pod.ts'
import { troubledFiles } from './read-only-findings.ts'
import { paths, type Readings, readBeside } from './readings.ts'
import { redactMessages } from './redact-messages.ts'
import { readTarget, type TargetReading } from './target.ts'
import { isTroubled } from './troubled-line.ts'

export interface GatherDeps {
  readonly cluster: Cluster
  readonly config: Config
  readonly redactor: Redactor
  readonly clock: Clock
  /** Of what the pod's annotations may choose. */
  readonly bounds: Bounds
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
  if (picked.kind === 'refused') {
    const found = await withoutPods(request.target, picked.workload, deps.cluster, clock.now(), signal)
    return nothing(picked.refusal, clock.now(), redacted(found, redactor))
  }
  const pod = await onceBegun(picked.pod, request.container, deps, signal)
  const target = readTarget(pod, request.container)
  const annotations = readAnnotations(pod, request, config, deps.bounds)
  const readings = await readBeside(pod, target.container, deps, signal)
  const unread = readings.unread[paths.metrics(pod)]
  const headroom = headroomOf(pod, readings.metrics, clock.now(), unread && redactor.text('message', unread).text)
  // Where no line of a log may leave the cluster, none is quoted either.
  const quotable = config.evidence.logs === 'none' ? { ...readings, logs: new Map() } : readings
  const called = calledFor(pod, target, readings, redactor)
  const { target: asked } = request
  const { workload } = picked
  const around = await readAround(
    pod,
    { target: asked, ...(workload ? { workload } : {}), called: [...annotations.checks, ...called] },
    deps.cluster,
    clock.now(),
    signal,
  )
  const beside = { ...around, called: calledBy(pod, target.spec, redactor) }
  const found = evidenceFindings(redactMessages(pod, redactor), target, quotable, headroom, beside, clock.now())
  const { findings, counts } = redacted([...found, ...annotations.findings], redactor)
  const { files, redactions } = evidenceFiles(pod, readings, findings, deps)
  const refusal = target.refusal ?? annotations.refusal
  const gathered: Gathered = {
    at: clock.now(),
    ...target.gathered,
    headroom,
    ...(Object.keys(annotations.chosen).length > 0 ? { chosen: annotations.chosen } : {}),
    ...(hasChecksVolume(pod) ? { checksVolume: true } : {}),
    ...(around.pressure === undefined ? {} : { nodePressure: redactor.text('message', around.pressure).text }),
    hints: merge(annotations.checks, [
      ...called,
      ...ownHints(pod, target, around.listed, findings, clock.now()),
      ...fileHints(target, readings, redactor),
    ]),
    findings,
    ...(refusal ? { refusal } : {}),
  }
  return { gathered, files, redactions: sum([readings.redactions, counts, redactions]) }
}

/** Redacted before they are cut. */
function redacted(found: readonly Finding[], redactor: Redactor): { readonly findings: readonly Finding[]; readonly counts: RedactionCounts } {
  const { value, counts } = redactor.json('autodiagnose/findings.json', found)
  return { findings: boundFindings(value.map(cutFinding), maxFindingsBytes), counts }
}

/** The servers that the target calls, after those that the init container calls for which it waits. */
function calledFor(pod: RawPod, { container, gathered }: TargetReading, readings: Readings, redactor: Redactor): readonly CheckRequest[] {
  const init = gathered.targetRunning ? undefined : blockingInit(pod)?.name
  const names = [...new Set([init, container])].filter((name) => name !== undefined)
  return names.flatMap((name) => hintsFor(pod, name, logText(readings, name), redactor))
}

/** Of a file the check shows no value; the log is read redacted, for arguments can be read by whoever may get the pod. */
function fileHints({ container, spec }: TargetReading, readings: Readings, redactor: Redactor): readonly CheckRequest[] {
  const lines = redactor.text('hints', logText(readings, container)).text.split('\n').filter(isTroubled)
  return troubledFiles(spec, lines).map((param) => ({ name: 'file', param }))
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

function nothing(refusal: Refusal, at: number, { findings, counts }: ReturnType<typeof redacted>): GatherResult {
  const gathered: Gathered = {
    at,
    targetRunning: false,
    sharedProcesses: false,
    headroom: { kind: 'unknown', why: 'there is no pod' },
    ephemeralCount: 0,
    restarts: { count: 0 },
    hints: [],
    findings,
    refusal,
  }
  return { gathered, files: [], redactions: counts }
}

function sum(all: readonly RedactionCounts[]): RedactionCounts {
  const total: Record<string, number> = {}
  for (const counts of all) for (const [rule, count] of Object.entries(counts)) total[rule] = (total[rule] ?? 0) + count
  return total
}
