import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { complaints } from './architecture-rules.ts'

/** Text files of the project, but for the lab, which is a thing of its own, and what tools write. */
function projectFiles(): { path: string; text: string }[] {
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8', maxBuffer: 1e8 })
  return stdout
    .split('\0')
    .filter((path) => /\.(tsx?|mjs|js|sh|ya?ml|md|jsonc?|css)$|Dockerfile$|^diagnostics\/|^\.ci\//.test(path))
    .filter((path) => !/^(test\/(lab|fixtures)\/|package-lock\.json$|docs\/config\.schema\.json$|test\/architecture)/.test(path) && existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
    .filter(({ text }) => !text.includes('\0'))
}

describe('the project', () => {
  it('keeps the rules of its layout', () => {
    const files = projectFiles()
    expect(files.length).toBeGreaterThan(30)
    expect(complaints(files)).toEqual([])
  })
})

describe('complaints', () => {
  const one = (path: string, text: string) => complaints([{ path, text }])

  it.each([
    ['a stage that imports another stage', 'src/diagnosis/gather/pod.ts', "import { x } from '../listen/follow.ts'"],
    ['a stage that imports a port itself', 'src/diagnosis/gather/pod.ts', "import { x } from '../../ports/store/s3.ts'"],
    ['a stage that imports the app, lazily', 'src/diagnosis/seal/pack.ts', "const x = await import('../../app.ts')"],
    ['a port that imports a stage', 'src/ports/store/s3.ts', "import type { X } from '../../diagnosis/seal/pack.ts'"],
    ['a port that imports another port', 'src/ports/store/s3.ts', "import { x } from '../tracker/redmine.ts'"],
    ['an interface that imports its implementation', 'src/ports/store/store.ts', "export * from './s3.ts'"],
    ['a page that imports a port', 'src/pages/list.tsx', "import { x } from '../ports/records/sqlite.ts'"],
    ['the story that imports the app', 'src/diagnose.ts', "import { x } from './app.ts'"],
    ['the app that imports a host', 'src/app.ts', "import { x } from './hosts/node.ts'"],
    ['the app that imports the emulator', 'src/app.ts', "import { x } from './emulator/emulator.ts'"],
    ['an import over several lines', 'src/diagnose.ts', "import {\n  x,\n} from './hosts/node.ts'"],
    ['a file outside the known places', 'src/utils/strings.ts', ''],
    ['an import from outside of src', 'src/app.ts', "import { x } from '../test/needs.ts'"],
    ['a module of Node', 'src/diagnosis/seal/pack.ts', "import { createHash } from 'node:crypto'"],
    ['process', 'src/diagnosis/seal/pack.ts', 'const x = process.env.X'],
    ['console', 'src/app.ts', "console.log('x')"],
    ['Buffer', 'src/ports/store/s3.ts', "Buffer.from('x')"],
    ['Date.now', 'src/diagnose.ts', 'const x = Date.now()'],
    ['new Date without a time', 'src/diagnose.ts', 'const x = new Date()'],
    ['a URL of ours', 'src/pages/list.tsx', "fetch('/v1/diagnoses')"],
    ['a URL of ours after a base', 'src/pages/list.tsx', 'const x = `$' + '{base}/v1/diagnoses`'],
    ['a name of the lab in a comment', 'src/app.ts', '// as apples does'],
    ['a name of the lab in a check', 'diagnostics/checks/http', 'curl http://bananas:8080'],
    ['a path of one machine', 'docs/x.md', `see /${'home'}/someone/project`],
    ["a registry's host", 'infra/image/Dockerfile', 'FROM docker.io/library/debian'],
    ['a file that is too long', 'src/app.ts', 'x\n'.repeat(301)],
    ['a folder that is too deep', 'src/ports/store/s3/s3.ts', ''],
    ['a folder below that of a stage that is too deep', 'src/diagnosis/gather/pods/more/pod.ts', ''],
  ])('finds %s', (_, path, text) => {
    expect(one(path, text)).not.toEqual([])
    expect(one(path, text)[0]).toContain(`${path}: `)
  })

  it.each([
    ['what a host may', 'src/hosts/node.ts', "import { x } from '../ports/store/s3.ts'\nimport y from 'node:fs'\nprocess.exit(Date.now())"],
    ['what the app may', 'src/app.ts', "import { x } from './diagnosis/accept/accept.ts'\nimport { y } from './api/create.ts'"],
    ['what the story may', 'src/diagnose.ts', "import { x } from './diagnosis/gather/gather.ts'"],
    ['what a stage may', 'src/diagnosis/gather/gather.ts', "import { x } from './pod.ts'\nimport type { C } from '../../ports/cluster/cluster.ts'"],
    ['a stage that uses the redactor', 'src/diagnosis/gather/gather.ts', "import type { R } from '../redact/redactor.ts'"],
    ['a platform port that reads files', 'src/ports/store/files.ts', "import { open } from 'node:fs/promises'"],
    ['words in comments', 'src/app.ts', "// process.env is the host's\n/* console.log */\nconst x = 'https://example.org/'"],
    ['a time that is given', 'src/diagnose.ts', 'new Date(clock.now())'],
    ['a Kubernetes path', 'src/ports/cluster/api.ts', "const path = '/api/v1/namespaces'"],
    ['our URLs in their place', 'src/routes.ts', "export const diagnoses = '/v1/diagnoses'"],
    ['the root of a process', 'diagnostics/checks/files', 'ls /proc/1/root/etc'],
    ['300 lines', 'src/app.ts', 'x\n'.repeat(300)],
  ])('accepts %s', (_, path, text) => {
    expect(one(path, text)).toEqual([])
  })
})
