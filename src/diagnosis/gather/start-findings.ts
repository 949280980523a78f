import type { RawContainer, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { lengthOf, since } from './ago.ts'
import { conditionsOf, containersOf, lastBegin, type PodContainer, waitingOf } from './containers.ts'
import { containerOf, countOf, eventsOf, lastSeen, type PodEvent, words } from './events.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { imageFinding } from './image-findings.ts'
import { mountFindings } from './mount-findings.ts'
import { plainWords, startCause } from './runtime-words.ts'

/** Waiting for what passes by itself is no finding; a crash loop, and a program that cannot be started, are told by how the container ended. */
const passing = new Set(['ContainerCreating', 'PodInitializing', 'CrashLoopBackOff', 'RunContainerError', 'PostStartHookError'])
const recentMs = 600_000
const silentMs = 120_000
/** From then on a hook takes long. */
const longHookMs = 10_000

/** Containers that are not created: for want of an image, of what they refer to, of a volume, of a sandbox. `now` is in milliseconds. */
export function startFindings(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  const waiting = waitingOf(pod)
  const own = waiting.flatMap((container) => imageFinding(container, events, now) ?? waitingFinding(container) ?? [])
  const stuck = [...hookFindings(pod, events, now), ...hookRuns(pod, events, now), ...own]
  if (waiting.length === 0 || stuck.length > 0) return stuck
  // What a container has begun after is over: no container begins before volumes and sandbox are there.
  const begun = lastBegin(pod)
  const later = events.filter((event) => lastSeen(event) > begun)
  const mounts = [...mountFindings(later, now), ...sandboxFindings(later, now)]
  return mounts.length > 0 ? mounts : silentFindings(pod, waiting, events, now)
}

function waitingFinding({ name, what, spec, status }: PodContainer): Finding | undefined {
  const { reason, message = '' } = status?.state?.waiting ?? {}
  if (!reason || passing.has(reason)) return undefined
  const plain = plainWords(message)
  const where = reason === 'CreateContainerConfigError' ? referredBy(spec, plain) : ''
  const title = `${what} does not start, ${reason}: ${plain || 'the kubelet says no more'}${where}`
  const known = startCause(plain) ?? missing(plain)
  return evidenceFinding('waiting', `${name}/${reason}`, 'error', title, {
    evidence: message,
    ...(known ?? nextSteps[reason] ?? { cause: 'The kubelet cannot create the container as the pod asks for it', next: 'kubectl describe pod' }),
  })
}

const nextSteps: Readonly<Record<string, { readonly cause: string; readonly next: string }>> = {
  CreateContainerConfigError: {
    cause: 'What the container is to be made from is not there, or contradicts itself',
    next: 'Compare what the container refers to (ConfigMaps, Secrets, keys, users) with what there is',
  },
}

function missing(message: string): { readonly cause: string; readonly next: string } | undefined {
  const [, kind, name] = /(configmap|secret) "([^"]+)" not found/i.exec(message) ?? []
  if (kind)
    return { cause: `There is no ${kind} ${name} in the namespace of the pod`, next: `Create it, correct the name, or make the reference optional` }
  const [, key, of, where] = /find key (\S+) in (ConfigMap|Secret) (\S+)/i.exec(message) ?? []
  if (key) return { cause: `The ${of} ${where} has no key ${key}`, next: 'Compare the keys of both, and add or correct one' }
  return undefined
}

/** Which part of the container refers to what is missing, by the names that the message has. */
function referredBy(spec: RawContainer | undefined, message: string): string {
  const [, key] = /find key (\S+) in (?:ConfigMap|Secret)/i.exec(message) ?? []
  const [, name] = /(?:configmap|secret) "([^"]+)" not found/i.exec(message) ?? []
  type Reference = { readonly name?: string; readonly key?: string }
  type Variable = { readonly name: string; readonly valueFrom?: { readonly configMapKeyRef?: Reference; readonly secretKeyRef?: Reference } }
  const variables = ((spec?.env ?? []) as readonly Variable[]).filter(({ valueFrom }) => {
    const reference = valueFrom?.configMapKeyRef ?? valueFrom?.secretKeyRef
    return reference !== undefined && (key !== undefined ? reference.key === key : name !== undefined && reference.name === name)
  })
  if (variables.length > 0)
    return `, for its variable ${variables
      .slice(0, 3)
      .map((variable) => variable.name)
      .join(', ')}`
  const { envFrom = [] } = (spec ?? {}) as { readonly envFrom?: readonly { readonly configMapRef?: Reference; readonly secretRef?: Reference }[] }
  return name !== undefined && envFrom.some((from) => (from.configMapRef ?? from.secretRef)?.name === name) ? ', for its envFrom' : ''
}

