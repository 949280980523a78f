import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { skippedText } from '../src/diagnosis/skipped-words.ts'
import { readCorpus } from '../test/faults/corpus.ts'
import { isGood, scoreLine, scoreOf } from '../test/faults/judge.ts'
import { mergeRows, outdated, readPage, renderPage, rowsOf } from '../test/faults/page.ts'
import type { Result } from '../test/faults/run-case.ts'
import { runCorpus } from '../test/faults/run-corpus.ts'
import { enterLab } from './bench-lab.ts'

const usage = `npm run test:faults [-- NAME... OPTION...]
  NAME         cases to run, * for any characters; default: all
  --up N       cases that are up at once, default 9
  --at-once N  of them diagnosed at once, default 3, as harm.perNode has it
  --all        print all findings of each case, not of those alone that failed
  --keep       leave the cases up
  --write      write docs/faults.md
FAULTS names another folder of cases; their images are in ../images beside it`

const ours = fileURLToPath(new URL('../test/lab/faults', import.meta.url))
const page = fileURLToPath(new URL('../docs/faults.md', import.meta.url))

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      up: { type: 'string', default: '9' },
      'at-once': { type: 'string', default: '3' },
      all: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  })
  // Where npm was called, relative paths begin; its scripts run at the top of the project.
  const folder = process.env.FAULTS ? resolve(process.env.INIT_CWD ?? '.', process.env.FAULTS) : ours
  const all = readCorpus(folder, positionals)
  const cases = all.filter(({ notInCi }) => !(notInCi && process.env.CI === 'true'))
  if (cases.length < all.length)
    say(
      `left out in CI, for others show the same: ${all
        .filter((one) => !cases.includes(one))
        .map(({ name }) => name)
        .join(' ')}`,
    )
  enterLab()
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  const began = performance.now()
  const results = await runCorpus(cases, {
    folder,
    up: whole('up', values.up),
    atOnce: whole('at-once', values['at-once']),
    keep: values.keep,
    signal: stop.signal,
    onResult: (result) => tell(result, values.all),
  })
  say(`${results.length} cases in ${((performance.now() - began) / 1000).toFixed(0)} s`)
  if (folder === ours) keepPage(results, values.write)
  const score = scoreOf(results.filter(({ one }) => !one.asked))
  const asked = scoreOf(results.filter(({ one }) => one.asked))
  if (asked.faults + asked.healthy > 0) say(scoreLine('asked', asked))
  say(scoreLine('score', score))
  const good = isGood(score) && isGood(asked)
  process.exitCode = good ? 0 : 1
  writeCounts(results, all.length - cases.length, good)
}

/** As the reporter of the other suites does. Here the score is what passes or fails: the few misses that it allows are no failures. */
function writeCounts(results: readonly Result[], left: number, good: boolean): void {
  const passed = results.filter(({ verdict }) => verdict === 'ok').length
  const others = results.length - passed
  const counts = { passed, failed: good ? 0 : others, skipped: left + (good ? others : 0) }
  const failures = good
    ? []
    : results.filter(({ verdict }) => verdict !== 'ok').map(({ one, verdict, note }) => [one.name, verdict, note].filter(Boolean).join(': '))
  if (process.env.TEST_COUNTS) writeFileSync(process.env.TEST_COUNTS, JSON.stringify({ ...counts, failures }))
}

function tell({ one, verdict, note, seconds, diagnosis }: Result, all: boolean): void {
  const [first] = diagnosis?.findings ?? []
  const found = first ? `${first.title} (${first.id}, ${first.severity})` : diagnosis ? 'no finding' : ''
  say([verdict.padEnd(11), one.name.padEnd(24), `${seconds.toFixed(0).padStart(3)} s `, [found, note].filter(Boolean).join('; ')].join(' '))
  if (verdict !== 'ok' && one.expect) say(`            wanted: ${one.expect.source}`)
  if (verdict === 'ok' && !all) return
  if (verdict !== 'ok' && diagnosis)
    say(`            ${[`${diagnosis.containers.length} containers`, skippedText(diagnosis.containers)].filter(Boolean).join('; not looked at: ')}`)
  for (const { title, id, severity, source } of diagnosis?.findings.slice(verdict === 'ok' ? 0 : 1) ?? [])
    say(`            ${severity} ${source} ${id}: ${title}`)
}

/** Brings docs/faults.md up to date, or says where it is not. */
function keepPage(results: readonly Result[], write: boolean): void {
  const names = readCorpus(ours).map(({ name }) => name)
  const rows = rowsOf(results)
  const old = readPage(read(page))
  if (write) writeFileSync(page, renderPage(mergeRows(old, rows, names)))
  else for (const name of outdated(old, rows)) say(`docs/faults.md is out of date for ${name}; npm run test:faults -- --write ${name}`)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

function whole(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`Cannot read --${option} "${text}": expected a whole number from 1 on`)
  return value
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

main().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`test:faults: ${text}\n${text.includes('Unknown option') ? `${usage}\n` : ''}`)
  process.exitCode = 1
})
