import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

// Builds the two images, the one that runs in pods and the service's own: npm run image -- [--prefix registry.example/team/] [--tag 1]
const { values } = parseArgs({ options: { prefix: { type: 'string', default: 'localhost/' }, tag: { type: 'string', default: '1' } } })

/** The first builder at hand. docker alone is not enough: it is only the client of an engine. */
const builders = [
  { name: 'docker', probe: ['info', '--format', '{{.ServerVersion}}'], build: ['build'] },
  { name: 'podman', probe: ['info'], build: ['build'] },
  { name: 'buildah', probe: ['version'], build: ['build', '--layers'] },
] as const

const failures: string[] = []
const builder = builders.find(({ name, probe }) => {
  const result = spawnSync(name, probe, { encoding: 'utf8', timeout: 20_000 })
  if (result.status === 0) return true
  const said = (result.stderr ?? '').trim().split('\n').at(-1)
  failures.push(
    `  ${name}: ${result.error && 'code' in result.error && result.error.code === 'ENOENT' ? 'not installed' : said || `exit code ${result.status}`}`,
  )
  return false
})
if (!builder) {
  console.error(`Cannot build the images: none of docker (with a running engine), podman and buildah works here\n${failures.join('\n')}`)
  console.error('On Debian: apt-get install buildah. On a machine with the lab: bash scripts/lab-images.sh')
  process.exit(1)
}

run('npm', ['run', '--silent', 'build'])
for (const [directory, name] of [
  ['diagnostics', 'autodiagnose'],
  ['dist', 'autodiagnose-service'],
]) {
  const image = `${values.prefix}${name}:${values.tag}`
  run(builder.name, [...builder.build, '-t', image, directory ?? ''])
  console.log(`Built ${image} with ${builder.name}`)
}

function run(command: string, args: readonly string[]): void {
  const result = spawnSync(command, [...args], { stdio: 'inherit' })
  if (result.status === 0) return
  console.error(`Cannot build the images: "${command} ${args.join(' ')}" ended with ${result.error?.message ?? `exit code ${result.status}`}`)
  process.exit(1)
}
