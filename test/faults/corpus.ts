import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** What a case wants beyond a diagnosis with defaults. */
export interface Asked {
  /** Checks by name, `name` or `name=parameter`. */
  readonly checks?: readonly string[]
  readonly toolset?: string
  readonly profile?: string
  readonly compare?: true
}

/** One file of the corpus, as test/lab/faults/README.md tells it. */
export interface FaultCase {
  readonly name: string
  readonly namespace: string
  readonly file: string
  readonly summary: string
  /** Label selector of the pod, and the container. */
  readonly selector: string
  readonly container: string
  /** `kind/name` of the workload to ask for, where it is not the pod. */
  readonly workload?: string
  /** Conditions that hold once the trouble shows. */
  readonly ready: readonly string[]
  /** Whether CI leaves it out: others show the same, and faster. */
  readonly notInCi: boolean
  /** Whether there is a running target to inject beside. */
  readonly inject: boolean
  /** What the first finding must match; absent: nothing is wrong, and nothing may be found. */
  readonly expect?: RegExp
  /** In words, what must not count. */
  readonly wrong?: string
  /** Present: not a diagnosis with defaults, and counted apart. */
  readonly asked?: Asked
}

/** The values of the metadata at the head of a file, in their order: `# key: value`, continued by lines of `#` and three spaces. */
export function readHead(text: string): ReadonlyMap<string, readonly string[]> {
  const head = new Map<string, string[]>()
  let values: string[] = []
  for (const line of text.split('\n')) {
    if (!line.startsWith('#')) break
    const [, key, value = ''] = /^# ([a-z-]+): ?(.*)$/.exec(line) ?? []
    if (/^# {3}/.test(line)) values.push(`${values.pop() ?? ''} ${line.replace(/^# {3,}/, '')}`)
    else if (key !== undefined) {
      values = head.get(key) ?? []
      head.set(key, values)
      values.push(value)
    }
  }
  return head
}

/** The case of a file; throws with its name where a key that it needs is missing or cannot be read. */
export function readCase(file: string, text: string): FaultCase {
  const name = basename(file, '.yaml')
  const head = readHead(text)
  const one = (key: string): string | undefined => head.get(key)?.[0]?.trim()
  const needed = (key: string): string => one(key) || fail(`Cannot read case "${name}": its head has no "${key}"`)
  const expected = needed('expect')
  const [selector = '', container = ''] = needed('target').split(/\s+/)
  const workload = one('workload')
  const wrong = one('wrong')
  const asked = readAsked(one)
  return {
    name,
    namespace: `fault-${name}`,
    file,
    summary: one('summary') ?? '',
    selector,
    container,
    ready: head.get('ready') ?? [],
    notInCi: one('ci') === 'no',
    inject: !(one('inject') ?? 'yes').startsWith('no'),
    ...(workload === undefined ? {} : { workload }),
    ...(expected === 'none' ? {} : { expect: new RegExp(expected, 'i') }),
    ...(wrong === undefined ? {} : { wrong }),
    ...(asked ? { asked } : {}),
  }
}

function readAsked(one: (key: string) => string | undefined): Asked | undefined {
  const [checks, toolset, profile, compare] = ['checks', 'toolset', 'profile', 'compare'].map(one)
  const asked = {
    ...(checks ? { checks: checks.split(/\s+/) } : {}),
    ...(toolset ? { toolset } : {}),
    ...(profile ? { profile } : {}),
    ...(compare === 'true' ? { compare: true as const } : {}),
  }
  return Object.keys(asked).length > 0 ? asked : undefined
}

/**
 * The cases of a folder, sorted by name; with names, only those, in which `*` stands for any characters. Throws where a name
 * fits no case.
 */
export function readCorpus(folder: string, names: readonly string[] = []): readonly FaultCase[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
  const wanted = names.map((name) => new RegExp(`^${name.replace(/\.yaml$/, '').replaceAll('*', '.*')}$`))
  const fits = (pattern: RegExp) => files.some((file) => pattern.test(basename(file, '.yaml')))
  const unknown = names.filter((_, at) => !fits(wanted[at] as RegExp))
  if (unknown.length > 0) throw new Error(`Cannot find case ${unknown.map((name) => `"${name}"`).join(', ')} in "${folder}"`)
  return files
    .filter((file) => wanted.length === 0 || wanted.some((pattern) => pattern.test(basename(file, '.yaml'))))
    .sort()
    .map((file) => readCase(join(folder, file), readFileSync(join(folder, file), 'utf8')))
}

function fail(message: string): never {
  throw new Error(message)
}