/** postStart hooks that fail: the kubelet kills the container then, so how it ended says nothing. */
function hookFindings(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  return containersOf(pod).flatMap(({ name, what, spec, status }) => {
    const event = eventsOf(events, name).findLast(({ reason }) => reason === 'FailedPostStartHook')
    const { reason, message = '' } = status?.state?.waiting ?? {}
    if (reason !== 'PostStartHookError' && (!event || now - lastSeen(event) > recentMs || status?.ready)) return []
    const said = plainWords(hookWords(reason === 'PostStartHookError' ? message : '') || hookWords(event?.message ?? ''))
    const count = event ? countOf(event) : 1
    const title = `The postStart hook of ${lower(what)}${hookOf(spec)} fails${count > 1 ? ` (${count} times)` : ''}, and the kubelet kills the container${said ? `: ${said}` : ''}`
    return [
      evidenceFinding('hook', `${name}/post-start`, 'error', title, {
        evidence: [message, ...(event ? [words([event])] : [])].filter(Boolean).join('\n'),
        cause: 'A container whose postStart hook fails is ended and restarted',
        next: 'Run the command of lifecycle.postStart by hand in the image, or compare its URL with what is served',
      }),
    ]
  })
}

/**
 * A postStart hook that does not end: the runtime has started the container, and the kubelet waits for the hook before it tells of that, or begins
 * another one.
 */
function hookRuns(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  return containersOf(pod).flatMap(({ name, what, spec, status }) => {
    const { postStart } = (spec?.lifecycle ?? {}) as { readonly postStart?: object }
    const event = eventsOf(events, name).findLast(({ reason }) => reason === 'Started')
    if (!postStart || !event || status?.state?.running || status?.ready) return []
    const begun = lastSeen(event)
    const ended = status?.state?.terminated ?? status?.lastState?.terminated
    if (now - begun < longHookMs || begun <= (Date.parse(ended?.finishedAt ?? '') || 0)) return []
    if (events.some((other) => lastSeen(other) > begun && !['', name].includes(containerOf(other)))) return []
    const age = now - begun
    const title = `The postStart hook of ${lower(what)}${hookOf(spec)} has not ended for ${lengthOf(age)}: the container runs, and does not count as started before its hook ends`
    return [
      evidenceFinding('hook', `${name}/post-start-runs`, age > silentMs ? 'error' : 'warn', title, {
        evidence: words([event]),
        cause: 'What the hook runs or asks hangs, or waits for what comes only after it',
        next: 'Run the command of lifecycle.postStart by hand in the image, and give it an end',
      }),
    ]
  })
}

/** What the hook runs or asks, in brackets. */
function hookOf(spec: RawContainer | undefined): string {
  const { postStart } = (spec?.lifecycle ?? {}) as {
    readonly postStart?: {
      readonly exec?: { readonly command?: readonly string[] }
      readonly httpGet?: { readonly port: unknown; readonly path?: string }
    }
  }
  if (postStart?.httpGet) return ` (GET :${postStart.httpGet.port}${postStart.httpGet.path ?? '/'})`
  return postStart?.exec?.command?.[0] ? ` (${postStart.exec.command[0]})` : ''
}

/** The hook's own command and what it said, without who it was for. */
function hookWords(message: string): string {
  if (/^(PostStartHook failed|)$/.test(message.trim())) return ''
  return message.replace(/ for Container "[^"]*" in Pod "[^"]*"/, '')
}

function sandboxFindings(events: readonly PodEvent[], now: number): readonly Finding[] {
  const event = events
    .filter(
      ({ type, reason = '' }) =>
        type === 'Warning' && /^(FailedCreatePodSandBox|FailedCreatePodContainer|NetworkNotReady|FailedPodSandBoxStatus)$/.test(reason),
    )
    .toSorted((a, b) => lastSeen(a) - lastSeen(b))
    .at(-1)
  if (!event || now - lastSeen(event) > recentMs) return []
  const said = plainWords((event.message ?? '').replace(/^Failed to create pod sandbox: /, ''))
  const title = `The containers do not start, the sandbox of the pod cannot be made: ${said}`
  const network = /network|cni/i.test(said)
  const runtime = /no runtime for|RuntimeHandler|runtime handler/i.test(said)
  return [
    evidenceFinding('sandbox', runtime ? 'runtime-class' : network ? 'network' : 'failed', 'error', title, {
      evidence: words([event]),
      cause: runtime
        ? 'The runtime of the node does not know the handler of the RuntimeClass'
        : network
          ? 'The network plugin of the node fails, or has not been set up there'
          : 'The runtime of the node fails before any container of the pod is made',
      next: runtime
        ? "Compare the pod's runtimeClassName with the runtimes of the node"
        : "Look at the network plugin and the runtime of the pod's node",
    }),
  ]
}

/** Nobody says why a container is not created. */
function silentFindings(pod: RawPod, waiting: readonly PodContainer[], events: readonly PodEvent[], now: number): readonly Finding[] {
  const bound = conditionsOf(pod.status).find(({ type, status }) => type === 'PodScheduled' && status === 'True')
  const age = since(bound?.lastTransitionTime, now)
  const [first] = waiting.filter(({ status }) => status?.state?.waiting?.reason === 'ContainerCreating')
  if (!first || age === undefined || age < silentMs || events.some((event) => event.type === 'Warning')) return []
  if (eventsOf(events, first.name).at(-1)?.reason === 'Pulling') return []
  const title = `${first.what} has been in ContainerCreating for ${lengthOf(age)}, and no event says why`
  return [
    evidenceFinding('waiting', `${first.name}/ContainerCreating`, 'warn', title, {
      cause: 'The kubelet or the runtime of the node hangs, or has too much to do',
      next: `Look at the kubelet of node ${pod.spec.nodeName ?? '?'}`,
    }),
  ]
}

function lower(what: string): string {
  return what.charAt(0).toLowerCase() + what.slice(1)
}
