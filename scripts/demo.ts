import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs, styleText } from 'node:util'
import type { View } from '../src/api/view.ts'
import { demoPod } from '../src/emulator/demo-cluster.ts'
import { findTools } from '../src/emulator/tools.ts'
import { pathOf, routes } from '../src/routes.ts'
import { writeReport } from './demo-report.ts'
import { DemoFailure, type DemoService, fail, startDemoService } from './demo-service.ts'

/** `npm run demo [-- --keep]`: the main job on this machine alone, from the failing pod to the bug report. Exits 0 if the fault was found. */

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = '500 Internal Server Error'
const timeoutMs = 50_000

type Style = Parameters<typeof styleText>[0]
const say = (text = '') => process.stdout.write(`${text}\n`)
const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout })
const title = (text: string) => say(`\n${paint('bold', text)}`)

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
  const directory = freshDirectory()
  const interrupted = new AbortController()
  // One ^C may come several times: from the terminal, and again from each npm in between.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort(signal))

  say(`${paint('bold', 'Autodiagnose')}: a pod is in trouble, has no shell, and nobody may attach to it`)
  tellTools()
  say(paint('dim', `All that it makes is in ${relative(process.cwd(), directory)}`))
  const service = await startDemoService(directory, timeoutMs)
  try {
    const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(timeoutMs)])
    await Promise.race([diagnose(service, directory, signal), service.ended.then(fail), aborted(signal)])
    if (values.keep) await keep(service, interrupted.signal)
  } finally {
    await service.stop()
  }
}

async function diagnose(service: DemoService, directory: string, signal: AbortSignal): Promise<void> {
  const { namespace, name } = demoPod
  title('1. What the pod itself says')
  say(paint('dim', `   ${name}: ${await complaint(join(directory, 'cluster', 'pods'), signal)}`))

  title('2. One request')
  const form = { pod: `${namespace}/${name}`, report: 'local:1' }
  const url = `${service.url}${routes.diagnoses}?follow`
  const fields = Object.entries(form).map(([field, value]) => `-d ${field}=${value}`)
  say(`   curl -N -H "Authorization: Bearer $TOKEN" ${fields.join(' ')} "${url}"\n`)
  const headers = { authorization: `Bearer ${service.token}` }
  const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form), signal })
  if (!response.ok || !response.body) fail(`the service answered ${response.status}: ${await response.text()}`)
  const skipped = await printLive(response.body)

  const id = new URL(response.headers.get('location') ?? fail('the answer has no Location'), service.url).pathname.split('/').at(-1) ?? ''
  const at = (route: string) => `${service.url}${pathOf(route, id)}`
  const view = (await (await fetch(at(routes.diagnosis), { headers, signal })).json()) as View
  const log = join(directory, 'log.txt')
  writeFileSync(log, await (await fetch(at(routes.log), { headers, signal })).text())
  const bundle = join(directory, 'store', 'objects', view.bundle?.key ?? fail(`there is no bundle: ${view.explanation}`))
  const report = join(directory, 'report.html')
  if (view.reported?.kind !== 'written') fail(`the bug report was not written: ${view.reported?.message ?? 'no word about it'}`)
  await writeReport(join(directory, 'tracker', '1', `${view.reported.noteId}.json`), 'local:1', report)
  conclude(view, skipped, { log, bundle, report })
}

