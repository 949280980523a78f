import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CheckHeader, readCheckHeader } from './check-header.ts'

export const checksDirectory = fileURLToPath(new URL('../diagnostics/checks/', import.meta.url))
const runner = fileURLToPath(new URL('../diagnostics/runner', import.meta.url))

/** What is wrong with the checks of a directory: their heads, and what the contract forbids and can be seen in the text. */
export function lintChecks(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (!entry.isFile()) return [`${path}: only files belong here`]
    const text = readFileSync(path, 'utf8')
    return [...headComplaints(entry.name, text), ...rules.filter(({ breaks }) => breaks(text, path)).map(({ say }) => say)].map(
      (complaint) => `${path}: ${complaint}`,
    )
  })
}

function headComplaints(name: string, text: string): readonly string[] {
  const read = readCheckHeader(name, text)
  if (!read.ok) return read.complaints
  const { header } = read
  const complaints: string[] = []
  if (header.pauses && defaultChecks().includes(name)) complaints.push('a check that pauses the target is not run by default')
  if (header.param === 'required' && defaultChecks().includes(name)) complaints.push('a check that needs a parameter is not run by default')
  if (header.example !== undefined && !header.example.startsWith(`${name}=`))
    complaints.push(`its example is "${header.example}" and not one of ${name}=…`)
  return complaints
}

interface Rule {
  readonly say: string
  breaks(text: string, path: string): boolean
}

const inCode = (pattern: RegExp) => (text: string) => text.split('\n').some((line) => !line.trimStart().startsWith('#') && pattern.test(line))

/** Rules of docs/contract.md. */
const rules: readonly Rule[] = [
  { say: 'it is not executable: chmod +x', breaks: (_, path) => !isExecutable(path) },
  { say: 'its first line does not name its interpreter, as in #!/bin/sh', breaks: (text) => !text.startsWith('#!/') },
  { say: 'busybox timeout leaves its watcher to the target as a zombie: use `within` of lib/check.sh', breaks: inCode(/(^|[\s;&|(])timeout\s+-?\w/) },
  { say: 'no file is written: mktemp and tee are not used', breaks: inCode(/(^|[\s;&|(])(mktemp|tee)(\s|$)/) },
  { say: 'no text is evaluated as code: eval is not used', breaks: inCode(/(^|[\s;&|(])eval\s/) },
]

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Those that run where none is named, in their order, as the runner has them. */
export function defaultChecks(): readonly string[] {
  const names = /^default_checks='([^']+)'$/m.exec(readFileSync(runner, 'utf8'))?.[1]
  if (names === undefined) throw new Error('Cannot find default_checks in diagnostics/runner')
  return names.split(' ')
}

/** The heads of our checks: the default ones in their order, then the others. Throws where one is wrong. */
export function checkHeaders(): readonly CheckHeader[] {
  const order = defaultChecks()
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)
  return readdirSync(checksDirectory)
    .map((name) => {
      const read = readCheckHeader(name, readFileSync(join(checksDirectory, name), 'utf8'))
      if (!read.ok) throw new Error(`Cannot read the head of check ${name}: ${read.complaints.join('; ')}`)
      return read.header
    })
    .toSorted((a, b) => place(a.name) - place(b.name) || a.name.localeCompare(b.name, 'en'))
}

/** src/diagnosis/check-list.ts: what the service has to know of them. */
export function checkListModule(): string {
  const order = defaultChecks()
  const entries = checkHeaders().map(({ name, profile, uid, pauses, param, example, tools }) =>
    JSON.stringify({ name, byDefault: order.includes(name), profile, seesTarget: uid !== 'any', pauses, param, example, tools }),
  )
  return `// Made by "npm run schema" of the heads of diagnostics/checks; not to be edited.
import type { CheckFacts } from './check-facts.ts'

export const checkList: readonly CheckFacts[] = [
${entries.map((entry) => `  ${entry},`).join('\n')}
]
`
}

const marks = ['<!-- made by npm run schema -->', '<!-- end -->'] as const

/** What src/diagnosis/gather asks for because of the evidence, beside `listening` with a port. */
const hinted = ['dns', 'tcp', 'http', 'file']

/** docs/checks.md with its table made anew of the heads. Throws where the marks are missing. */
export function checksPage(page: string): string {
  const [before, rest] = page.split(marks[0])
  const after = rest?.split(marks[1])[1]
  if (before === undefined || after === undefined) throw new Error(`Cannot find "${marks[0]}" and "${marks[1]}" in the page of checks`)
  const order = defaultChecks()
  const rows = checkHeaders().map(
    ({ name, summary, profile, tools, uid, memoryKib, cpuSeconds, timeSeconds, pauses, param, example }) =>
      `| ${[
        `\`${example ?? name}\`${param === 'optional' ? ' or with a parameter' : ''}`,
        summary,
        [
          order.includes(name) ? 'by default' : hinted.includes(name) ? 'asked for, or hinted at by the evidence' : 'asked for',
          ...(pauses ? ['**pauses the target**'] : []),
        ].join(', '),
        [profile, ...tools, ...(uid === 'any' ? [] : [`${uid}'s UID`])].join(', '),
        `${(memoryKib / 1024).toFixed(1)} MiB, ${cpuSeconds} s, ${timeSeconds} s`,
      ].join(' | ')} |`,
  )
  const head = ['| Check | Tells | Runs | Needs | Memory, CPU, time |', '| --- | --- | --- | --- | --- |']
  return [before + marks[0], ...head, ...rows, marks[1] + after].join('\n')
}
