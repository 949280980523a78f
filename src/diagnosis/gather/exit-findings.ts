import type { RawContainerState, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { containersOf, type PodContainer } from './containers.ts'
import { evidenceFinding, times } from './evidence-finding.ts'
import { evictionEvent } from './pod-findings.ts'
import type { Readings } from './readings.ts'
import { plainWords, startCause } from './runtime-words.ts'
import { isTroubled, tellingLine, wholeOf } from './troubled-line.ts'

type Terminated = NonNullable<RawContainerState['terminated']>

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Containers that cannot be started, that end, and that ended not long ago. `now` is in milliseconds. */
export function exitFindings(pod: RawPod, readings: Readings, now: number): readonly Finding[] {
  const asked = pod.metadata.deletionTimestamp !== undefined || evictionEvent(pod, readings.events, now) !== undefined
  return containersOf(pod).flatMap((container) => {
    const { status } = container
    const ended = status?.state?.terminated ?? status?.lastState?.terminated
    // A node that was started anew.
    if (!ended || ended.reason === 'Unknown' || ended.reason === 'ContainerStatusUnknown') return []
    if (ended.reason === 'StartError' || ended.reason === 'ContainerCannotRun') return notStarted(container, ended)
    return isOver(pod, container, ended, { now, asked }) ? [] : [exit(pod, container, ended, logOfTheEnd(container, readings), now)]
  })
}

/**
 * The log of the run that ended: that of the run after it says nothing about the end. Between two ends of a crash loop the kubelet at times has no
 * previous log; what the present run says in trouble is then why it will end, too.
 */
function logOfTheEnd({ name, status }: PodContainer, { logs }: Readings): string {
  const { current = '', previous = '' } = logs.get(name) ?? {}
  if (status?.state?.terminated) return current
  if (previous !== '' || !status?.state?.running) return previous || current
  return (status.restartCount ?? 0) >= 2 && current.split('\n').some(isTroubled) ? current : ''
}

/** One that has done its work; one that has been well since; one that failed once while it came up. `asked`: the whole pod was told to end. */
function isOver(pod: RawPod, container: PodContainer, ended: Terminated, { now, asked }: { readonly now: number; readonly asked: boolean }): boolean {
  const {
    spec: { restartPolicy },
    metadata,
  } = pod
  const { kind, spec, status = { name: '' } } = container
  const { state = {}, ready = false, restartCount = 0 } = status
  if (state.terminated && ended.exitCode === 0) return kind === 'init' || restartPolicy !== 'Always' || asked
  if (asked && state.terminated && [0, 137, 143].includes(ended.exitCode)) return true
  if (state.terminated && kind === 'sidecar' && hasOutlived(pod, ended)) return true
  // An init container is ready when it has ended well, whatever its runs before did.
  if (kind === 'init' && state.terminated) return ended.exitCode === 0
  if (!state.running || !ready || ended.reason === 'OOMKilled') return false
  const end = Date.parse(ended.finishedAt ?? '')
  if (now - end > hourMs) return true
  const born = Date.parse(String(metadata.creationTimestamp ?? ''))
  const lasted = end - Date.parse(ended.startedAt ?? '')
  const since = now - Date.parse(state.running.startedAt ?? '')
  // It did what it had to do first, ended well, and its probe says that it serves now.
  const settled = ended.exitCode === 0 && restartCount === 1 && spec?.readinessProbe !== undefined ? 0 : 15_000
  return restartCount <= 2 && end - born < 2 * minuteMs && since > Math.max(settled, 2 * lasted)
}

/** The kubelet ends sidecars once the others have ended, which tell by themselves how. */
function hasOutlived(pod: RawPod, { finishedAt = '' }: Terminated): boolean {
  const mains = containersOf(pod).filter(({ kind }) => kind === 'main')
  return mains.every(({ status }) => Date.parse(status?.state?.terminated?.finishedAt ?? '') <= Date.parse(finishedAt))
}

function notStarted({ name, what, status }: PodContainer, ended: Terminated): readonly Finding[] {
  if (status?.state?.running) return []
  const said = plainWords(ended.message ?? status?.state?.waiting?.message ?? 'the runtime says no more')
  const count = status?.restartCount ?? 0
  const title = `${what} could not be started${count > 0 ? ` again and again, tried ${times(count + 1)}` : ''}: ${said}`
  const known = startCause(said) ?? { cause: 'The runtime of the node cannot start the program as the pod asks for it', next: 'kubectl describe pod' }
  return [
    evidenceFinding('start', name, 'error', title, {
      evidence: `${ended.finishedAt ?? '?'} ${ended.reason}, exit code ${ended.exitCode}: ${ended.message ?? ''}`,
      ...known,
    }),
  ]
}

function exit(pod: RawPod, { name, what, spec, status, kind }: PodContainer, ended: Terminated, log: string, now: number): Finding {
  const { restartCount = 0, state } = status ?? {}
  const oom = ended.reason === 'OOMKilled'
  const ageMs = now - Date.parse(ended.finishedAt ?? '')
  // Between two ends it runs for a moment, or has ended and is not called a crash loop yet.
  const loop = state?.waiting?.reason === 'CrashLoopBackOff' || (restartCount >= 2 && ageMs < 10 * minuteMs)
  const last = oom || ended.exitCode === 0 ? undefined : tellingLine(log)
  const said = last !== undefined && isTroubled(last) ? wholeOf(log, last) : lastWords(ended.message, log) || last
  const again =
    restartCount === 0 ? '' : loop ? `${oom ? ',' : ''} again and again, restarted ${times(restartCount)}` : `, restarted ${times(restartCount)}`
  const title = `${what} ${how(spec, ended)}${again}${said ? `: ${said.trim()}` : ''}`
  const about = [
    `${ended.startedAt ?? '?'} started, ${ended.finishedAt ?? '?'} ended: ${ended.reason ?? 'no reason'}, exit code ${ended.exitCode}`,
    ...(ended.message ? [ended.message.trim()] : []),
    ...(last === undefined ? [] : linesAround(log, last)),
  ]
  const severity = loop || state?.terminated || !state?.running || (oom && ageMs < 24 * hourMs) ? 'error' : 'warn'
  return evidenceFinding('exit-history', `${name}/${oom ? 'oom-killed' : 'exited'}`, severity, title, {
    evidence: about.join('\n'),
    ...explained(pod, kind, name, ended, said ?? '', oom),
  })
}

/** What the program left as its message; of one that repeats the end of its log, the line that tells most. */
function lastWords(message = '', log = ''): string | undefined {
  const words = message.trim()
  const end = words.split('\n').at(-1) ?? ''
  return end !== '' && log.includes(end) ? tellingLine(words) : words
}

function explained(
  pod: RawPod,
  kind: string,
  name: string,
  ended: Terminated,
  said: string,
  oom: boolean,
): { readonly cause: string; readonly next: string } {
  if (oom) return { cause: 'It used more memory than its limit', next: 'Raise the memory limit, or look for what grows' }
  if (ended.exitCode === 0 && kind !== 'init' && pod.spec.restartPolicy !== 'Never')
    return {
      cause: 'Its main process did its work, or went into the background, and ended: a container lives as long as that process',
      next: 'Have the program run in the foreground; work that ends is for a Job',
    }
  // What the program itself was denied is another matter.
  const cause = (/^(\S+ \S+ )?exec[: ]/.test(said) ? startCause(said)?.cause : undefined) ?? causes[ended.exitCode]
  const plain = said
    ? 'The program ended itself, with an error; its last words tell of what'
    : 'The program ended itself, with an error, and did not say why'
  return { cause: cause ?? plain, next: `kubectl logs --previous -c ${name}` }
}

function how(spec: PodContainer['spec'], { reason, exitCode, signal }: Terminated): string {
  if (reason === 'OOMKilled') {
    const limit = spec?.resources?.limits?.memory
    return `was OOM-killed${limit === undefined ? '' : `, its memory limit is ${limit}`}`
  }
  if (exitCode === 0) return 'ended by itself with exit code 0'
  return `ended with exit code ${exitCode}${signal ? ` (signal ${signal})` : ''}`
}

const causes: Readonly<Record<number, string>> = {
  126: 'The command is there, but may not be run',
  127: 'The command was not found',
  134: 'It aborted (SIGABRT)',
  137: 'It was killed (SIGKILL), by the kubelet after its grace period, by the kernel or by a person',
  139: 'It crashed with a segmentation fault',
  143: 'It was asked to end (SIGTERM)',
}

/** The line that tells most and those before it, as they stand in the log. */
function linesAround(log: string, last: string): readonly string[] {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const at = lines.lastIndexOf(last)
  return lines.slice(Math.max(0, at - 2), at + 3)
}
