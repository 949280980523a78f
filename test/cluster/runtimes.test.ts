import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { readCheckHeader } from '../../scripts/check-header.ts'
import { parse, proveEnd } from '../diagnosis/diagnostics-userland.ts'
import { diagnosticImage } from '../faults/diagnostic-image.ts'
import { isLab, kubectl, needsLab, useNamespace } from './environment.ts'
import { cgroupOf, cpuSeconds } from './node-cgroup.ts'
import { create, getPod, isReady, logThat, podThat } from './pods.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../lab/faults/fault', import.meta.url))
const mebibyte = 1024 * 1024

/** What is asked of a runtime, in real pods: what it tells, that the target lives on, and what it takes of the pod's memory. */
describe('checks of runtimes', { timeout: 300_000 }, () => {
  needsLab()
  const namespace = useNamespace('runtimes')
  const images = { core: '', jvm: '', debug: '' }
  beforeAll(async () => {
    if (!isLab) return
    // Their programs' images are built where they are missing.
    for (const name of ['jvm-deadlock', 'python-lock-stacks', 'native-deadlock', 'go-mutex-held']) {
      await vi.waitFor(() => run(program, ['up', name]), { timeout: 600_000, interval: 1000 })
      await kubectl(['delete', 'namespace', `fault-${name}`, '--ignore-not-found', '--wait=false'])
    }
    for (const target of ['core', 'jvm', 'debug'] as const) images[target] = await diagnosticImage(target)
  }, 900_000)

  const id = { runAsUser: 65532, runAsGroup: 65532 }
  async function target(
    name: string,
    image: string,
    args: readonly string[],
    ready: RegExp,
    more: object = {},
    limits: object = {},
  ): Promise<string> {
    const securityContext = { ...id, ...more }
    const container = { name: 'app', image: `localhost/${image}:1`, imagePullPolicy: 'Never', args, securityContext, resources: { limits } }
    await create(namespace, { kind: 'Pod', metadata: { name }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } })
    await podThat(namespace, name, isReady, 120_000)
    await logThat(namespace, name, ready)
    return (await getPod(namespace, name)).metadata.uid
  }

  /** What the checks say under the profile `restricted`, with the target's UID and GID. */
  async function ask(pod: string, name: string, image: string, args: readonly string[]): Promise<string> {
    const restricted = {
      ...id,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    }
    const container = {
      name,
      image,
      imagePullPolicy: 'Never',
      args: ['--deadline=60', ...args],
      securityContext: restricted,
      targetContainerName: 'app',
    }
    const patch = JSON.stringify({ spec: { ephemeralContainers: [container] } })
    await kubectl(['-n', namespace, 'patch', 'pod', pod, '--subresource=ephemeralcontainers', '--type=strategic', '-p', patch])
    const ended = `{.status.ephemeralContainerStatuses[?(@.name=="${name}")].state.terminated.exitCode}`
    await expect.poll(() => kubectl(['-n', namespace, 'get', 'pod', pod, '-o', `jsonpath=${ended}`]), { timeout: 90_000, interval: 300 }).toBe('0')
    const text = await kubectl(['-n', namespace, 'logs', pod, '-c', name])
    proveEnd(Buffer.from(text).toString('latin1'))
    return text
  }
  const restarts = async (pod: string): Promise<number | undefined> => (await getPod(namespace, pod)).status.containerStatuses?.[0]?.restartCount
  const lean = ['-Xmx24m', '-XX:+UseSerialGC', '-Xss256k', '-cp', '/classes', 'Shop']

  test('a JVM tells its deadlock and its heap, again and again, and lives on', async () => {
    await target('jvm', 'java', [...lean, 'transfer', 'serve 8080'], /WARN nothing done/)
    const text = await ask('jvm', 'first', images.jvm, [...Array.from({ length: 5 }, () => 'jvm-threads'), 'jvm-heap', 'runtime'])
    const points = parse(text)
    expect(points.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(
      Array.from({ length: 5 }, () => expect.stringMatching(/^2 threads of process 1 \(java, JVM of Java 17\..*\) are deadlocked: payment-/)),
    )
    expect(points.at(-2)).toMatchObject({ ok: true, name: expect.stringMatching(/^heap of process 1 /) })
    expect(text).toMatch(/^# +1: +\d+ instances +\d+ bytes /m)
    expect(text).toMatch(/^begin-base64 644 jvm-threads-1\.txt\n[A-Za-z0-9+/=\n]+^====$/m)
    const log = await kubectl(['-n', namespace, 'logs', 'jvm'])
    // Nothing was printed there by QUIT, and it goes on.
    expect(log).not.toContain('Full thread dump')
    await logThat(namespace, 'jvm', new RegExp(`(.*WARN.*\\n){${(log.match(/WARN/g)?.length ?? 0) + 1}}`))
    expect(await restarts('jvm')).toBe(0)
  })

  test.each([
    ['takes no signals (-Xrs)', '-Xrs', 'does not handle QUIT', {}],
    ['allows nobody to attach', '-XX:+DisableAttachMechanism', 'does not answer', {}],
    ['has no place for a socket', '-Xint', 'does not answer', { readOnlyRootFilesystem: true }],
  ])('a JVM that %s is left alone', async (_, option, reason, more) => {
    const name = option.toLowerCase().replace(/[^a-z]/g, '')
    await target(name, 'java', [option, ...lean, 'serve 8080'], /INFO 5 s/, more)
    expect(parse(await ask(name, 'first', images.jvm, ['jvm-threads']))).toMatchObject([{ ok: true, skip: expect.stringContaining(reason) }])
    await logThat(namespace, name, /INFO \d+ s[\s\S]*INFO \d+ s/)
    expect(await restarts(name)).toBe(0)
  })

  test.each([
    ['large', ['-Xms1100m', '-Xmx1100m', '-XX:+AlwaysPreTouch', ...lean.slice(1)], {}, 'more than 1 GiB'],
    ['short of CPU', lean, { cpu: '900m' }, 'its CPU limit is below one core'],
  ])('the heap of a JVM that is %s is not walked', async (kind, options, limits, reason) => {
    const name = kind.replaceAll(' ', '-').toLowerCase()
    await target(name, 'java', [...options, 'serve 8080'], /INFO 5 s/, {}, limits)
    expect(parse(await ask(name, 'first', images.jvm, ['jvm-heap']))).toMatchObject([{ ok: true, skip: expect.stringContaining(reason) }])
    await kubectl(['-n', namespace, 'delete', 'pod', name, '--wait=false'])
  })

  test('the stacks of Python and of a native program, which then goes on', async () => {
    await target('python', 'python', ['/shop.py', 'transfer', 'serve 8080'], /INFO listening/)
    const python = parse(await ask('python', 'first', images.debug, ['python-stacks']))
    expect(python).toMatchObject([{ ok: false, name: expect.stringMatching(/^2 threads of process 1 .* wait for locks .*pay \(shop\.py:\d+\)/) }])
    await target('native', 'native', ['transfer 3'], /WARN no payment/)
    const native = parse(await ask('native', 'first', images.debug, ['native-stacks', 'processes']))
    expect(native[0]).toMatchObject({
      ok: false,
      name: expect.stringMatching(/^3 threads of process 1 \(app\) are deadlocked, .* in pay \(shop\.c:\d+\)/),
    })
    // Neither stopped nor traced any more.
    expect(native.slice(1).filter(({ ok }) => !ok)).toEqual([])
    const log = await kubectl(['-n', namespace, 'logs', 'native'])
    await logThat(namespace, 'native', new RegExp(`(.*WARN.*\\n){${(log.match(/WARN/g)?.length ?? 0) + 1}}`))
    expect([await restarts('python'), await restarts('native')]).toEqual([0, 0])
  })

  test('each takes no more memory and CPU than its head says', async () => {
    const pods = {
      java: await target('measured-java', 'java', [...lean, 'serve 8080'], /INFO 5 s/),
      python: await target('measured-python', 'python', ['/shop.py', 'transfer', 'serve 8080'], /INFO listening/),
      go: await target('measured-go', 'gopher', ['debug 127.0.0.1:6060', 'stock 200'], /INFO all orders are placed/),
    }
    const told: string[] = []
    const beyond: string[] = []
    for (const [check, image, kind] of [
      ['runtime', images.core, 'java'],
      ['threads', images.core, 'java'],
      ['go', images.core, 'go'],
      ['node', images.core, 'java'],
      ['jvm-threads', images.jvm, 'java'],
      ['jvm-heap', images.jvm, 'java'],
      ['native-stacks', images.debug, 'java'],
      ['python-stacks', images.debug, 'python'],
    ] as const) {
      const cost = (name: string, args: readonly string[]) => costOf(`measured-${kind}`, pods[kind], () => ask(`measured-${kind}`, name, image, args))
      const runner = await cost(`idle-${check}`, ['--expires=1000000000'])
      const all = await cost(check, [check])
      const taken = { memory: all.memory - runner.memory, cpu: all.cpu - runner.cpu }
      const read = readCheckHeader(check, readFileSync(fileURLToPath(new URL(`../../diagnostics/checks/${check}`, import.meta.url)), 'utf8'))
      if (!read.ok) throw new Error(read.complaints.join('; '))
      const stated = { memory: read.header.memoryKib * 1024, cpu: read.header.cpuSeconds }
      told.push(
        `${check} ${(taken.memory / mebibyte).toFixed(1)} MiB of ${(stated.memory / mebibyte).toFixed(1)}, ${taken.cpu.toFixed(2)} s of ${stated.cpu}`,
      )
      // The runtime's own growth, and pages that others of the node share, come on top; a busy machine makes everything take longer.
      if (taken.memory > stated.memory + 2 * mebibyte || taken.cpu > 2 * stated.cpu) beyond.push(check)
    }
    console.log(`Beyond the idle runner: ${told.join('; ')}`)
    expect(beyond).toEqual([])
  })

  /** What the pod's cgroups say of a diagnostic container: the rise of the pod's peak in bytes, and seconds on a processor. */
  async function costOf(pod: string, uid: string, work: () => Promise<unknown>): Promise<{ readonly memory: number; readonly cpu: number }> {
    const app = (await kubectl(['-n', namespace, 'get', 'pod', pod, '-o', 'jsonpath={.status.containerStatuses[0].containerID}'])).replace(
      /^.*\//,
      '',
    )
    const group = cgroupOf('memory', uid)
    const number = (file: string): number => Number(readFileSync(join(group, file), 'utf8'))
    const [used, most] = existsSync(join(group, 'memory.usage_in_bytes'))
      ? ['memory.usage_in_bytes', 'memory.max_usage_in_bytes']
      : ['memory.current', 'memory.peak']
    // So that what was read before is not charged to whoever read it first.
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    writeFileSync(join(group, most), '0')
    const before = { memory: number(used), cpu: cpuSeconds(uid, app) }
    await work()
    return { memory: number(most) - before.memory, cpu: cpuSeconds(uid, app) - before.cpu }
  }
})