function conclude(view: View, skipped: readonly string[], files: Readonly<Record<string, string>>): void {
  const finding = view.findings.find(({ title }) => title.includes(wanted))
  title(`3. Outcome: ${view.outcome}${view.explanation ? `, ${view.explanation}` : ''}`)
  for (const { severity, title } of view.findings) say(`   ${paint(severity === 'error' ? 'red' : 'yellow', severity)}: ${title}`)
  for (const what of skipped) say(`   ${paint('yellow', 'could not run here')}: ${what}`)
  title('4. Where to look')
  for (const [label, file] of Object.entries(files)) {
    if (!existsSync(file)) fail(`the ${label} is not where it should be: ${file}`)
    say(`   ${label.padEnd(7)} ${paint('cyan', relative(process.cwd(), file) || file)}`)
  }
  say(`   ${'open it'.padEnd(7)} ${paint('cyan', pathToFileURL(files.report ?? '').href)}`)
  if (view.outcome !== 'complete') fail(`the diagnosis is ${view.outcome}: ${view.explanation}`)
  if (!finding) fail(`no finding says "${wanted}"`)
  say(`\n${paint(['bold', 'green'], 'Found:')} ${finding.title}`)
}

/** Prints the lines as they come; returns what of them says that a check could not run. */
async function printLive(body: ReadableStream<Uint8Array>): Promise<string[]> {
  let rest = ''
  const skipped: string[] = []
  const decoder = new TextDecoder()
  const show = (line: string) => {
    say(`   ${paint(styleOf(line), line)}`)
    const skip = /^ok \d+ - (.*) # SKIP (.*)$/.exec(line)
    if (skip) skipped.push(`${skip[1]}, because ${skip[2]}`)
  }
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) show(line)
  }
  if (rest) show(rest)
  return skipped
}

function styleOf(line: string): Style {
  if (/^not ok\b/.test(line)) return ['bold', 'red']
  if (/^ok\b.*# SKIP/i.test(line)) return 'yellow'
  if (/^ok\b/.test(line)) return 'green'
  return /^\s*#|^ /.test(line) ? 'dim' : 'reset'
}

/** A line of the pod's log that tells of its trouble; waits for it. */
async function complaint(pods: string, signal: AbortSignal): Promise<string> {
  const { namespace, name } = demoPod
  for (;;) {
    signal.throwIfAborted()
    const folder = existsSync(pods) ? readdirSync(pods).find((one) => one.startsWith(`${namespace}_${name}_`)) : undefined
    const log = folder ? join(pods, folder, 'app', '0.log') : ''
    const line = existsSync(log)
      ? readFileSync(log, 'utf8')
          .split('\n')
          .find((text) => text.includes(wanted))
      : undefined
    if (line) return line.replace(/^\S+ \S+ \S+ /, '')
    await sleep(50)
  }
}

function tellTools(): void {
  const { busybox, missing } = findTools()
  const lacks = existsSync('/proc/self') ? '' : '; there is no /proc here: checks that read it will say SKIP'
  say(paint('dim', `The cluster is an emulator on this machine, its pods are processes${lacks}`))
  if (busybox) say(paint('dim', `Tools for the checks: ${busybox}, as in the image`))
  else say(`${paint('yellow', 'busybox is missing')}: small stand-ins in Node take its place; for the real one: apt-get install busybox`)
  if (missing.length > 0) say(`${paint('yellow', `missing: ${missing.join(', ')}`)}: checks that need them will say so`)
}

async function keep(service: DemoService, signal: AbortSignal): Promise<void> {
  title('The service keeps running; Ctrl-C ends it')
  say(
    `   page    ${paint('cyan', `${service.url}${routes.home}`)}\n   token   ${service.token}\n   config  ${relative(process.cwd(), service.configFile)}`,
  )
  await Promise.race([new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())), service.ended.then(fail)])
}

function freshDirectory(): string {
  const name = `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${randomBytes(2).toString('hex')}`
  const directory = join(root, '.demo', name)
  mkdirSync(directory, { recursive: true })
  return directory
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new DemoFailure(reasonOf(signal)))))
const reasonOf = (signal: AbortSignal) =>
  typeof signal.reason === 'string' ? `stopped by ${signal.reason}` : `not done within ${timeoutMs / 1000} s`

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(
      `\n${styleText('red', 'The demo failed', { stream: process.stderr })}: ${error instanceof DemoFailure ? error.message : error.stack}\n`,
    )
    process.exit(1)
  },
)
