import type { Deps } from '../../deps.ts'
import type { Cluster, PodRef, Raw } from '../../ports/cluster/cluster.ts'
import type { Refusal } from '../diagnosis.ts'

/** A policy that was seen is asked for again after this time; so is one that was missed, where that only warns. */
const rememberMs = 3_600_000

interface Probed {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Of whom, and where, this was found: a policy names an account. */
  readonly who: string
  readonly problem?: string
}

export interface Probe {
  /** The name that the configuration has for the cluster. */
  readonly cluster: string
  readonly pod: PodRef
  readonly uid: string
  /** One that the API server has just taken on a dry run: what else is refused is refused for the difference. */
  readonly spec: Raw
}

/**
 * What an admission policy that bounds this service would refuse and the API server takes, as a sentence; undefined where it refuses
 * all of it. The right to add an ephemeral container is as good as exec, unless such a policy names our account: one that was never
 * applied, or names another account, fails open and in silence. Asked by dry run; nothing is added.
 */
export async function admissionPolicyProblem(
  probe: Probe,
  cluster: Pick<Cluster, 'addEphemeralContainer'>,
  deps: Pick<Deps, 'records'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const problem = await missing(probe, cluster, signal)
  // What was known before is not so any more: whoever adds a container next asks, and tells, for themselves.
  if (problem !== undefined) await deps.records.setValue(keyOf(probe), undefined)
  return problem
}

type ProbedCluster = Pick<Cluster, 'addEphemeralContainer' | 'whoAmI'>
type ProbeDeps = Pick<Deps, 'config' | 'records' | 'clock'>

/** The account, and the configuration's way to the API server: with another one the cluster may be another. */
async function whoIs({ cluster: name }: Probe, cluster: ProbedCluster, { config }: ProbeDeps, signal: AbortSignal): Promise<string> {
  return JSON.stringify([(await cluster.whoAmI(signal)) ?? null, config.clusters[name] ?? null])
}

const keyOf = ({ cluster, pod }: Probe): string => `admission-policy:${cluster}/${pod.namespace}`

async function ask(
  probe: Probe,
  who: string,
  cluster: ProbedCluster,
  { records, clock }: ProbeDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  const problem = await missing(probe, cluster, signal)
  await records.setValue(keyOf(probe), { at: clock.now(), who, ...(problem === undefined ? {} : { problem }) } satisfies Probed)
  return problem
}

async function missing({ pod, uid, spec }: Probe, cluster: Pick<Cluster, 'addEphemeralContainer'>, signal: AbortSignal): Promise<string | undefined> {
  // The name .invalid never resolves: https://www.rfc-editor.org/rfc/rfc6761#section-6.4
  const foreign: readonly (readonly [string, Raw])[] = [
    ['any image', { ...spec, image: 'autodiagnose.invalid/policy-probe' }],
    ['any command', { ...spec, command: ['/bin/false'] }],
  ]
  const answers = await Promise.all(
    foreign.map(async ([what, container]) => ({ what, answer: await cluster.addEphemeralContainer(pod, uid, container, { dryRun: true }, signal) })),
  )
  const taken = answers.filter(({ answer }) => answer.kind === 'added').map(({ what }) => what)
  if (taken.length === 0) return undefined
  return `No admission policy bounds this service in namespace "${pod.namespace}": it could run ${taken.join(' and ')} in its pods; apply the policy of infra/kubernetes (Kubernetes 1.30 or newer) with the name of the service's account in its matchConditions, or set diagnosis.admissionPolicy`
}

/** Whether the cluster is to be asked at all; the emulator has no admission. */
export function isPolicyChecked(cluster: string, { clusters, diagnosis }: Pick<Deps['config'], 'clusters' | 'diagnosis'>): boolean {
  const of = clusters[cluster]
  return diagnosis.admissionPolicy !== 'unchecked' && !(of && 'emulator' in of)
}

/**
 * Why nothing may be injected, where the configuration demands a policy and there is none; otherwise the service's log says once in a
 * while that it is missing. To be asked before a container is added, with the form that the API server has admitted.
 */
export async function policyRefusal(
  probe: Probe,
  cluster: ProbedCluster,
  deps: ProbeDeps & Pick<Deps, 'log'>,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  const { config, records, clock, log } = deps
  if (!isPolicyChecked(probe.cluster, config)) return undefined
  const isRequired = config.diagnosis.admissionPolicy === 'required'
  const who = await whoIs(probe, cluster, deps, signal)
  const known = await records.getValue<Probed>(keyOf(probe))
  const isKnown = known?.who === who && clock.now() - known.at < rememberMs
  // Who has just applied the policy that is required does not wait.
  if (isKnown && !(isRequired && known.problem !== undefined)) return undefined
  const problem = await ask(probe, who, cluster, deps, signal)
  if (problem === undefined) return undefined
  if (isRequired) return { code: 'admission', message: problem }
  log('warn', problem, { cluster: probe.cluster, namespace: probe.pod.namespace })
  return undefined
}
