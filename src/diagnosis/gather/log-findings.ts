import type { Finding } from '../diagnosis.ts'
import { isAboutAnAnswer, isAlarming } from './alarming-line.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { neighboursIn } from './neighbours.ts'
import type { Readings } from './readings.ts'
import type { TargetReading } from './target.ts'
import { tellingLine, wholeOf } from './troubled-line.ts'

/** So many lines without trouble later, the trouble is over. */
const calmLines = 20

/**
 * What the target's log says last of trouble, where no other finding quotes it; lines that differ by numbers alone are quoted once.
 * `called`, as host:port, are the servers that its spec names: a line about an answer, that does not say of whom, is told with them.
 */
export function logFindings(
  { container = '' }: TargetReading,
  { logs }: Readings,
  told: readonly Finding[],
  called: readonly string[],
): readonly Finding[] {
  const log = (logs.get(container)?.current ?? '').split('\n').filter((line) => line.trim() !== '')
  const at = log.findLastIndex(isAlarming)
  if (at < 0 || isOver(log[at] ?? '', log.slice(at + 1))) return []
  const lines = log.filter(isAlarming)
  const last = tellingLine(lines.join('\n'))
  if (last === undefined || told.some(({ evidence = '' }) => evidence.includes(last))) return []
  const whole = wholeOf(log.join('\n'), last)
  const seen = new Set<string>()
  const distinct = lines.reverse().filter((line) => !seen.has(withoutNumbers(line)) && seen.add(withoutNumbers(line)))
  const title = `The log of container ${container} speaks of trouble${withWhom(last, called)}: ${whole}`
  const evidence = [last, ...distinct.filter((line) => line !== last)].slice(0, 5).join('\n')
  return [
    evidenceFinding('log', 'trouble', 'info', title, {
      evidence,
      cause: 'The program says so itself',
      next: `kubectl logs -c ${container}: see what came before`,
    }),
  ]
}

const maxCalled = 3

/** Which server a line may mean that tells of an answer and names none. */
function withWhom(line: string, called: readonly string[]): string {
  if (called.length === 0 || called.length > maxCalled || !isAboutAnAnswer(line)) return ''
  if (called.some((server) => line.includes(server.replace(/:\d+$/, ''))) || neighboursIn(line, 'log').length > 0) return ''
  return `, it calls ${called.join(' and ')}`
}

/** What it had trouble with answers since, or nothing was said of trouble for long. */
function isOver(troubled: string, later: readonly string[]): boolean {
  if (later.length >= calmLines || later.some((line) => recovered.test(line) && !isAlarming(line))) return true
  const hosts = neighboursIn(troubled, 'log').map(({ host }) => host)
  return hosts.length > 0 && later.some((line) => neighboursIn(line, 'log').some(({ host }) => hosts.includes(host)))
}

const recovered = /\b(re-?connected|connected|recovered|succeeded|established|resumed|up again|back again)\b/i

const withoutNumbers = (line: string) => line.replace(/[0-9a-f]*\d[0-9a-f]*/gi, '0')
