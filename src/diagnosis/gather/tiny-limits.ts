import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { containersOf, lastBegin, type PodContainer } from './containers.ts'
import { containerOf, lastSeen, type PodEvent } from './events.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { quantityBytes } from './headroom.ts'
import { plainWords } from './runtime-words.ts'

const recentMs = 600_000
/** No program fits into less, nor what the runtime needs to start it. */
const tinyBytes = 2 ** 20
/** What the runtime needs to start a container counts as memory of it: runc takes up to 4 MiB, and others more. */
const smallBytes = 12 * 2 ** 20

/** Memory limits of containers that do not run: bytes by mistake (`100m` is a tenth of one), or too little to start anything. `now` is in milliseconds. */
export function tinyLimits(pod: RawPod, events: readonly PodEvent[], now: number): readonly Finding[] {
  const recent = events.filter((event) => now - lastSeen(event) < recentMs && lastSeen(event) > lastBegin(pod))
  return containersOf(pod).flatMap((container) => {
    const { name, what, spec, status } = container
    const limit = spec?.resources?.limits?.memory
    const bytes = quantityBytes(limit ?? '0')
    if (limit === undefined || bytes === 0 || status?.state?.running) return []
    const told = (title: string, cause: string, next: string) => [evidenceFinding('tiny-limit', `${name}/memory`, 'error', title, { cause, next })]
    if (bytes < tinyBytes) {
      const thousandths = limit.endsWith('m')
      const size = thousandths ? `${limit.slice(0, -1)} thousandths of a byte` : `${bytes} bytes`
      return told(
        `${what} cannot start with its memory limit of ${limit}, which is ${size}`,
        `The unit of the limit is wrong or missing${thousandths ? ': m stands for thousandths, Mi for mebibytes' : ''}`,
        'Give the limit in Mi, as in 64Mi',
      )
    }
    const said = killedAtStart(container, recent, bytes)
    return said === undefined
      ? []
      : told(
          `${what} cannot start, its memory limit of ${limit} is too low: ${said}`,
          'The runtime itself needs some MiB to start a container, which count as memory of the container and of its pod',
          'Raise the memory limit to what runtime and program need',
        )
  })
}

/** That it is for lack of memory says the runtime of a container; of a sandbox, which is in the limit of its pod, only that it has gone. */
function killedAtStart({ name, status }: PodContainer, events: readonly PodEvent[], bytes: number): string | undefined {
  const { state, lastState } = status ?? {}
  const own = [
    state?.waiting?.message,
    state?.terminated?.message,
    lastState?.terminated?.message,
    ...events.filter((event) => containerOf(event) === name).map(({ message }) => message),
  ]
  const killed = own.find((message) => /init was OOM-killed|memory limit too low/i.test(message ?? ''))
  const sandbox = events.filter(({ reason }) => reason === 'FailedCreatePodSandBox').map(({ message }) => message)
  const gone = [...own, ...sandbox].find((message) => /cannot start a stopped process|signal: killed|OOM-killed/i.test(message ?? ''))
  const said = killed ?? (bytes < smallBytes ? gone : undefined)
  return said === undefined ? undefined : plainWords(said.replace(/^Failed to create pod sandbox: /, ''))
}
