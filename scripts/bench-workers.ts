import { availableParallelism, cpus } from 'node:os'
import { realClock } from '../src/hosts/parts.ts'
import { logOf, printers } from '../test/diagnosis/limits-log.ts'

/**
 * Prints what a Worker would be billed for a long log: CPU seconds of the dearest listening turn, of reading the findings, and of sealing
 * the bundle. Node stands in for workerd: both run V8, and what it does besides, as gzip, is counted in both. Argument: MB of log,
 * timestamps included; default 50.
 */
const megabytes = Number(process.argv[2] ?? 50)
/** CPU seconds of this process, its helper threads included, and what the work gave. */
async function timed<T>(work: () => Promise<T>): Promise<[seconds: number, result: T]> {
  const before = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  return [(user + system) / 1e6, result]
}

const row = (...cells: readonly (string | number)[]) =>
  console.log(cells.map((cell, at) => (at === 0 ? String(cell).padEnd(26) : String(cell).padStart(14))).join(''))

console.log(`${megabytes} MB of log on ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}; CPU seconds`)
row('', 'turns', 'dearest turn', 'all turns', 'end', 'seal', 'bytes read')
for (const [name, print] of Object.entries(printers)) {
  const log = logOf(print, megabytes * 1e6, realClock)
  const turns: number[] = []
  const cursor = await log.listen(async (turn) => {
    const [seconds, next] = await timed(turn)
    turns.push(seconds)
    return next
  })
  const [end] = await timed(log.end)
  const [seal] = await timed(log.seal)
  const all = turns.reduce((sum, one) => sum + one, 0)
  row(name, turns.length, ...[Math.max(...turns), all, end, seal].map((seconds) => seconds.toFixed(2)), cursor.bytes)
}
