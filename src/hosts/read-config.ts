import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type Document, LineCounter, parseDocument } from 'yaml'
import { type Config, configSchema, type SecretRef } from '../config.ts'
import { crossProblems } from './config-checks.ts'
import { type HostName, hostProblems } from './config-hosts.ts'
import { isMap, type Problem, problemsOf } from './config-problems.ts'
import { pathText } from './path-text.ts'

/**
 * Reads the YAML file of the configuration for a host. Relative paths in it are relative to the file, `~/` is the home directory.
 * `takeSecret` gets every secret that is referred to, and throws what is wrong with it. Throws one error with every problem, each in a
 * line of its own: syntax, schema, names that nothing has, what this host does not have.
 */
export function readConfig(file: string, host: HostName, takeSecret: (ref: SecretRef, absolute: (path: string) => string) => void): Config {
  const { input, lineOf } = readYaml(file)
  const absolute = (path: string) => (path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(dirname(file), path))

  const problems: Problem[] = []
  for (const { ref, path } of secretRefs(input, [])) {
    try {
      takeSecret(ref, absolute)
    } catch (error) {
      problems.push({ path, message: error instanceof Error ? error.message : String(error) })
    }
  }
  const parsed = configSchema.safeParse(input)
  if (!parsed.success) problems.push(...problemsOf(parsed.error.issues, input))
  problems.push(...crossProblems(input), ...hostProblems(input, host))
  if (!parsed.success || problems.length > 0) throw listing(file, problems, lineOf)
  return withPaths(parsed.data, absolute)
}

function readYaml(file: string): { readonly input: unknown; readonly lineOf: (path: readonly PropertyKey[]) => number | undefined } {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error(`Cannot read the configuration "${file}" (AUTODIAGNOSE_CONFIG): ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  const wrong = [...document.errors, ...document.warnings]
  if (wrong.length > 0) {
    // The line itself is not shown: there may be a secret in it.
    const lines = wrong.map(({ pos, message }) => {
      const { line, col } = lineCounter.linePos(pos[0])
      return `\n  line ${line}, column ${col}: ${message}`
    })
    throw new Error(`Cannot read the configuration "${file}" as YAML:${lines.join('')}`)
  }
  return { input: document.toJS() ?? {}, lineOf: (path) => lineOf(document, lineCounter, path) }
}

/** The line of the innermost part of the path that is there. */
function lineOf(document: Document.Parsed, lineCounter: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true)
    const range = typeof node === 'object' && node !== null && 'range' in node ? (node.range as readonly number[] | null) : undefined
    if (range?.[0] !== undefined) return lineCounter.linePos(range[0]).line
  }
  return undefined
}

function listing(file: string, problems: readonly Problem[], lineOf: (path: readonly PropertyKey[]) => number | undefined): Error {
  const lines = problems.map(({ path, message }) => {
    const line = lineOf(path)
    return { line: line ?? 0, text: `\n  ${pathText(path)}: ${message}${line === undefined ? '' : ` (line ${line})`}` }
  })
  lines.sort((a, b) => a.line - b.line)
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return new Error(`Cannot use the configuration "${file}": ${count}${lines.map(({ text }) => text).join('')}`)
}

/** Every `{env: NAME}` and `{file: PATH}`; nothing else in the configuration looks like that. */
function* secretRefs(value: unknown, path: readonly PropertyKey[]): Generator<{ readonly ref: SecretRef; readonly path: readonly PropertyKey[] }> {
  if (Array.isArray(value)) for (const [n, item] of value.entries()) yield* secretRefs(item, [...path, n])
  if (!isMap(value)) return
  const [only, ...more] = Object.entries(value)
  if (only && more.length === 0 && typeof only[1] === 'string' && only[1] !== '') {
    if (only[0] === 'env') return yield { ref: { env: only[1] }, path }
    if (only[0] === 'file') return yield { ref: { file: only[1] }, path }
  }
  for (const [key, item] of Object.entries(value)) yield* secretRefs(item, [...path, key])
}

function withPaths(config: Config, absolute: (path: string) => string): Config {
  const inDirectory = <T extends { readonly directory: string }>(part: T): T => ({ ...part, directory: absolute(part.directory) })
  const mapped = <T, U>(map: Readonly<Record<string, T>>, change: (part: T) => U) =>
    Object.fromEntries(Object.entries(map).map(([name, part]) => [name, change(part)]))
  return {
    ...config,
    state: absolute(config.state),
    store: config.store.kind === 'files' ? inDirectory(config.store) : config.store,
    clusters: mapped(config.clusters, (cluster) => {
      if ('kubeconfig' in cluster) return { ...cluster, kubeconfig: absolute(cluster.kubeconfig) }
      return 'emulator' in cluster ? { emulator: inDirectory(cluster.emulator) } : cluster
    }),
    trackers: mapped(config.trackers, (tracker) => (tracker.kind === 'local' ? inDirectory(tracker) : tracker)),
    redaction: { files: config.redaction.files.map(absolute) },
  }
}
