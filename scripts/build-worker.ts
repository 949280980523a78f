import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

// What "wrangler deploy" would upload, built and held to its budget; nothing is sent.

/** Cloudflare takes 10 MB; this is about the time that a cold start takes, and the memory that is left. */
const maxGzipBytes = 500 * 1024

interface Metafile {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>>
}

/** Modules that must not be in the bundle: they are Node's, and were aliased or replaced. */
const forbidden = [/node_modules\/undici\//, /node_modules\/@hono\/node-server\//, /node_modules\/openworkflow\//, /^src\/emulator\//]

/** What workerd refuses to run. (zod has a `Function` of its own name behind a condition that wrangler makes false.) */
const codeFromText = /\beval\s*\(|\bnew\s+Function\s*\(/

// By itself first: what is wrong with it would stand below a hundred lines of wrangler's.
const configured = spawnSync('tsx', ['scripts/worker-config.ts'], { stdio: 'inherit' })
if (configured.status !== 0) process.exit(1)

const directory = mkdtempSync(join(tmpdir(), 'autodiagnose-worker-'))
try {
  const meta = join(directory, 'meta.json')
  const line = ['deploy', '--dry-run', '--outdir', directory, `--metafile=${meta}`]
  const { status, stdout, stderr } = spawnSync('wrangler', line, { encoding: 'utf8', env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } })
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  if (status !== 0) throw new Error(`wrangler deploy --dry-run ended with ${status}`)

  const script = readFileSync(join(directory, 'worker.js'))
  const { outputs } = JSON.parse(readFileSync(meta, 'utf8')) as Metafile
  const inputs = Object.entries(outputs).flatMap(([name, output]) => (name.endsWith('.js') ? Object.entries(output.inputs) : []))
  const bytes = gzipSync(script).byteLength
  console.log(`\n${kib(bytes)} of ${kib(maxGzipBytes)} gzip; ${kib(script.byteLength)} minified, of these:`)
  for (const [name, size] of bySize(inputs).slice(0, 10)) console.log(`${kib(size).padStart(12)}  ${name}`)

  const wrong = [
    ...(bytes > maxGzipBytes ? [`it is ${kib(bytes - maxGzipBytes)} larger than its budget`] : []),
    ...(codeFromText.test(script.toString()) ? ['it makes code from text, which workerd refuses'] : []),
    ...inputs.flatMap(([path]) => (forbidden.some((pattern) => pattern.test(path)) ? [`"${path}" is in it`] : [])),
  ]
  if (wrong.length > 0) throw new Error(`The Worker's bundle is not as it should be: ${wrong.join('; ')}`)
} finally {
  rmSync(directory, { recursive: true })
}

function kib(size: number): string {
  return `${(size / 1024).toFixed(1)} KiB`
}

function bySize(inputs: readonly (readonly [string, { readonly bytesInOutput: number }])[]): [string, number][] {
  const sizes = new Map<string, number>()
  for (const [path, { bytesInOutput }] of inputs) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? 'our own'
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput)
  }
  return [...sizes].sort(([, a], [, b]) => b - a)
}
