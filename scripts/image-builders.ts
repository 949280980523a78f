import { spawnSync } from 'node:child_process'

export interface Builder {
  readonly name: 'docker' | 'podman' | 'buildah'
  /** A command that succeeds where it works: docker alone is only the client of an engine. */
  readonly probe: readonly string[]
}

const builders: readonly Builder[] = [
  { name: 'docker', probe: ['info', '--format', '{{.ServerVersion}}'] },
  { name: 'podman', probe: ['info'] },
  { name: 'buildah', probe: ['version'] },
]

/** The first builder at hand; for several platforms docker needs buildx, the others do it by themselves. */
export function findBuilder(platforms: boolean, fail: (message: string) => never): Builder {
  const failures: string[] = []
  for (const builder of builders) {
    const problem =
      problemOf(builder.name, builder.probe) ?? (platforms && builder.name === 'docker' ? problemOf('docker', ['buildx', 'version']) : undefined)
    if (problem === undefined) return builder
    failures.push(`  ${builder.name}: ${problem}`)
  }
  return fail(
    `none of docker (with a running engine), podman and buildah works here\n${failures.join('\n')}\nOn Debian: apt-get install buildah. On a machine with the lab: bash scripts/lab-images.sh`,
  )
}

function problemOf(name: string, probe: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(name, [...probe], { encoding: 'utf8', timeout: 20_000 })
  if (status === 0) return undefined
  if (error && 'code' in error && error.code === 'ENOENT') return 'not installed'
  return (stderr ?? '').trim().split('\n').at(-1) || `exit code ${status}`
}

export interface Build {
  readonly image: string
  readonly context: string
  readonly target?: string
  /** As linux/amd64; none: this machine's own. Several make one image of each, under one name. */
  readonly platforms: readonly string[]
  readonly push: boolean
  /** Seconds since 1970, the time of everything that the build makes. */
  readonly epoch?: string | undefined
  /** An archive of Debian as of a day. */
  readonly snapshot?: string | undefined
}

/** The command lines that build one image, and push it if asked. */
export function buildCommands({ name }: Builder, build: Build): readonly (readonly string[])[] {
  const several = build.platforms.length > 0
  const options = [
    ...(build.target === undefined ? [] : ['--target', build.target]),
    ...(several ? ['--platform', build.platforms.join(',')] : []),
    ...(build.epoch === undefined ? [] : ['--build-arg', `SOURCE_DATE_EPOCH=${build.epoch}`]),
    ...(build.snapshot === undefined ? [] : ['--build-arg', `SNAPSHOT=${build.snapshot}`]),
  ]
  if (name === 'docker') {
    const line = several ? ['docker', 'buildx', 'build', ...options] : ['docker', 'build', ...options]
    if (several) return [[...line, '-t', build.image, build.push ? '--push' : '--load', build.context]]
    return [[...line, '-t', build.image, build.context], ...(build.push ? [['docker', 'push', build.image]] : [])]
  }
  // Their own clock and that of each layer is set by an option; the argument is for what the build writes.
  const time = build.epoch === undefined ? [] : ['--timestamp', build.epoch]
  const line = [name, 'build', ...(name === 'buildah' ? ['--layers'] : []), ...options, ...time]
  // Which Docker says by itself. Packages are unpacked, not run, so that the other platform needs no emulation.
  const own = ['--build-arg', `BUILDPLATFORM=linux/${process.arch === 'x64' ? 'amd64' : process.arch}`]
  if (!several) return [[...line, '-t', build.image, build.context], ...(build.push ? [[name, 'push', build.image]] : [])]
  return [
    [...line, ...own, '--manifest', build.image, build.context],
    ...(build.push ? [[name, 'manifest', 'push', '--all', build.image, `docker://${build.image}`]] : []),
  ]
}

/** The command lines that write an image as an archive that {@link readImageArchive} reads. */
export function saveCommands({ name }: Builder, image: string, archive: string): readonly (readonly string[])[] {
  if (name === 'docker') return [['docker', 'save', '-o', archive, image]]
  if (name === 'podman') return [['podman', 'save', '--format', 'oci-archive', '-o', archive, image]]
  return [['buildah', 'push', image, `oci-archive:${archive}`]]
}
