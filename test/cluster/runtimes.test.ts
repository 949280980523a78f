import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { readCheckHeader } from '../../scripts/check-header.ts'
import { parse, proveEnd } from '../diagnosis/diagnostics-userland.ts'
import { diagnosticImage } from '../faults/diagnostic-image.ts'
import { isLab, kubectl, needsLab, useNamespace } from './environment.ts'
import { cgroupOf } from './node-cgroup.ts'
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
    for (const name of ['jvm-deadlock', 'python-lock-stacks', 'native-deadlock']) {
      await vi.waitFor(() => run(program, ['up', name]), { timeout: 600_000, interval: 1000 })
      await kubectl(['delete', 'namespace', `fault-${name}`, '--ignore-not-found', '--wait=false'])
    }
    for (const target of ['core', 'jvm', 'debug'] as const) images[target] = await diagnosticImage(target)
  }, 900_000)

  const id = { runAsUser: 65532, runAsGroup: 65532 }
  async function target(name: string, image: string, args: readonly string[], ready: RegExp, more: object = {}): Promise<string> {
    const container = { name: 'app', image: `localhost/${image}:1`, imagePullPolicy: 'Never', args, securityContext: { ...id, ...more } }
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

  test('each takes no more memory than its head says', async () => {
    const uid = await target('measured', 'java', [...lean, 'serve 8080'], /INFO 5 s/)
    const group = cgroupOf('memory', uid)
    const number = (file: string): number => Number(readFileSync(join(group, file), 'utf8'))
    const v1 = (): boolean => {
      try {
        return number('memory.usage_in_bytes') > 0
      } catch {
        return false
      }
    }
    const [used, most] = v1() ? ['memory.usage_in_bytes', 'memory.max_usage_in_bytes'] : ['memory.current', 'memory.peak']
    const rise = async (name: string, image: string, args: readonly string[]): Promise<number> => {
      // So that what was read before is not charged to whoever read it first.
      writeFileSync('/proc/sys/vm/drop_caches', '3')
      writeFileSync(join(group, most), '0')
      const idle = number(used)
      await ask('measured', name, image, args)
      return number(most) - idle
    }
    const told: string[] = []
    const beyond: string[] = []
    for (const [check, image] of [
      ['runtime', images.core],
      ['threads', images.core],
      ['go', images.core],
      ['node', images.core],
      ['jvm-threads', images.jvm],
      ['jvm-heap', images.jvm],
      ['native-stacks', images.debug],
    ] as const) {
      const runner = await rise(`idle-${check}`, image, ['--expires=1000000000'])
      const taken = (await rise(check, image, [check])) - runner
      const read = readCheckHeader(check, readFileSync(fileURLToPath(new URL(`../../diagnostics/checks/${check}`, import.meta.url)), 'utf8'))
      const stated = read.ok ? read.header.memoryKib * 1024 : 0
      told.push(`${check} ${(taken / mebibyte).toFixed(1)} MiB of ${(stated / mebibyte).toFixed(1)}`)
      // The JVM's own growth, and pages that others of the node share, come on top.
      if (taken > stated + 2 * mebibyte) beyond.push(check)
    }
    console.log(`Rise of the pod's peak beyond the idle runner: ${told.join(', ')}`)
    expect(beyond).toEqual([])
  })
})
