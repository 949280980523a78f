import { beforeAll, describe, expect, test } from 'vitest'
import type { CheckHeader } from '../../scripts/check-header.ts'
import { checkHeaders } from '../../scripts/checks.ts'
import type { View } from '../../src/api/view.ts'
import { params } from './check-params.ts'
import { isLab, kubectl, needsLab, testImage, useNamespace } from './environment.ts'
import { create, isReady, podThat } from './pods.ts'
import { useService } from './service.ts'

const levels = ['restricted', 'baseline', 'privileged'] as const

const restricted = {
  runAsNonRoot: true,
  runAsUser: 1000,
  runAsGroup: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

/** What a pod of that level may be; all have a read-only root. */
const contexts = { restricted, baseline: { runAsUser: 1000, runAsGroup: 1000 }, privileged: { privileged: true, runAsUser: 0 } }

interface Asked {
  readonly pod: string
  readonly checks: readonly string[]
  readonly profile?: string
  readonly toolset?: string
}

const podOf = (name: string, task: string, securityContext: object) => ({
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'app',
        image: 'localhost/apples:1',
        args: [task],
        securityContext: { ...securityContext, readOnlyRootFilesystem: true },
      },
    ],
  },
})

/** The toolset that brings a tool. */
const toolsets: Readonly<Record<string, string>> = { jattach: 'jvm', gdb: 'debug', 'py-spy': 'debug' }

/**
 * Why a check of a runtime has nothing to say of a program in Go without pprof: what it says of its own is in runtimes.test.ts. That the
 * kernel's log is read where it is open is asked for apart.
 */
const absent: Readonly<Record<string, RegExp>> = {
  kernel: /the log of the kernel # SKIP it is not open/,
  go: /none of \d+ ports of the target's Go programs answers with pprof/,
  node: /no Node\.js is seen/,
  'jvm-heap': /no JVM is seen/,
  'jvm-threads': /no JVM is seen/,
  'python-stacks': /no Python is seen/,
}

/** As the API takes them: at most 20 at once. */
function requests(checks: readonly CheckHeader[]): readonly (readonly string[])[] {
  const all = checks.map(({ name, param }) => (param === 'required' ? `${name}=${params[name] ?? fail(name)}` : name))
  return [all.filter((_, at) => at % 2 === 0), all.filter((_, at) => at % 2 === 1)]
}

function fail(name: string): never {
  throw new Error(`Check "${name}" needs a parameter: add one to this test`)
}

/** The points of each check, by the lines of the report between its head and the next. */
function pointsOf(log: string): ReadonlyMap<string, readonly string[]> {
  const points = new Map<string, string[]>()
  let current: string[] = []
  for (const line of log.split('\n')) {
    const name = /^# check (\S+)$/.exec(line)?.[1]
    if (name !== undefined) {
      current = []
      points.set(name, current)
    } else if (/^(not )?ok \d+ - /.test(line)) current.push(line)
  }
  return points
}

describe('every check', { timeout: 240_000 }, () => {
  needsLab()
  const checks = checkHeaders()
  const namespaces = levels.map((level) => ({ level, namespace: useNamespace(level, { 'pod-security.kubernetes.io/enforce': level }) }))
  const service = useService({
    watched: namespaces.map(({ namespace }) => namespace),
    profiles: ['auto', 'restricted', 'baseline', 'sysadmin'],
    diagnosis: {
      image: testImage,
      toolsets: { jvm: { image: 'localhost/autodiagnose-jvm:1' }, debug: { image: 'localhost/autodiagnose-debug:1' } },
    },
    harm: { unknownHeadroom: 'inject', pauseAfter: 1000 },
  })
  const logOf = (namespace: string, pod: string, { containers }: View, ...options: readonly string[]): Promise<string> =>
    kubectl(['-n', namespace, 'logs', pod, '-c', containers.at(-1)?.name ?? '', ...options])

  beforeAll(async () => {
    if (!isLab) return
    await Promise.all(
      namespaces.map(async ({ level, namespace }) => {
        await create(namespace, podOf('steady', 'idle', contexts[level]))
        if (level === 'restricted') await create(namespace, podOf('crashing', 'crash', restricted))
        await podThat(namespace, 'steady', isReady)
      }),
    )
  })

  /** What each of them says in the pod; all must have ended by themselves. */
  async function ask(request: Asked): Promise<ReadonlyMap<string, readonly string[]>> {
    const diagnosis = await service.diagnose(request)
    expect(diagnosis.outcome, diagnosis.explanation).toBe('complete')
    const [namespace = '', pod = ''] = request.pod.split('/')
    const points = pointsOf(await logOf(namespace, pod, diagnosis))
    expect([...points.keys()].sort()).toEqual(request.checks.map((text) => text.replace(/=.*/, '')).sort())
    expect([...points].filter(([, lines]) => lines.length === 0).map(([name]) => name)).toEqual([])
    expect(diagnosis.findings.filter(({ id }) => /\/(broken|too-slow)$/.test(id))).toEqual([])
    return points
  }

  /** Those of which each point was skipped, but for what the pod has nothing of. */
  const silent = (points: ReadonlyMap<string, readonly string[]>): readonly string[] =>
    [...points].flatMap(([name, lines]) => (lines.some((line) => !line.includes(' # SKIP ') || absent[name]?.test(line)) ? [] : lines))

  const bare = checks.filter(({ tools }) => tools.length === 0)

  test.each(namespaces)('says something in a namespace $level, with a read-only root', async ({ level, namespace }) => {
    // Root with all capabilities is seen by its like alone.
    const profile = level === 'privileged' ? { profile: 'sysadmin' } : {}
    const points = new Map<string, readonly string[]>()
    for (const some of requests(bare))
      for (const [name, said] of await ask({ pod: `${namespace}/steady`, checks: some, ...profile })) points.set(name, said)
    expect(silent(points)).toEqual([])
    expect(points.get('kernel')?.some((line) => /^ok \d+ - the log of the kernel was read/.test(line))).toBe(level === 'privileged')
  })

  test.each(['jvm', 'debug'])('that needs tools finds them in its toolset %s', async (toolset) => {
    const some = checks.filter(({ tools }) => tools.some((tool) => toolsets[tool] === toolset)).map(({ name }) => name)
    expect(some).not.toEqual([])
    expect(silent(await ask({ pod: `${namespaces[0]?.namespace}/steady`, checks: some, toolset }))).toEqual([])
  })

  test('has a toolset that brings its tools', () => {
    expect(checks.flatMap(({ tools }) => tools).filter((tool) => !(tool in toolsets))).toEqual([])
  })

  test('has its say beside a target in a crash loop', async () => {
    const namespace = namespaces[0]?.namespace ?? ''
    await podThat(namespace, 'crashing', ({ status }) => status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff')
    for (const some of requests(checks)) await ask({ pod: `${namespace}/crashing`, checks: some })
  })

  test('of the default set takes under 5 s together', async () => {
    const namespace = namespaces[0]?.namespace ?? ''
    const diagnosis = await service.diagnose({ pod: `${namespace}/steady` })
    expect(diagnosis.findings).toEqual([])
    const times = (await logOf(namespace, 'steady', diagnosis, '--timestamps')).match(/^\S+Z/gm) ?? []
    const seconds = (Date.parse(times.at(-1) ?? '') - Date.parse(times[0] ?? '')) / 1000
    console.log(`The default checks took ${seconds.toFixed(1)} s in a pod where nothing is wrong`)
    expect(seconds).toBeLessThan(5)
  })
})
