import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

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
  const env = { PATH: [directory, dirname(process.execPath)].join(delimiter) }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/image.ts', ...args], { encoding: 'utf8', env })
  return { status, stdout, stderr, calls: readFileSync(notes, 'utf8').split('\n').slice(0, -1) }
}

test('npm run image builds both images by the first builder that works', () => {
  const docker = 'echo "Cannot connect to the Docker daemon" >&2; exit 1'
  expect(image({ docker, buildah: '' })).toMatchObject({
    status: 0,
    stdout: 'Built localhost/autodiagnose:1 with buildah\nBuilt localhost/autodiagnose-service:1 with buildah\n',
    calls: [
      'docker info --format {{.ServerVersion}}',
      'buildah version',
      'npm run --silent build',
      'buildah build --layers -t localhost/autodiagnose:1 diagnostics',
      'buildah build --layers -t localhost/autodiagnose-service:1 dist',
    ],
  })
})

test('npm run image names the images as it is told', () => {
  expect(image({ docker: '', buildah: '' }, '--prefix', 'registry.example/team/', '--tag', '7').calls.slice(1)).toEqual([
    'npm run --silent build',
    'docker build -t registry.example/team/autodiagnose:7 diagnostics',
    'docker build -t registry.example/team/autodiagnose-service:7 dist',
  ])
})

test('npm run image says what is wrong with each builder, and builds nothing', () => {
  const { status, stderr, calls } = image({ docker: 'echo "no engine" >&2; exit 1' })
  expect({ status, calls }).toEqual({ status: 1, calls: ['docker info --format {{.ServerVersion}}'] })
  expect(stderr).toContain('  docker: no engine\n  podman: not installed\n  buildah: not installed\n')
})

test('npm run image fails with what failed', () => {
  const { status, stderr, calls } = image({ podman: '[ "$1" != build ] || exit 3' })
  expect(status).toBe(1)
  expect(stderr).toBe('Cannot build the images: "podman build -t localhost/autodiagnose:1 diagnostics" ended with exit code 3\n')
  expect(calls.at(-1)).toBe('podman build -t localhost/autodiagnose:1 diagnostics')
})
