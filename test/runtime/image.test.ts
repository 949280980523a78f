import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'image-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Runs `npm run image` where only these programs are, each a shell script that notes how it was called. */
function image(programs: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const notes = join(directory, 'notes')
  writeFileSync(notes, '')
  for (const [name, script] of Object.entries({ npm: '', ...programs }))
    writeFileSync(join(directory, name), `#!/bin/sh\necho "${name} $*" >>${notes}\n${script}\n`, { mode: 0o755 })
  // sh is found by its whole path; nothing of this machine may be found by its name.
  const env = { PATH: [directory, dirname(process.execPath)].join(delimiter), SOURCE_DATE_EPOCH: '1700000000' }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/image.ts', ...args], { encoding: 'utf8', env })
  return { status, stdout, stderr, calls: readFileSync(notes, 'utf8').split('\n').slice(0, -1) }
}

describe('npm run image', () => {
  test('builds both images by the first builder that works', () => {
    const docker = 'echo "Cannot connect to the Docker daemon" >&2; exit 1'
    expect(image({ docker, buildah: '' })).toMatchObject({
      status: 0,
      stdout: 'Built localhost/autodiagnose:1 with buildah\nBuilt localhost/autodiagnose-service:1 with buildah\n',
      calls: [
        'docker info --format {{.ServerVersion}}',
        'buildah version',
        'npm run --silent build',
        'buildah build --layers --target core --build-arg SOURCE_DATE_EPOCH=1700000000 --timestamp 1700000000 -t localhost/autodiagnose:1 diagnostics',
        'buildah build --layers --build-arg SOURCE_DATE_EPOCH=1700000000 --timestamp 1700000000 -t localhost/autodiagnose-service:1 dist',
      ],
    })
  })

  test('builds the images that are named, by the names that it is told, of an archive of that day', () => {
    const snapshot = 'https://snapshot.example/archive/20261101T000000Z'
    expect(image({ docker: '' }, 'net', 'core', '--prefix', 'registry.example/team/', '--tag', '7', '--snapshot', snapshot).calls.slice(1)).toEqual(
      ['net', 'core'].map(
        (target) =>
          `docker build --target ${target} --build-arg SOURCE_DATE_EPOCH=1700000000 --build-arg SNAPSHOT=${snapshot} -t registry.example/team/autodiagnose${target === 'net' ? '-net' : ''}:7 diagnostics`,
      ),
    )
  })

  const platforms = 'linux/amd64,linux/arm64'
  const own = `--build-arg BUILDPLATFORM=linux/${process.arch === 'x64' ? 'amd64' : process.arch}`
  const options = `--platform ${platforms} --build-arg SOURCE_DATE_EPOCH=1700000000`
  test.each([
    ['docker', [`docker buildx build --target jvm ${options} -t r.example/autodiagnose-jvm:1 --push diagnostics`]],
    [
      'podman',
      [
        `podman build --target jvm ${options} --timestamp 1700000000 ${own} --manifest r.example/autodiagnose-jvm:1 diagnostics`,
        'podman manifest push --all r.example/autodiagnose-jvm:1 docker://r.example/autodiagnose-jvm:1',
      ],
    ],
    [
      'buildah',
      [
        `buildah build --layers --target jvm ${options} --timestamp 1700000000 ${own} --manifest r.example/autodiagnose-jvm:1 diagnostics`,
        'buildah manifest push --all r.example/autodiagnose-jvm:1 docker://r.example/autodiagnose-jvm:1',
      ],
    ],
  ])('makes one image of several platforms, and pushes it: %s', (builder, expected) => {
    const { status, calls } = image({ [builder]: '' }, 'jvm', '--prefix', 'r.example/', '--platform', platforms, '--push')
    expect(status).toBe(0)
    expect(calls.slice(-expected.length)).toEqual(expected)
  })

  test('takes another builder for several platforms where docker lacks buildx', () => {
    const docker = '[ "$1" != buildx ] || { echo "docker: unknown command: docker buildx" >&2; exit 1; }'
    const { calls } = image({ docker, buildah: '' }, 'core', '--platform', 'linux/arm64')
    expect(calls).toEqual([
      'docker info --format {{.ServerVersion}}',
      'docker buildx version',
      'buildah version',
      expect.stringMatching(/^buildah build/),
    ])
  })

  test('says what is wrong with each builder, and builds nothing', () => {
    const { status, stderr, calls } = image({ docker: 'echo "no engine" >&2; exit 1' })
    expect({ status, calls }).toEqual({ status: 1, calls: ['docker info --format {{.ServerVersion}}'] })
    expect(stderr).toContain('  docker: no engine\n  podman: not installed\n  buildah: not installed\n')
  })

  test('fails with what failed', () => {
    const { status, stderr, calls } = image({ podman: '[ "$1" != build ] || exit 3' }, 'core')
    const line = 'podman build --target core --build-arg SOURCE_DATE_EPOCH=1700000000 --timestamp 1700000000 -t localhost/autodiagnose:1 diagnostics'
    expect(status).toBe(1)
    expect(stderr).toBe(`Cannot build the images: "${line}" ended with exit code 3\n`)
    expect(calls.at(-1)).toBe(line)
  })

  test.each([
    [['everything'], '"everything" is no image; known are core, net, debug, jvm, service, all'],
    [['--platform', 'arm64'], '--platform is a list as linux/amd64,linux/arm64, and not "arm64"'],
    [['--platform', 'linux/arm64', '--sizes'], '--sbom and --sizes look at an image of this machine: leave out --platform'],
    [['--checks', '/nowhere'], 'there is no directory "/nowhere"'],
  ])('refuses %j', (args, said) => {
    const { status, stderr, calls } = image({ buildah: '' }, ...args)
    expect({ status, stderr, calls }).toEqual({ status: 1, stderr: `Cannot build the images: ${said}\n`, calls: [] })
  })
})

