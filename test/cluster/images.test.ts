import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ImageArchive, readImageArchive } from '../../scripts/image-archive.ts'
import { readSizeTable } from '../../scripts/image-sizes.ts'
import { foreignPackages, readSbom } from '../../scripts/spdx.ts'
import { parse, proveEnd } from '../diagnosis/diagnostics-userland.ts'
import { isLab, kubectl, needsLab, useNamespace } from './environment.ts'
import { getPod, kubectlAgain } from './pods.ts'

const run = promisify(execFile)
const lab = (...args: readonly string[]) => run('test/lab/lab', [...args], { maxBuffer: 16 * 1024 * 1024 })

const images = ['core', 'net', 'debug', 'jvm'] as const
type Image = (typeof images)[number]
const tagOf = (image: Image | `test-${string}`): string => `localhost/autodiagnose${image === 'core' ? '' : `-${image}`}:1`

const directory = mkdtempSync(join(tmpdir(), 'autodiagnose-images-'))
afterAll(() => rmSync(directory, { recursive: true }))

async function save(tag: string): Promise<ImageArchive> {
  const archive = join(directory, `${tag.replaceAll(/[/:]/g, '-')}.tar`)
  await lab('save', tag, archive)
  return readImageArchive(archive)
}

describe('an image', { timeout: 60_000 }, () => {
  needsLab()
  const read = new Map<Image, ImageArchive>()
  beforeAll(async () => {
    if (isLab) for (const image of images) read.set(image, await save(tagOf(image)))
  }, 60_000)
  const of = (image: Image): ImageArchive => {
    const archive = read.get(image)
    if (archive === undefined) throw new Error(`${tagOf(image)} was not read`)
    return archive
  }

  test.each(images)('lists in it what is in it: %s', (image) => {
    const { name, files } = readSbom(of(image))
    expect(name).toBe(`autodiagnose-${image}`)
    expect(files.map(({ fileName }) => fileName)).toEqual(expect.arrayContaining(['./autodiagnose', './checks/http', './lib/run.sh']))
  })

  test.each(images)('is used without root, starts the runner, and has all checks: %s', (image) => {
    const { user, entrypoint, files } = of(image)
    const checks = (archive: ImageArchive) => [...archive.files.keys()].filter((path) => path.startsWith('checks/')).toSorted()
    expect({ user, entrypoint }).toEqual({ user: '65532:65532', entrypoint: ['/autodiagnose'] })
    expect(checks({ ...of(image), files })).toEqual(checks(of('core')))
  })

  test.each(images)('is hardly larger than docs/images.md says: %s', (image) => {
    const documented = readSizeTable(readFileSync('docs/images.md', 'utf8')).get(image)
    const { packedBytes, unpackedBytes } = of(image)
    // Debian's updates may bring or drop a library.
    expect(Math.abs((documented?.packages ?? 0) - foreignPackages(readSbom(of(image))).length)).toBeLessThan(4)
    expect(packedBytes / 1e6).toBeLessThan((documented?.packedMb ?? 0) * 1.05 + 0.1)
    expect(unpackedBytes / 1e6).toBeLessThan((documented?.unpackedMb ?? 0) * 1.05 + 0.1)
  })

  test('of core is busybox, the runner, its checks and their papers', () => {
    expect([...new Set([...of('core').files.keys()].map((path) => path.split('/')[0]))].toSorted()).toEqual([
      'autodiagnose',
      'bin',
      'checks',
      'lib',
      'usr',
      'var',
    ])
    expect([...of('core').files.keys()].filter((path) => path.startsWith('bin/'))).toEqual(['bin/busybox'])
  })
})

describe('two builds', () => {
  needsLab()
  /** The same files with other times and other rights, as another clone may have them. */
  const buildAnew = async (target: Image, name: `test-${string}`): Promise<ImageArchive> => {
    const context = join(directory, name)
    cpSync('diagnostics', context, { recursive: true })
    await run('chmod', ['-R', name.endsWith('-b') ? 'g+w,o-r' : 'g-w,o+r', context])
    const options = ['--target', target, '--timestamp', '1700000000', '--build-arg', 'SOURCE_DATE_EPOCH=1700000000', '--no-cache']
    await lab('image', context, tagOf(name), ...options)
    return save(tagOf(name))
  }

  test.each(['core', 'net'] as const)('of the same give the same image: %s', { timeout: 400_000 }, async (target) => {
    // One after the other: of two at once in one store, buildah has been seen to give the second another history.
    const one = await buildAnew(target, `test-${target}-a`)
    const other = await buildAnew(target, `test-${target}-b`)
    expect(one.layers).toHaveLength(2)
    expect({ layers: other.layers, config: other.config }).toEqual({ layers: one.layers, config: one.config })
  })
})

