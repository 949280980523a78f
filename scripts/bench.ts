import { execFile } from 'node:child_process'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { benchAlerts } from './bench-alerts.ts'
import { byHand } from './bench-by-hand.ts'
import { enterLab, makeNamespace } from './bench-lab.ts'
import { listening, printer } from './bench-listen.ts'
import { type BenchService, overheads, startService, type Timed } from './bench-service.ts'

/** `npm run bench`: one run on the lab, a table on standard output; docs/benchmarks.md says what the lines mean. Writes nothing. */
async function main(): Promise<void> {
  const diagnoses = 30
  const pairs = 7
  enterLab()
  const [cpu] = cpus()
  say(`${availableParallelism()} × ${cpu?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`)
  say(`load before: ${loadavg()[0]?.toFixed(1)} (others at work make everything slower)\n`)

  const namespace = await makeNamespace()
  let service: BenchService | undefined
  try {
    service = await startService(namespace.name)
    const app = { image: 'localhost/flood:1', args: ['-lines=5', '-hold'], securityContext: restricted }
    const pods = await Promise.all([0, 1, 2].map((n) => namespace.pod(`app-${n}`, app)))
    const printed = await namespace.pod('printer', printer)
    const { diagnose, peakMiB } = service
    const podOf = (n: number) => pods[n % pods.length] as (typeof pods)[number]

    for (const pod of pods) await diagnose(pod, ['processes'])
    const timed: Timed[] = []
    for (let n = 0; n < diagnoses; n++) timed.push(await diagnose(podOf(n), ['processes']))
    const overhead = await overheads(namespace.name, timed)

    const ours: number[] = []
    const hand: number[] = []
    for (let n = 0; n < pairs; n++) {
      const { id, totalMs } = await diagnose(podOf(n), ['processes'])
      ours.push(totalMs)
      hand.push(await byHand(podOf(n), id, n))
    }

    const { throughListener, bare } = listening(printed)
    const through: number[] = []
    const copied: number[] = []
    await throughListener()
    for (let n = 0; n < 5; n++) {
      through.push(await throughListener())
      copied.push(await bare())
    }

    row('', 'median', 'p99', 'beside it', 'ratio')
    row(`request to PATCH, ms (${diagnoses} diagnoses)`, at(overhead, 0.5), at(overhead, 0.99))
    row(`request to sealed bundle, ms (${pairs})`, at(ours, 0.5), at(ours, 0.99), `by hand ${at(hand, 0.5)}`, ratio(ours, hand))
    row('log through listen, redact and store, MB/s', at(through, 0.5), '', `bare copy ${at(copied, 0.5)}`, ratio(through, copied))
    row('peak memory of the service, MiB', peakMiB().toFixed(0))
    row('peak memory of this process, which listened, MiB', (process.resourceUsage().maxRSS / 1024).toFixed(0))
    say('')
    await service.stop()
    service = undefined
    const alerts = await benchAlerts(namespace)
    row(`${alerts.alerts} alerts of ${alerts.pods} pods, ${alerts.deliveries} deliveries in a minute`, 'median', 'p99')
    row('acknowledged, ms', at(alerts.acknowledged, 0.5), at(alerts.acknowledged, 0.99))
    row('all settled after the last one, s', alerts.settledAfter.toFixed(1))
    row('diagnoses started, and most of one workload', String(alerts.diagnoses), String(alerts.mostOfAWorkload))
    row('peak memory of the service, MiB', alerts.peakMiB.toFixed(0))
    say(`outcomes: ${JSON.stringify(alerts.outcomes)}`)
    say(`\n${await redaction()}`)
    say(`load after: ${loadavg()[0]?.toFixed(1)}`)
  } finally {
    await service?.stop()
    await namespace.remove()
  }
}

/** In a process of its own, as its own script prints it. */
async function redaction(): Promise<string> {
  const script = fileURLToPath(new URL('./bench-redact.ts', import.meta.url))
  return (await promisify(execFile)(process.execPath, [script, '16'])).stdout
}

const restricted = { runAsUser: 1000, runAsGroup: 1000, runAsNonRoot: true }

const quantile = (values: readonly number[], q: number): number => values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1] ?? Number.NaN
const at = (values: readonly number[], q: number): string => quantile(values, q).toFixed(quantile(values, q) < 100 ? 1 : 0)
const ratio = (a: readonly number[], b: readonly number[]): string => (quantile(a, 0.5) / quantile(b, 0.5)).toFixed(2)

function row(name: string, ...cells: readonly string[]): void {
  say([name.padEnd(50), ...cells.map((cell, n) => cell.padStart(n === 2 ? 18 : 8))].join(' '))
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