describe('npm run image -- --checks', () => {
  const head = `# Tells whether it is there.
# Tells: greeting/absent
# Needs: profile restricted; tool busybox; uid any.
# Costs: memory 0.2 MiB, cpu 0.1 s, time 0.1 s.
# Disturbs: no.
# Param: none.
`
  const withChecks = (checks: Readonly<Record<string, string>>, ...args: readonly string[]) => {
    const from = join(directory, 'mine')
    mkdirSync(from)
    for (const [name, text] of Object.entries(checks)) writeFileSync(join(from, name), `#!/bin/sh\n${text}echo "ok - hello"\n`, { mode: 0o755 })
    return image({ buildah: '' }, 'core', '--checks', from, ...args)
  }

  test('puts them beside ours', () => {
    const context = join(directory, 'context')
    expect(withChecks({ greeting: head }, '--context', context)).toMatchObject({
      status: 0,
      stdout: `Wrote the build context ${context}\n`,
      calls: [],
    })
    expect(readdirSync(join(context, 'checks'))).toEqual(expect.arrayContaining(['greeting', ...readdirSync('diagnostics/checks')]))
    expect(readFileSync(join(context, 'Dockerfile'), 'utf8')).toBe(readFileSync('diagnostics/Dockerfile', 'utf8'))
  })

  test('builds of a copy, and leaves nothing of it', () => {
    const context = /(\S+)$/.exec(withChecks({ greeting: head }).calls.at(-1) ?? '')?.[1] ?? ''
    expect(context).toContain('autodiagnose-image-')
    expect(() => readdirSync(context)).toThrow('ENOENT')
  })

  test.each([
    ['greeting', head.replace(/# Costs.*\n/, ''), 'the line "# Costs:" is missing'],
    ['dns', head, '"dns" is the name of one of our checks'],
  ])('refuses %s, and builds nothing', (name, text, said) => {
    const { status, stderr, calls } = withChecks({ [name]: text })
    expect({ status, calls }).toEqual({ status: 1, calls: [] })
    expect(stderr).toContain(said)
  })
})