describe('kubectl debug, without the service', { timeout: 120_000 }, () => {
  needsLab()
  const namespace = useNamespace('images', { 'pod-security.kubernetes.io/enforce': 'restricted' })
  const open = useNamespace('images-open')
  const restricted = {
    runAsUser: 1000,
    runAsGroup: 1000,
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  }
  beforeAll(async () => {
    if (!isLab) return
    for (const [where, securityContext] of [
      [namespace, restricted],
      [open, {}],
    ] as const) {
      const containers = [{ name: 'app', image: 'localhost/apples:1', args: ['idle'], imagePullPolicy: 'Never', securityContext }]
      await kubectlAgain(
        ['-n', where, 'create', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers } }),
      )
      await kubectl(['-n', where, 'wait', '--for=condition=Ready', 'pod/web', '--timeout=60s'])
    }
  }, 120_000)

  /** What is typed, and what the container then has printed. `--custom` gives what kubectl has no flag for: user and group. */
  async function debug(where: string, name: string, image: string, args: readonly string[], custom: object = {}) {
    const file = join(directory, `${name}.json`)
    writeFileSync(file, JSON.stringify(custom))
    await kubectl(['-n', where, 'debug', 'web', `--image=${image}`, '-c', name, `--custom=${file}`, ...args])
    const exitCode = await vi.waitFor(
      async () => {
        const { status } = await getPod(where, 'web')
        const state = status.ephemeralContainerStatuses?.find((each) => each.name === name)?.state
        if (state?.terminated === undefined) throw new Error(`container ${name} has not ended: ${JSON.stringify(state)}`)
        return state.terminated.exitCode
      },
      { timeout: 60_000, interval: 300 },
    )
    return { text: await kubectl(['-n', where, 'logs', 'web', '-c', name]), exitCode }
  }
  const asTarget = { securityContext: { runAsUser: 1000, runAsGroup: 1000 } }
  const asRoot = { securityContext: { runAsUser: 0, runAsNonRoot: false } }

  test.each(images)('prints the report in a restricted namespace: %s', async (image) => {
    const { text, exitCode } = await debug(namespace, `report-${image}`, tagOf(image), ['--profile=restricted', '--target=app'], asTarget)
    proveEnd(Buffer.from(text).toString('latin1'))
    expect(exitCode).toBe(0)
    expect(parse(text).filter(({ ok }) => !ok)).toEqual([])
    expect(text).toContain('# autodiagnose target pid=1 uid=1000 gid=1000 visible=yes')
    expect(text.match(/^# check .*$/gm)?.length).toBeGreaterThan(5)
  })

  test('needs neither a target nor a user: the image has one, and says what it cannot see', async () => {
    const { text, exitCode } = await debug(namespace, 'plain', tagOf('core'), ['--profile=restricted'])
    expect(exitCode).toBe(0)
    expect(text).toContain('# autodiagnose no target')
    expect(text).toContain('resolv.conf: nameserver 10.88.0.1')
  })

  test('takes checks and options as arguments, and the runner as a command', async () => {
    const args = ['--profile=restricted', '--target=app']
    const asked = await debug(namespace, 'arguments', tagOf('core'), [
      ...args,
      '--arguments-only',
      '--',
      '--deadline=20',
      '--report=redmine:12',
      'resolv',
    ])
    expect(asked.text.match(/^# check .*$/gm)).toEqual(['# check resolv'])
    const called = await debug(namespace, 'command', tagOf('core'), [...args, '--', '/autodiagnose', 'resolv'])
    expect(called.text.match(/^# check .*$/gm)).toEqual(['# check resolv'])
    const wrong = await debug(namespace, 'wrong', tagOf('core'), [...args, '--arguments-only', '--', '--report=nothing', 'resolv'])
    // A slip in it does not cost the look.
    expect(wrong).toMatchObject({ exitCode: 0, text: expect.stringContaining('# autodiagnose option --report is not') })
    expect(wrong.text).toContain('# check resolv')
  })

  test.each([
    [
      'net',
      [
        'dig -v',
        'curl -V',
        'ip -V',
        'ss -V',
        'mtr --version',
        'tcpdump --version',
        'openssl version',
        'conntrack -V',
        'ethtool --version',
        'ping -V',
      ],
    ],
    ['debug', ['gdb --batch -ex "print 6*7"', 'strace -V', 'eu-stack --version', 'py-spy --version']],
    ['jvm', ['jattach | grep -q threaddump', 'wc /usr/bin/jattach']],
  ] as const)('has its tools, that run without root: %s', async (image, commands) => {
    const shell = image === 'jvm' ? 'sh' : 'bash'
    const { text, exitCode } = await debug(namespace, `tools-${image}`, tagOf(image), [
      '--profile=restricted',
      '--',
      shell,
      '-ec',
      commands.join('\n'),
    ])
    expect({ exitCode, text }).toMatchObject({ exitCode: 0 })
    if (image === 'debug') expect(text).toContain('$1 = 42')
  })

  test('net hears and sends packets under the profile netadmin, as root', async () => {
    const script = `curl -s http://127.0.0.1:9/ & tcpdump -ni lo -c 1 'tcp dst port 9' & for i in 1 2 3 4 5; do curl -s http://127.0.0.1:9/; sleep 0.3; done; wait; mtr -rnc 1 127.0.0.1; ip -br link`
    const { text } = await debug(open, 'packets', tagOf('net'), ['--profile=netadmin', '--', 'bash', '-c', script], asRoot)
    expect(text).toMatch(/127\.0\.0\.1\.9: Flags \[S\]/)
    expect(text).toMatch(/^ +1\.\|-- 127\.0\.0\.1 +0\.0%/m)
    expect(text).toMatch(/^eth0@/m)
  })

  test('debug reads the stacks of another process, as its user', async () => {
    const script = 'gdb --batch -p 1 -ex "info threads"'
    const { text } = await debug(open, 'stacks', tagOf('debug'), ['--profile=general', '--target=app', '--', 'bash', '-c', script], asRoot)
    expect(text).toMatch(/Thread|LWP/)
  })

  describe('with checks of the operators', () => {
    const check = `#!/bin/sh
# Says good day.
# Tells: greeting/absent
# Needs: profile restricted; tool busybox; uid any.
# Costs: memory 0.2 MiB, cpu 0.1 s, time 0.1 s.
# Disturbs: no.
# Param: none.
printf 'not ok - nobody greets here\\n  ---\\n  id: greeting/absent\\n  severity: warn\\n  ...\\n'
`
    const build: Record<string, (context: string, mine: string) => Promise<unknown>> = {
      'npm run image -- --checks': async (context, mine) =>
        run('npm', ['run', '--silent', 'image', '--', 'core', '--checks', mine, '--context', context]),
      'FROM our image': async (context, mine) => {
        cpSync(mine, context, { recursive: true })
        writeFileSync(join(context, 'Dockerfile'), `FROM ${tagOf('core')}\nCOPY greeting /checks/\n`)
      },
    }

    test.each(Object.keys(build))('%s', async (way) => {
      const name = way.startsWith('npm') ? 'test-added' : 'test-from'
      const [mine, context] = [join(directory, `${name}-mine`), join(directory, `${name}-context`)]
      mkdirSync(mine)
      writeFileSync(join(mine, 'greeting'), check, { mode: 0o755 })
      await build[way]?.(context, mine)
      await lab('image', context, tagOf(name))
      const { text } = await debug(namespace, name, tagOf(name), ['--profile=restricted', '--arguments-only', '--', 'greeting', 'resolv'])
      expect(parse(text)).toMatchObject([{ ok: false, name: 'nobody greets here' }, { ok: true }])
      // In the list of what is in the image where it is made by us; FROM ours it is that of what was there before.
      const listed = readSbom(await save(tagOf(name))).files.map(({ fileName }) => fileName)
      expect(listed.includes('./checks/greeting')).toBe(way.startsWith('npm'))
    })
  })
})
