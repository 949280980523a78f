import { judge } from './conclusion.ts'
import type { Config } from './config.ts'
import { type ContainerStages, containerStages } from './container-stages.ts'
import type { Deps } from './deps.ts'
import { compareFacts, FactReader, type Facts } from './diagnosis/compare/facts.ts'
import { compareSpecs } from './diagnosis/compare/specs.ts'
import type { Comparison, Twin, TwinFinding } from './diagnosis/comparison.ts'
import type { DiagnosisRequest, Finding, Ids } from './diagnosis/diagnosis.ts'
import type { GatherResult } from './diagnosis/gather/gather.ts'
import { pickTwin } from './diagnosis/gather/pick-twin.ts'
import { foundIds } from './diagnosis/inject/found-ids.ts'
import { mergeFindings } from './diagnosis/seal/conclude.ts'
import { readContainer } from './diagnosis/seal/read-container.ts'
import type { Examined } from './examine.ts'
import { harmSince } from './harm-stage.ts'
import { gatherAndKeep, readEvidence } from './kept-evidence.ts'
import { patiently } from './patience.ts'
import type { RawPod } from './ports/cluster/cluster.ts'
import { evidenceKeyOf, type GatherOutcome, minute, podOf, stageContext } from './stage-context.ts'

/** What became of the target, as far as the replica is concerned. */
export interface Examination {
  readonly outcome: GatherOutcome
  readonly examined: readonly Examined[]
  readonly harm: readonly Finding[]
}

export type TwinOutcome =
  /**
   * `request`: what is to be asked of the replica; absent where nothing was added to the target either. `ids`: who its target runs as, where the API does not tell:
   * found out in a pod of its image, or else in the target.
   */
  | { readonly kind: 'twin'; readonly outcome: Extract<GatherOutcome, { kind: 'gathered' }>; readonly request?: DiagnosisRequest; readonly ids?: Ids }
  | { readonly kind: 'none'; readonly explanation: string }

/** What a conclusion needs of the replica. Plain JSON, well under 1 MiB. */
export interface Compared {
  readonly comparison: Omit<Comparison, 'findings'>
  /** What was found in the replica. */
  readonly found: readonly TwinFinding[]
  /** What the names of the two pods are, and their addresses. */
  readonly names: { readonly target: readonly string[]; readonly twin: readonly string[] }
  /** Harm that came to the replica. */
  readonly harm: readonly Finding[]
  readonly redactions: Readonly<Record<string, number>>
}

/** The effects of the healthy replica's part of the story. Whatever goes wrong in it is told, and fails nothing. */
export function twinStages(request: DiagnosisRequest, deps: Deps) {
  const context = stageContext(request, deps, 'twin')
  const { id, part, evidenceKey, cluster, failed, cancelled, late } = context
  const { store, clock } = deps
  const { namespace } = request.target
  const none = (explanation: string): TwinOutcome => ({ kind: 'none', explanation: failed(explanation).message })

  const gatherTwin = async (target: Examination, signal: AbortSignal): Promise<TwinOutcome> => {
    const { pod, uid, gathered } = podOf(target.outcome)
    let outcome = await readEvidence(store, evidenceKey, signal).then((kept) => kept && { kind: 'gathered' as const, ...kept })
    if (!outcome?.gathered.podRef) {
      const now = await cluster().getPod(pod, signal)
      if (now?.metadata.uid !== uid) return none('The pod is gone, so no replica of it is looked for')
      const picked = await pickTwin(now, gathered.container, clock.now(), cluster(), signal)
      if (picked.kind === 'none') return none(picked.message)
      const { container } = gathered
      const asked = { ...request, ...targetOf(picked.pod), ...(container === undefined ? {} : { container }) }
      outcome = { ...(await gatherAndKeep(asked, context, signal)), files: [] }
    }
    const { podRef } = outcome.gathered
    if (!podRef) return none(outcome.gathered.refusal?.message ?? 'The replica is gone')
    const { gathered: its, redactions } = outcome
    const checks = target.examined.find(({ container }) => container)?.asked ?? []
    const asked = {
      ...request,
      target: { kind: 'pod' as const, ...podRef },
      checks,
      ...(its.container === undefined ? {} : { container: its.container }),
    }
    const seen = target.examined.findLast((one) => one.seen)?.seen?.ids
    const ids = its.ids ? undefined : ((await foundIds(its, deps)) ?? seen)
    const twin = { kind: 'twin' as const, outcome: { kind: 'gathered' as const, gathered: its, redactions } }
    return { ...twin, ...(checks.length > 0 ? { request: asked } : {}), ...(ids ? { ids } : {}) }
  }

  return {
    /** Looks for a healthy replica, and gathers what the API tells of it. */
    twin: (target: Examination) =>
      patiently(
        'look for a healthy replica',
        async (signal): Promise<TwinOutcome> => {
          if (target.outcome.kind === 'failed' || target.outcome.gathered.uid === undefined)
            return none('There is no pod to find a healthy replica of')
          if (await cancelled()) return none('The diagnosis was cancelled before a healthy replica was looked at')
          if (target.harm.some(({ severity }) => severity === 'error'))
            return none('The target was harmed while it was diagnosed, so no healthy replica is touched')
          return gatherTwin(target, signal)
        },
        none,
        { ms: minute, unwanted: cancelled },
        deps,
      ),

    ofTwin: (asked: DiagnosisRequest): ContainerStages => containerStages(stageContext(asked, { ...deps, config: brief(deps.config) }, 'twin')),

    /** What the two have each alone; the replica's pod is free then. */
    compareTwin: (target: Examination, twin: Extract<TwinOutcome, { kind: 'twin' }>, examined: readonly Examined[]) => {
      const { gathered } = twin.outcome
      const found = mergeFindings(gathered.findings, examined).map(({ id: finding, check, severity, title }) => ({
        id: finding,
        check,
        severity,
        title,
      }))
      const containers = examined.flatMap(({ container }) => (container ? [container] : []))
      const known = { twin: twinIn(gathered), containers, ...whyLess(target, twin, examined) }
      const redactions = examined.reduce(sum, { ...twin.outcome.redactions })
      const nothing = { names: { target: [], twin: [] }, harm: [], redactions, found }
      return patiently(
        'compare the target with the healthy replica',
        async (signal): Promise<Compared> => {
          const harm = (await harmSince(twin.outcome, examined, { ...context, request }, signal)).map(ofReplica(known.twin.name))
          const evidence = await Promise.all([id, part].map((of) => readEvidence(store, evidenceKeyOf(of), signal)))
          const [own, its] = evidence.map((one) => one && podIn(one))
          const names = { target: own ? namesOf(own) : [], twin: its ? namesOf(its) : [] }
          const facts = await Promise.all([factsOf(id, target.examined, signal), factsOf(part, examined, signal)])
          const comparison = { ...known, specs: own && its ? compareSpecs(own, its) : [], facts: compareFacts(facts[0], facts[1], names) }
          return { comparison, found, names, harm, redactions }
        },
        (message): Compared => ({ ...nothing, comparison: { ...known, explanation: failed(message).message, specs: [], facts: [] } }),
        { ms: minute, rethrow: () => !late() },
        deps,
      )
    },
  }

  function targetOf(pod: RawPod) {
    return { target: { kind: 'pod' as const, namespace, name: pod.metadata.name } }
  }

  async function factsOf(of: string, examined: readonly Examined[], signal: AbortSignal): Promise<Facts> {
    const reader = new FactReader()
    for (const { container } of examined) {
      if (!container) continue
      const decoder = new TextDecoder()
      let read = 0
      for await (const { header, body } of readContainer(store, of, container.name, signal)) {
        if (!header.artifact) reader.push(decoder.decode(body, { stream: true }))
        if (++read === maxSegments) break
      }
      reader.next()
    }
    return reader.finish()
  }
}

