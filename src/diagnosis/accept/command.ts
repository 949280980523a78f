import { commandLines } from './command-lines.ts'
import { commandWords, type Word } from './command-words.ts'

/** What a command asks for: the body of a request (see `parseRequest`), but for the report, which is the issue that it stands on. */
export interface Command {
  readonly pod?: string
  readonly workload?: string
  readonly selector?: string
  readonly container?: string
  readonly profile?: string
  readonly checks?: readonly string[]
  readonly cluster?: string
  readonly reason?: string
}

export const commandUsage =
  '/diagnose NAMESPACE/POD [--container NAME] [--profile NAME] [--check NAME[=PARAMETER]]… [--cluster NAME] [--reason "WORDS"]; ' +
  'instead of a pod: NAMESPACE/deployment/NAME or NAMESPACE/app=NAME'

const options = ['container', 'profile', 'check', 'cluster', 'reason'] as const
type Option = (typeof options)[number]

const maxLineLength = 4000
const dashes = '[-\u2010-\u2015\u2212]'
const optionPattern = new RegExp(`^${dashes}+([a-z][-\\w]*)(?:=(.*))?$`, 'is')

/**
 * The first command of a text in Markdown, such as `/diagnose shop/cart-57bcf49487-ddmpn --check dns`: undefined if there is none; texts
 * say what is wrong with it, one sentence each, none of which may be quoted as Markdown. The values are as they were written: `parseRequest` judges them.
 */
export function parseCommand(text: string): Command | undefined | string[] {
  const [first] = commandLines(text)
  if (!first) return undefined
  if (first.doubt !== undefined) return [`"${cut(first.line, 60)}" was not run; ${first.doubt}`]
  if (first.line.length > maxLineLength) return [`A command has at most ${maxLineLength} characters, this one has ${first.line.length}`]
  const words = commandWords(first.line.replace(/<!--.*?(?:-->|$)/g, ' '))
  return typeof words === 'string' ? [words] : readWords(words.slice(1))
}

/** What else is to be said about the commands of a text, one sentence each. */
export function commandRemarks(text: string): string[] {
  const count = commandLines(text).length
  return count > 1 ? [`Only the first of ${count} commands counts; write one comment for each`] : []
}

function readWords(words: readonly Word[]): Command | string[] {
  const complaints: string[] = []
  const targets: string[] = []
  const given = new Map<Option, string[]>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as Word
    const option = optionOf(word)
    if (!option) {
      targets.push(word.text)
      continue
    }
    const next = words[at + 1]
    const follows = option.value === undefined && next !== undefined && !optionOf(next)
    if (follows) at++
    const value = option.value ?? (follows ? next.text : '')
    const complaint = take(given, option.name, value)
    if (complaint !== undefined) complaints.push(complaint)
  }
  const target = targetOf(targets)
  if (typeof target === 'string') complaints.push(target)
  if (complaints.length > 0 || typeof target === 'string') return complaints.slice(0, 5)
  const { check, ...single } = Object.fromEntries(given) as Partial<Record<Option, string[]>>
  const fields = Object.entries(single).map(([name, values]) => [name, values[0]])
  return { ...target, ...Object.fromEntries(fields), ...(check === undefined ? {} : { checks: check }) }
}

function optionOf({ text, quoted }: Word): { readonly name: string; readonly value?: string } | undefined {
  const [, name, value] = (quoted ? undefined : optionPattern.exec(text)) ?? []
  return name === undefined ? undefined : { name: name.toLowerCase(), ...(value === undefined ? {} : { value }) }
}

/** Keeps the value of an option, or says what is wrong. */
function take(given: Map<Option, string[]>, name: string, value: string): string | undefined {
  if (name === 'report') return 'A command has no --report: the answer lands on the issue that it stands on'
  if (name === 'help') return `Usage: ${commandUsage}`
  const option = options.find((known) => known === name)
  if (!option) return `Unknown option --${cut(name, 40)}; the options are ${options.map((known) => `--${known}`).join(', ')}`
  if (value === '') return `Option --${option} needs a value, as in --${option} ${examples[option]}`
  const values = given.get(option) ?? []
  if (values.length > 0 && option !== 'check') return `Option --${option} is given twice`
  given.set(option, [...values, value])
  return undefined
}

const examples: Readonly<Record<Option, string>> = {
  container: 'app',
  profile: 'restricted',
  check: 'dns=cart.shop.svc',
  cluster: 'main',
  reason: '"slow since noon"',
}

/** Pod, workload or selector by its form, or what is wrong. */
function targetOf(targets: readonly string[]): Pick<Command, 'pod' | 'workload' | 'selector'> | string {
  const [target, ...more] = targets
  if (target === undefined || /^help$/i.test(target)) return `Name one target. Usage: ${commandUsage}`
  if (more.length > 0) {
    const quoted = targets.slice(0, 5).map((text) => `"${cut(text, 60)}"`)
    return `One target is expected, given are ${quoted.join(', ')}; put a value that has spaces into quotation marks`
  }
  if (/[=!(\s]/.test(target)) return { selector: target }
  return target.split('/').length > 2 ? { workload: target } : { pod: target }
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text
}
