import type { Config } from '../config.ts'
import type { Deps } from '../deps.ts'
import { makeId } from '../diagnosis/accept/id.ts'
import { readWords, type Typed, typedContainers } from '../diagnosis/accept/typed-container.ts'
import { admit } from '../diagnosis/admit/policy.ts'
import type { DiagnosisRequest } from '../diagnosis/diagnosis.ts'
import type { RawPod } from '../ports/cluster/cluster.ts'
import { acceptAndStart } from '../start-diagnosis.ts'

export type AdoptionRule = Omit<Config['adoption'][number], 'cluster' | 'namespaces'> & { readonly cluster: string }

type AdoptDeps = Pick<Deps, 'config' | 'records' | 'runs' | 'log' | 'clock' | 'trackers' | 'redactor'>

/** What became of containers that this process has seen, by their keys: nothing is asked again. */
export type Seen = Map<string, 'adopted' | 'denied' | 'too-old'>

const maxSeen = 10_000
/** Denials that are remembered beyond a restart. */
const maxDenied = 500

/**
 * Takes in the containers with an image of ours that somebody typed into a pod: a diagnosis each, once for ever, whatever crashes; as a request of the rule's
 * principal, under the same policy. One that policy denies is told in the service's log, once.
 */
export async function adoptContainers(pod: RawPod, rule: AdoptionRule, seen: Seen, deps: AdoptDeps): Promise<void> {
  for (const typed of typedContainers(pod, deps.config.diagnosis)) {
    const key = JSON.stringify(['adoption', rule.cluster, pod.metadata.uid, typed.name])
    if (seen.has(key)) continue
    const became = await adopt(typed, pod, rule, key, deps)
    // Those that are forgotten are found in the records.
    if (seen.size >= maxSeen) seen.clear()
    seen.set(key, became)
  }
}

async function adopt(typed: Typed, pod: RawPod, rule: AdoptionRule, key: string, deps: AdoptDeps): Promise<'adopted' | 'denied' | 'too-old'> {
  const { config, clock, log } = deps
  if (clock.now() - typed.at > rule.maxAgeSeconds * 1000) return 'too-old'
  const request = requestOf(typed, pod, rule, deps)
  const verdict = admit(config.policy, request.requester, request)
  if (verdict.kind === 'denied') {
    await tellDenied(key, { ...whereOf(typed, pod, rule), why: verdict.message }, deps)
    return 'denied'
  }
  // Its key is taken where it was adopted before, whoever did it.
  const accepted = await acceptAndStart(request, { key, fingerprint: key }, deps)
  if (accepted.kind === 'accepted') log('info', 'A container that was added by hand is taken in', { id: request.id, ...whereOf(typed, pod, rule) })
  return 'adopted'
}

const whereOf = ({ name }: Typed, { metadata }: RawPod, { cluster, principal }: AdoptionRule) => ({
  cluster,
  namespace: metadata.namespace,
  pod: metadata.name,
  container: name,
  principal,
})

function requestOf(typed: Typed, { metadata }: RawPod, rule: AdoptionRule, deps: AdoptDeps): DiagnosisRequest {
  const { config, clock, trackers, redactor } = deps
  const { name, image, toolset, target, profile, ids, words } = typed
  const { checks, report, problem } = readWords(words, { extraChecks: config.diagnosis.extraChecks, trackers, redactor })
  const now = clock.now()
  const reason = `Container ${name} was added by hand${problem === undefined ? '' : `; ${redactor.text('message', problem).text}`}`
  return {
    id: makeId(now),
    createdAt: new Date(now).toISOString(),
    requester: rule.principal,
    cluster: rule.cluster,
    target: { kind: 'pod', namespace: metadata.namespace, name: metadata.name },
    ...(target === undefined ? {} : { container: target }),
    profile,
    ...(toolset === undefined ? {} : { toolset }),
    checks,
    ...(report ? { report } : {}),
    reason,
    adopted: { container: name, podUid: metadata.uid, image, profile, ...(ids ? { ids } : {}), listenSeconds: rule.listenSeconds },
  }
}

async function tellDenied(key: string, data: Readonly<Record<string, unknown>>, { records, log }: AdoptDeps): Promise<void> {
  let isNew = false
  await records.changeValue<readonly string[]>('adoption-denied', (before = []) => {
    isNew = !before.includes(key)
    return isNew ? [...before, key].slice(-maxDenied) : before
  })
  if (isNew) log('warn', 'A container that was added by hand is not taken in: policy denies it', data)
}