/** Of a log, so many segments are read for facts: each is a request. Few have more than five. */
const maxSegments = 50

/** A healthy pod is not kept busy for long; and one run may ask for so much only. */
const mostSeconds = 120
const mostStartSeconds = 60

function brief(config: Config): Config {
  const { deadlineSeconds, startDeadlineSeconds } = config.diagnosis
  const diagnosis = {
    ...config.diagnosis,
    deadlineSeconds: Math.min(deadlineSeconds, mostSeconds),
    startDeadlineSeconds: Math.min(startDeadlineSeconds, mostStartSeconds),
  }
  return { ...config, diagnosis }
}

/** Where there is nothing to compare with. */
export function notCompared(explanation: string): Compared {
  return {
    comparison: { explanation, containers: [], specs: [], facts: [] },
    found: [],
    names: { target: [], twin: [] },
    harm: [],
    redactions: {},
  }
}

/** Why less is known of the replica than of the target. */
function whyLess(
  target: Examination,
  twin: Extract<TwinOutcome, { kind: 'twin' }>,
  examined: readonly Examined[],
): Pick<Comparison, 'explanation' | 'refusal'> {
  if (!twin.request)
    return { explanation: 'Nothing was added to the target, and so nothing to the healthy replica: what the API tells of both is compared' }
  const { outcome, explanation } = judge({ outcome: twin.outcome, examined })
  const refusal = examined[0]?.refusal
  const sees = (all: readonly Examined[]) => all.some(({ seen }) => seen?.visible)
  if (outcome === 'complete' && sees(target.examined) && !sees(examined))
    return {
      explanation: 'The processes of the healthy replica could not be seen: who they run as is not known, and a second container is not added to it',
    }
  return {
    ...(outcome === 'complete' ? {} : { explanation: `The healthy replica was not looked at as the target was: ${explanation ?? outcome}` }),
    ...(refusal ? { refusal } : {}),
  }
}

function twinIn({ podRef, uid = '', node, container }: Extract<GatherOutcome, { kind: 'gathered' }>['gathered']): Twin {
  return { name: podRef?.name ?? '', uid, ...(node ? { node } : {}), ...(container ? { container } : {}) }
}

/** The pod as the bundle shows it. */
function podIn({ files }: GatherResult): RawPod | undefined {
  const file = files.find(({ path }) => /^cluster-resources\/pods\/[^/]+\.json$/.test(path) && !path.endsWith('-errors.json'))
  const { items = [] } = (file ? JSON.parse(file.text) : {}) as { readonly items?: unknown }
  const [pod] = Array.isArray(items) ? (items as RawPod[]) : []
  // A redactor file may have hidden any of it.
  return typeof pod?.metadata === 'object' && typeof pod.spec === 'object' && Array.isArray(pod.spec.containers) && typeof pod.status === 'object'
    ? pod
    : undefined
}

function namesOf({ metadata, status }: RawPod): readonly string[] {
  return [metadata.name, metadata.uid, status.podIP].filter((name): name is string => typeof name === 'string' && name !== '')
}

const ofReplica =
  (name: string) =>
  (finding: Finding): Finding => ({ ...finding, id: finding.id.replace('/', '/replica-'), title: `On the healthy replica ${name}: ${finding.title}` })

function sum(all: Readonly<Record<string, number>>, { redactions = {} }: Examined): Readonly<Record<string, number>> {
  const total: Record<string, number> = { ...all }
  for (const [rule, count] of Object.entries(redactions)) total[rule] = (total[rule] ?? 0) + count
  return total
}
