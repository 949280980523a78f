import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { lintChecks } from './checks.ts'
import { readImageArchive } from './image-archive.ts'
import { type Builder, buildCommands, findBuilder, saveCommands } from './image-builders.ts'
import { sizeTable } from './image-sizes.ts'
import { foreignPackages, readSbom, sbomPath } from './spdx.ts'

/**
 * Builds the images: npm run image -- [core] [net] [debug] [jvm] [service] [all] [OPTION…]; without a word, core and the service's own.
 * docs/images.md has the options.
 */
const toolsets = ['core', 'net', 'debug', 'jvm'] as const
const words = [...toolsets, 'service', 'all'] as const

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prefix: { type: 'string', default: 'localhost/' },
    tag: { type: 'string', default: '1' },
    platform: { type: 'string' },
    push: { type: 'boolean', default: false },
    checks: { type: 'string' },
    snapshot: { type: 'string' },
    context: { type: 'string' },
    sbom: { type: 'string' },
    sizes: { type: 'boolean', default: false },
  },
})

function wanted(): readonly string[] {
  const unknown = positionals.find((word) => !words.some((known) => known === word))
  if (unknown !== undefined) fail(`"${unknown}" is no image; known are ${words.join(', ')}`)
  if (positionals.includes('all')) return [...toolsets, 'service']
  return positionals.length > 0 ? positionals : ['core', 'service']
}

/** What runs in pods, with the operator's own checks among ours if they are what the contract asks for. */
function diagnosticsContext(): string {
  if (values.checks === undefined && values.context === undefined) return 'diagnostics'
  const context = values.context ?? mkdtempSync(join(tmpdir(), 'autodiagnose-image-'))
  if (values.context === undefined) process.on('exit', () => rmSync(context, { recursive: true, force: true }))
  if (existsSync(context) && readdirSync(context).length > 0) fail(`"${context}" is not empty`)
  cpSync('diagnostics', context, { recursive: true })
  if (values.checks !== undefined) addChecks(values.checks, join(context, 'checks'))
  return context
}

function addChecks(from: string, to: string): void {
  if (!existsSync(from)) fail(`there is no directory "${from}"`)
  const complaints = lintChecks(from)
  if (complaints.length > 0) fail(`checks in "${from}" are not as docs/contract.md says\n${complaints.map((each) => `  ${each}`).join('\n')}`)
  for (const name of readdirSync(from)) {
    if (existsSync(join(to, name))) fail(`"${name}" is the name of one of our checks`)
    cpSync(join(from, name), join(to, name))
  }
}

/** The time of the last change, so that the same is built of the same; none outside of a clone. */
function sourceTime(): string | undefined {
  if (process.env.SOURCE_DATE_EPOCH) return process.env.SOURCE_DATE_EPOCH
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%ct', '--', 'diagnostics'], { encoding: 'utf8' })
  return stdout?.trim() || undefined
}

/** Saves each image and looks into it: writes its list of contents, and prints what it takes. */
async function look(builder: Builder, images: readonly { readonly target: string; readonly image: string }[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'autodiagnose-image-'))
  try {
    const rows = []
    for (const { target, image } of images) {
      const archive = join(directory, `${target}.tar`)
      for (const line of saveCommands(builder, image, archive)) run(line)
      const read = await readImageArchive(archive)
      const sbom = readSbom(read)
      rows.push({ image: target, packedBytes: read.packedBytes, unpackedBytes: read.unpackedBytes, packages: foreignPackages(sbom).length })
      if (values.sbom === undefined) continue
      mkdirSync(values.sbom, { recursive: true })
      const file = join(values.sbom, `${target}.spdx.json`)
      writeFileSync(file, read.files.get(sbomPath) ?? '')
      console.log(`Wrote ${file}: ${foreignPackages(sbom).length} packages, ${sbom.files.length} files of ours`)
    }
    if (values.sizes) console.log(sizeTable(rows))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function run([command = '', ...args]: readonly string[]): void {
  const result = spawnSync(command, args, { stdio: 'inherit' })
  if (result.status !== 0) fail(`"${[command, ...args].join(' ')}" ended with ${result.error?.message ?? `exit code ${result.status}`}`)
}

function fail(message: string): never {
  console.error(`Cannot build the images: ${message}`)
  process.exit(1)
}

async function main(): Promise<void> {
  const targets = wanted()
  const platforms = values.platform?.split(',') ?? []
  if (platforms.some((platform) => !/^linux\/[a-z0-9]+(\/v\d)?$/.test(platform)))
    fail(`--platform is a list as linux/amd64,linux/arm64, and not "${values.platform}"`)
  if (platforms.length > 0 && (values.sbom !== undefined || values.sizes))
    fail('--sbom and --sizes look at an image of this machine: leave out --platform')
  const context = diagnosticsContext()
  if (values.context !== undefined) return console.log(`Wrote the build context ${context}`)
  const builder = findBuilder(platforms.length > 0, fail)
  if (targets.includes('service')) run(['npm', 'run', '--silent', 'build'])
  const built = targets.map((target) => {
    const ours = target !== 'service'
    const image = `${values.prefix}autodiagnose${target === 'core' ? '' : `-${target}`}:${values.tag}`
    const options = {
      image,
      context: ours ? context : 'dist',
      ...(ours ? { target } : {}),
      platforms,
      push: values.push,
      epoch: sourceTime(),
      snapshot: values.snapshot,
    }
    for (const line of buildCommands(builder, options)) run(line)
    console.log(`Built ${image} with ${builder.name}`)
    return { target, image }
  })
  if (values.sbom !== undefined || values.sizes)
    await look(
      builder,
      built.filter(({ target }) => target !== 'service'),
    )
}

await main()
