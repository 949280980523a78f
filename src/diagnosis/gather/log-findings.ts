import type { Finding } from '../diagnosis.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { neighboursIn } from './neighbours.ts'
import type { Readings } from './readings.ts'
import type { TargetReading } from './target.ts'
import { isCalm, isTroubled, tellingLine } from './troubled-line.ts'

/** So many lines without trouble later, the trouble is over. */
const calmLines = 20

/** What the target's log says last of trouble, where no other finding quotes it; lines that differ by numbers alone are quoted once. */
export function logFindings({ container = '' }: TargetReading, { logs }: Readings, told: readonly Finding[]): readonly Finding[] {
  const log = (logs.get(container)?.current ?? '').split('\n').filter((line) => line.trim() !== '')
  const at = log.findLastIndex((line) => isTroubled(line) && !isCalm(line))
  if (at < 0 || isOver(log[at] ?? '', log.slice(at + 1))) return []
  const lines = log.filter((line) => isTroubled(line) && !isCalm(line))
  const last = tellingLine(lines.join('\n'))
  if (last === undefined || told.some(({ evidence = '' }) => evidence.includes(last))) return []
  const seen = new Set<string>()
  const distinct = lines.reverse().filter((line) => !seen.has(withoutNumbers(line)) && seen.add(withoutNumbers(line)))
  const title = `The log of container ${container} speaks of trouble: ${last.trim()}`
  const evidence = [last, ...distinct.filter((line) => line !== last)].slice(0, 5).join('\n')
  return [
    evidenceFinding('log', 'trouble', 'info', title, {
      evidence,
      cause: 'The program says so itself; no other finding explains it',
      next: `kubectl logs -c ${container}: see what came before`,
    }),
  ]
}

/** What it had trouble with answers since, or nothing was said of trouble for long. */
function isOver(troubled: string, later: readonly string[]): boolean {
  if (later.length >= calmLines || later.some((line) => recovered.test(line) && !isTroubled(line))) return true
  const hosts = neighboursIn(troubled, 'log').map(({ host }) => host)
  return hosts.length > 0 && later.some((line) => neighboursIn(line, 'log').some(({ host }) => hosts.includes(host)))
}

const recovered = /\b(re-?connected|connected|recovered|succeeded|established|resumed|up again|back again)\b/i

const withoutNumbers = (line: string) => line.replace(/[0-9a-f]*\d[0-9a-f]*/gi, '0')
