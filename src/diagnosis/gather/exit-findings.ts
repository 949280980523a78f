import type { RawContainerState, RawContainerStatus, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { evidenceFinding, times } from './evidence-finding.ts'
import type { Readings } from './readings.ts'
import { tellingLine } from './troubled-line.ts'

type Terminated = NonNullable<RawContainerState['terminated']>

/** Waiting for what passes by itself is no finding; a crash loop is told by how the container ended. */
const passing = new Set(['ContainerCreating', 'PodInitializing', 'CrashLoopBackOff'])
const hourMs = 3_600_000

/** Containers that do not start, that end, and that ended not long ago. */
export function exitFindings(pod: RawPod, readings: Readings, now: number): readonly Finding[] {
  const init = (pod.status.initContainerStatuses ?? []).map((status) => ({ status, what: `Init container ${status.name}` }))
  const main = (pod.status.containerStatuses ?? []).map((status) => ({ status, what: `Container ${status.name}` }))
  return [...init, ...main].flatMap(({ status, what }) => {
    const waits = status.state?.waiting
    if (waits?.reason && !passing.has(waits.reason)) {
      const image = nextSteps[waits.reason] === pull ? `its image ${status.image ?? ''} cannot be pulled, ` : ''
      const title = `${what} does not start, ${image}${waits.reason}: ${waits.message ?? 'the kubelet says no more'}`
      return [
        evidenceFinding('waiting', `${status.name}/${waits.reason}`, 'error', title, { next: nextSteps[waits.reason] ?? 'kubectl describe pod' }),
      ]
    }
    const found = exit(pod, status, what, logOfTheEnd(status, readings), now)
    return found ? [found] : []
  })
}

/** The log of the run that ended: that of the run after it says nothing about the end. */
function logOfTheEnd({ name, state }: RawContainerStatus, { logs }: Readings): string {
  const { current = '', previous = '' } = logs.get(name) ?? {}
  return state?.terminated ? current : previous || (state?.running ? '' : current)
}

const pull = 'Compare name and tag with the registry, and see imagePullSecrets'
const nextSteps: Readonly<Record<string, string>> = {
  ErrImagePull: pull,
  ImagePullBackOff: pull,
  InvalidImageName: pull,
  ErrImageNeverPull: 'The image is not on the node, and imagePullPolicy is Never',
  CreateContainerConfigError: 'Compare what the container refers to (ConfigMaps, Secrets, keys, users) with what there is',
}

function exit(pod: RawPod, status: RawContainerStatus, what: string, log: string, now: number): Finding | undefined {
  const { name, restartCount = 0, state } = status
  const ended = state?.terminated ?? status.lastState?.terminated
  // An init container that has done its work; a pod that has; a node that was started anew.
  if (!ended || (state?.terminated && ended.exitCode === 0) || ended.reason === 'Unknown' || ended.reason === 'ContainerStatusUnknown')
    return undefined
  const loop = state?.waiting?.reason === 'CrashLoopBackOff'
  const oom = ended.reason === 'OOMKilled'
  const ageMs = now - Date.parse(ended.finishedAt ?? '')
  // One that has been well for an hour is history.
  if (state?.running && !oom && status.ready === true && ageMs > hourMs) return undefined

  const last = oom || ended.exitCode === 0 ? undefined : tellingLine(log)
  const words = ended.reason === 'StartError' || ended.reason === 'ContainerCannotRun' ? ended.message : (last ?? ended.message)
  const restarted = restartCount === 0 ? '' : loop ? ` again and again, restarted ${times(restartCount)}` : `, restarted ${times(restartCount)}`
  const title = `${what} ${how(pod, name, ended)}${restarted}${words ? `: ${words.trim()}` : ''}`
  const about = [
    `${ended.startedAt ?? '?'} started, ${ended.finishedAt ?? '?'} ended: ${ended.reason ?? 'no reason'}, exit code ${ended.exitCode}`,
    ...(ended.message ? [ended.message.trim()] : []),
    ...(last === undefined ? [] : linesAround(log, last)),
  ]
  const severity = loop || state?.terminated || (oom && ageMs < 24 * hourMs) ? 'error' : 'warn'
  return evidenceFinding('exit-history', `${name}/${oom ? 'oom-killed' : 'exited'}`, severity, title, {
    evidence: about.join('\n'),
    ...(oom
      ? { cause: 'It used more memory than its limit', next: 'Raise the memory limit, or look for what grows' }
      : { ...(causes[ended.exitCode] ? { cause: causes[ended.exitCode] as string } : {}), next: `kubectl logs --previous -c ${name}` }),
  })
}

function how(pod: RawPod, name: string, { reason, exitCode, signal }: Terminated): string {
  if (reason === 'OOMKilled') {
    const limit = pod.spec.containers.find((container) => container.name === name)?.resources?.limits?.memory
    return `was OOM-killed${limit === undefined ? '' : `, its memory limit is ${limit}`}`
  }
  if (reason === 'StartError' || reason === 'ContainerCannotRun') return 'could not be started'
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
