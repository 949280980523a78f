import { posix } from 'node:path'

export interface SourceFile {
  /** Relative to the project, with slashes. */
  readonly path: string
  readonly text: string
}

/** The kinds of files in src, each with what it may import; a kind may always import itself, within one folder where it is `own`. */
const kinds = {
  host: { of: /^src\/hosts\//, imports: ['app', 'story', 'stage', 'shared', 'port', 'emulator'], own: false },
  // The HTTP side: the app, its API, its pages.
  app: { of: /^src\/(app\.tsx?$|api\/|pages\/)/, imports: ['story', 'stage', 'shared'], own: false },
  // The life of a diagnosis, and what it needs between the stages.
  story: { of: /^src\/(intake\/)?[^/]+\.ts$/, imports: ['stage', 'shared'], own: false },
  // The nouns, and the ports' interfaces: each port folder's file of its own name.
  shared: {
    of: /^src\/((config(-[a-z]+)?|deps|routes)\.ts|ports\/records\/intake\.ts|diagnosis\/[^/]+\.ts|diagnosis\/redact\/redactor\.ts|ports\/([^/]+)\/\4\.ts)$/,
    imports: [],
    own: false,
  },
  stage: { of: /^src\/diagnosis\/[^/]+\//, imports: ['shared'], own: true },
  port: { of: /^src\/ports\/[^/]+\//, imports: ['shared'], own: true },
  emulator: { of: /^src\/emulator\//, imports: ['shared'], own: true },
} as const

type Kind = keyof typeof kinds

/** Where Node's own modules and globals may be used: hosts, the emulator, and ports made for one platform. */
const platform = /^src\/(hosts\/|emulator\/|ports\/[^/]+\/(files|sqlite|state-lock|kubeconfig|in-cluster|local|d1|r2)\.ts$)/

/** Not to be had on every platform, or not to be controlled by a test: pattern and what to do instead. */
const globals: readonly (readonly [RegExp, string])[] = [
  [/\bprocess\s*(\.\s*[a-z]|\[)/, 'process: take what you need as a parameter'],
  [/\bconsole\s*\.\s*[a-z]/, 'console: take Deps.log'],
  [/\bBuffer\s*\.\s*[a-z]/, 'Buffer: use Uint8Array'],
  [/\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|\bperformance\s*\.\s*now\b/, 'the present time: take Deps.clock'],
  [/\brequire\s*\(/, 'require: use import'],
]

const maxLines = 300

/** Everything in the files that breaks a rule of the project's layout, one sentence each. */
export function complaints(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const code = withoutComments(file.text)
    const found = [...sizeAndWords(file)]
    if (file.path.startsWith('src/')) found.push(...place(file), ...imports(file.path, code), ...platformUse(file.path, code))
    return found.map((complaint) => `${file.path}: ${complaint}`)
  })
}

function sizeAndWords({ path, text }: SourceFile): string[] {
  const found: string[] = []
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  if (lines > maxLines) found.push(`has ${lines} lines, at most ${maxLines} are allowed: split it`)
  const isProduct = /^(src|diagnostics)\//.test(path)
  for (const [at, line] of text.split('\n').entries()) {
    if (isProduct && /\b(apples?|bananas?|fruits?|orchard)\b/i.test(line)) found.push(`line ${at + 1} names a part of the lab`)
    if (/(^|[\s"'`(=:])\/(root|work|home\/[a-z]+)\//.test(line)) found.push(`line ${at + 1} has a path of one machine`)
    if (/\b(docker\.io|ghcr\.io|quay\.io|gcr\.io|registry\.k8s\.io|registry\.npmjs\.org|proxy\.golang\.org)\b/.test(line))
      found.push(`line ${at + 1} names a registry's host`)
  }
  return found
}

function place({ path }: SourceFile): string[] {
  const found: string[] = []
  if (kindOf(path) === undefined) found.push('is in no known place: add its kind to the rules of test/architecture-rules.ts')
  const folders = path.split('/').length - 2
  const most = kindOf(path) === 'stage' ? 3 : 2
  if (folders > most) found.push(`is ${folders} folders deep, at most ${most} are allowed`)
  return found
}

function imports(path: string, code: string): string[] {
  const from = kindOf(path)
  if (from === undefined) return []
  const found: string[] = []
  for (const [, specifier = ''] of code.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
    if (specifier.startsWith('node:') && !platform.test(path))
      found.push(`imports ${specifier}, which only hosts, the emulator and platform ports may`)
    if (!specifier.startsWith('.')) continue
    const target = posix.normalize(posix.join(posix.dirname(path), specifier))
    const to = kindOf(target)
    if (to === undefined) found.push(`imports ${target}, which is in no known place`)
    else if (!mayImport(path, from, target, to))
      found.push(`imports ${target}: a ${from} may not import a ${to}${from === to ? ' of another folder' : ''}`)
  }
  return found
}

function mayImport(path: string, from: Kind, target: string, to: Kind): boolean {
  if (from === to) return !kinds[from].own || ownFolder(path) === ownFolder(target)
  return (kinds[from].imports as readonly Kind[]).includes(to)
}

/** Of a stage or a port, with the folders below it. */
const ownFolder = (path: string): string => posix.dirname(path).split('/').slice(0, 3).join('/')

function platformUse(path: string, code: string): string[] {
  const found: string[] = []
  // The emulator has URLs of its own: Kubernetes' and those of the demo's backend.
  if (path !== 'src/routes.ts' && !path.startsWith('src/emulator/') && /(["'`}])\/v1(\/|\b)/.test(code))
    found.push('has a URL of ours: write it in src/routes.ts')
  if (platform.test(path)) return found
  for (const [pattern, instead] of globals) if (pattern.test(code)) found.push(`uses ${instead}`)
  return found
}

function kindOf(path: string): Kind | undefined {
  return (Object.keys(kinds) as Kind[]).find((kind) => kinds[kind].of.test(path) && !(kind !== 'shared' && kinds.shared.of.test(path)))
}

/** Roughly: comments of whole lines and at the ends of lines. A URL in a string keeps its slashes, which follow a colon. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}
