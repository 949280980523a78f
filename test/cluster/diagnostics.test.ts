import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { defaultChecks } from '../../src/diagnosis/diagnosis.ts'
import { parse, proveEnd } from '../diagnosis/diagnostics-userland.ts'
import { kubectl, needsLab, useNamespace } from './environment.ts'

const mebibyte = 1024 * 1024

interface Ended {
  readonly text: string
  readonly exitCode: number
}

describe('what runs in the pod', () => {
  needsLab()
  const namespace = useNamespace('diagnostics')
  const here = (args: readonly string[], input?: string): Promise<string> => kubectl(['-n', namespace, ...args], input)

  /** A pod with one container `app` of the lab's image `name`; ready when this returns. */
  async function makePod(name: string, container: object, spec: object = {}): Promise<string> {
    const containers = [{ name: 'app', imagePullPolicy: 'Never', ...container }]
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { terminationGracePeriodSeconds: 30, containers, ...spec } }
    await here(['create', '-f', '-'], JSON.stringify(pod))
    await here(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s'])
    return here(['get', 'pod', name, '-o', 'jsonpath={.metadata.uid}'])
  }

  /** Adds the diagnostic container under the profile `restricted`, with the target's UID and GID. */
  async function inject(
    pod: string,
    name: string,
    id: number,
    args: readonly string[],
    target: object = { targetContainerName: 'app' },
  ): Promise<void> {
    const securityContext = {
      runAsUser: id,
      runAsGroup: id,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    }
    const container = { name, image: 'localhost/autodiagnose:1', imagePullPolicy: 'Never', args, securityContext, ...target }
    const patch = JSON.stringify({ spec: { ephemeralContainers: [container] } })
    await here(['patch', 'pod', pod, '--subresource=ephemeralcontainers', '--type=strategic', '-p', patch])
  }

  interface State {
    readonly running?: object
    readonly terminated?: { readonly exitCode: number }
  }
  async function stateOf(pod: string, name: string): Promise<State> {
    const text = await here(['get', 'pod', pod, '-o', `jsonpath={.status.ephemeralContainerStatuses[?(@.name=="${name}")].state}`])
    return text === '' ? {} : (JSON.parse(text) as State)
  }

  async function run(pod: string, name: string, id: number, args: readonly string[], target?: object): Promise<Ended> {
    await inject(pod, name, id, args, target)
    await expect.poll(async () => (await stateOf(pod, name)).terminated, { timeout: 60_000, interval: 200 }).toBeDefined()
    const text = await here(['logs', pod, '-c', name])
    proveEnd(Buffer.from(text).toString('latin1'))
    return { text, exitCode: (await stateOf(pod, name)).terminated?.exitCode ?? -1 }
  }

  test('sees a target of its UID and GID in a pod of 64 MiB with a read-only root, and does it no harm', async () => {
    const securityContext = { runAsUser: 1000, runAsGroup: 1000, readOnlyRootFilesystem: true }
    await makePod('small', { image: 'localhost/apples:1', args: ['apples'], securityContext, resources: { limits: { memory: '64Mi', cpu: '500m' } } })
    const { text, exitCode } = await run('small', 'first', 1000, ['--diagnosis=first', '--deadline=30'])
    const points = parse(text)
    expect(exitCode).toBe(0)
    expect(points.filter(({ ok, skip }) => !ok || skip !== undefined)).toEqual([])
    expect(text).toContain('# autodiagnose target pid=1 uid=1000 gid=1000 visible=yes')
    expect(text.match(/^# check (.*)$/gm)).toEqual(defaultChecks.map((name) => `# check ${name}`))
    expect(text).toMatch(/^# +1 +S +0 +1000 +1000 +\d+ +\d+ +\d+ app$/m)
    expect(text).toMatch(/limit 64\.0 MiB/)
    const status = await here(['get', 'pod', 'small', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'])
    expect(status).toBe('0')
    const again = await run('small', 'second', 1000, ['--diagnosis=second', '--expires=1000000000'])
    expect(again.text).toContain('1..0 # SKIP expired')
    expect(again.exitCode).toBe(0)
    const other = await run('small', 'third', 1001, ['--deadline=20', 'processes', 'disk'])
    expect(other.text).toContain('not open to inspection')
  })

  test('finds the target by its id where the pod shares its process namespace', async () => {
    const shared = {
      containers: [
        { name: 'app', image: 'localhost/apples:1', args: ['apples'] },
        { name: 'sidecar', image: 'localhost/apples:1', args: ['idle'] },
      ],
    }
    await makePod('shared', {}, { shareProcessNamespace: true, ...shared })
    const id = (await here(['get', 'pod', 'shared', '-o', 'jsonpath={.status.containerStatuses[?(@.name=="app")].containerID}'])).replace(/^.*\//, '')
    const { text } = await run('shared', 'first', 65532, [`--target-id=${id}`, '--deadline=20', 'processes'], {})
    expect(parse(text)).toMatchObject([{ ok: true, name: expect.stringContaining('the target has 1 process') }])
    expect(text).not.toContain('target pid=1 ')
  })

  test.each([
    ['beside the target, in its process namespace', { targetContainerName: 'app' }, []],
    ['as process 1 of its own', {}, ['--no-target']],
  ])('ends within a second when its pod is deleted in mid-check: %s', async (_, target, option) => {
    const name = `deleted-${option.length}`
    const silent = { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.96.0.10'] } }
    // The target stays: its end would take the processes of its namespace along. The witness ends at once, and so tells when TERM came.
    const stays = ['sh', '-c', "trap '' TERM; while sleep 0.5; do :; done"]
    const containers = [
      { name: 'app', image: 'localhost/tools:1', command: stays, securityContext: { runAsUser: 65535, runAsGroup: 65535 } },
      { name: 'witness', image: 'localhost/pause:1' },
    ]
    const uid = await makePod(name, {}, { containers, ...silent })
    try {
      await inject(name, 'first', 65535, [...option, '--deadline=60', ...Array.from({ length: 20 }, () => 'dns=nothing.example.')], target)
      await expect.poll(async () => (await stateOf(name, 'first')).running, { timeout: 30_000, interval: 100 }).toBeDefined()
      await expect.poll(async () => here(['logs', name, '-c', 'first']), { timeout: 10_000 }).toContain('# check dns')
      const group = podGroup(uid)
      const idOf = async (list: string, container: string) =>
        (await here(['get', 'pod', name, '-o', `jsonpath={.status.${list}[?(@.name=="${container}")].containerID}`])).replace(/^.*\//, '')
      const witness = await idOf('containerStatuses', 'witness')
      const first = await idOf('ephemeralContainerStatuses', 'first')
      expect([isAlive(group, witness), isAlive(group, first)]).toEqual([true, true])
      const endOf = async (id: string) => {
        await expect.poll(() => isAlive(group, id), { timeout: 15_000, interval: 20 }).toBe(false)
        return performance.now()
      }
      const ends = Promise.all([endOf(witness), endOf(first)])
      await here(['delete', 'pod', name, '--wait=false'])
      const [termAt, endedAt] = await ends
      // The kubelet sends TERM to all containers at once; half a second is for its own work on a busy machine.
      expect(endedAt - termAt).toBeLessThan(1500)
    } finally {
      await here(['delete', 'pod', name, '--ignore-not-found', '--force', '--grace-period=0', '--wait=false'])
    }
  })

  test('takes hardly more of the pod than a program that does nothing, and under 8 MB with the default checks', async () => {
    const securityContext = { runAsUser: 65535, runAsGroup: 65535 }
    const uid = await makePod(
      'memory',
      { image: 'localhost/apples:1', args: ['idle'], securityContext },
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.96.0.10'] } },
    )
    const group = podGroup(uid)
    // What was read before would be charged to whoever read it first.
    const forget = (): number => {
      writeFileSync('/proc/sys/vm/drop_caches', '3')
      resetPeak(group)
      return usage(group)
    }
    const rise = async (name: string, args: readonly string[], more: object = {}): Promise<number> => {
      const idle = forget()
      await inject('memory', name, 65535, args, { targetContainerName: 'app', ...more })
      await expect.poll(async () => (await stateOf('memory', name)).terminated, { timeout: 60_000 }).toBeDefined()
      return peak(group) - idle
    }
    // The kernel frees what ended processes held when it gets round to it, up to 3 MiB late on a busy machine: of three rises the middle one counts.
    const middle = async (name: string, args: readonly string[], more?: object): Promise<number> => {
      const rises = [await rise(`${name}-1`, args, more), await rise(`${name}-2`, args, more), await rise(`${name}-3`, args, more)]
      return rises.sort((one, other) => one - other)[1] ?? Number.NaN
    }
    const floor = await middle('floor', ['true'], { command: ['/bin/busybox'] })
    const runner = await middle('runner', ['--expires=1000000000'])
    const checks = await middle('checks', ['--deadline=30'])
    console.log(`Rise of the pod's peak: a program that does nothing ${kib(floor)}, the runner ${kib(runner)}, all default checks ${kib(checks)}`)
    expect(runner).toBeLessThan(Math.max(4 * mebibyte, floor + mebibyte))
    expect(checks).toBeLessThan(8_000_000)
  })
})

const kib = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`

/** The pod's memory cgroup on this machine, which is the lab's node; v1 or v2. */
function podGroup(uid: string): string {
  const [process] = globSync([
    `/sys/fs/cgroup/{memory,}/kubepods*/**/*${uid}*/**/cgroup.procs`,
    `/sys/fs/cgroup/kubepods*/**/*${uid.replaceAll('-', '_')}*/**/cgroup.procs`,
  ])
  if (process === undefined) throw new Error(`Cannot find the cgroup of pod ${uid}`)
  const own = dirname(process)
  return own.includes(uid) && dirname(own).endsWith(uid) ? dirname(own) : own
}

/** Whether a container of the pod has a process. */
const isAlive = (group: string, container: string): boolean =>
  globSync(`${group}/*${container}*/cgroup.procs`).some((file) => {
    try {
      return readFileSync(file, 'utf8') !== ''
    } catch {
      return false // Gone since it was listed.
    }
  })
const number = (path: string): number => Number(readFileSync(path, 'utf8'))
const usage = (group: string): number => number(existsSync(`${group}/memory.current`) ? `${group}/memory.current` : `${group}/memory.usage_in_bytes`)
const peakFile = (group: string): string => (existsSync(`${group}/memory.peak`) ? `${group}/memory.peak` : `${group}/memory.max_usage_in_bytes`)
const peak = (group: string): number => number(peakFile(group))
const resetPeak = (group: string): void => writeFileSync(peakFile(group), '0')
