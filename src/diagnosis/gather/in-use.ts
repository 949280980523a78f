import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Neighbour } from './neighbours.ts'
import { isTroubled } from './troubled-line.ts'

/**
 * Of the servers that the spec names those that the program may use. One that is well and tells of its calls in its log, and there of no call of a
 * server and of no trouble but with others, has the name of that server left from before.
 */
export function inUse(
  { status: { containerStatuses = [] } }: RawPod,
  container: string | undefined,
  declared: readonly Neighbour[],
  lines: readonly string[],
): readonly Neighbour[] {
  const { ready, restartCount = 0 } = containerStatuses.find(({ name }) => name === container) ?? {}
  if (ready !== true || restartCount > 0) return declared
  const named = lines.map((line) => ({ line, hosts: new Set(declared.filter((one) => isNamed(one, line)).map(({ host }) => host)) }))
  const told = new Set(named.flatMap(({ hosts }) => [...hosts]))
  const answered = named.some(({ line, hosts }) => hosts.size > 0 && answer.test(line) && !isTroubled(line))
  const unexplained = named.some(({ line, hosts }) => hosts.size === 0 && isTroubled(line))
  return answered && !unexplained ? declared.filter(({ host }) => told.has(host)) : declared
}

const answer = /\b(?:2\d\d|OK|connected|success\w*|succeeded)\b/i

/** By its first label: the log may leave out the rest. */
function isNamed({ host }: Neighbour, line: string): boolean {
  const name = /^[\d.]+$|^\[/.test(host) ? host : (host.split('.')[0] ?? host)
  return new RegExp(`(?<![\\w.-])${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'i').test(line)
}
