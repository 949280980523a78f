import { beforeAll, describe, expect, test } from 'vitest'
import type { CheckHeader } from '../../scripts/check-header.ts'
import { checkHeaders } from '../../scripts/checks.ts'
import type { View } from '../../src/api/view.ts'
import { isLab, kubectl, needsLab, testImage, useNamespace } from './environment.ts'
import { create, isReady, podThat } from './pods.ts'
import { useService } from './service.ts'

/** What a pod of that level may be; all have a read-only root. */
const levels = ['restricted', 'baseline', 'privileged'] as const

const restricted = {
  runAsNonRoot: true,
  runAsUser: 1000,
  runAsGroup: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
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

/** A parameter that there is something to say about in every pod; a check that needs another kind of parameter is added here. */
const params: Readonly<Record<string, string>> = {
  dns: 'kubernetes.default.svc.cluster.local',
  tcp: 'kubernetes.default.svc.cluster.local:443',
  http: 'https://kubernetes.default.svc.cluster.local/version',
  mtu: 'kubernetes.default.svc.cluster.local:443',
  file: '/etc/hosts',
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
    diagnosis: { image: testImage },
    harm: { unknownHeadroom: 'inject', pauseAfter: 1000 },
  })
  const logOf = (namespace: string, pod: string, { containers }: View, ...options: readonly string[]): Promise<string> =>
    kubectl(['-n', namespace, 'logs', pod, '-c', containers.at(-1)?.name ?? '', ...options])

  beforeAll(async () => {
    if (!isLab) return
    await Promise.all(
      namespaces.map(async ({ level, namespace }) => {
        await create(namespace, podOf('steady', 'idle', level === 'restricted' ? restricted : { runAsUser: 1000, runAsGroup: 1000 }))
        if (level === 'restricted') await create(namespace, podOf('crashing', 'crash', restricted))
        await podThat(namespace, 'steady', isReady)
      }),
    )
  })

  /** Runs all of them in the pod; each must have its say. */
  async function runAll(namespace: string, pod: string): Promise<void> {
    for (const asked of requests(checks)) {
      const diagnosis = await service.diagnose({ pod: `${namespace}/${pod}`, checks: asked })
      expect(diagnosis.outcome, diagnosis.explanation).toBe('complete')
      const points = pointsOf(await logOf(namespace, pod, diagnosis))
      expect([...points.keys()].sort()).toEqual(asked.map((text) => text.replace(/=.*/, '')).sort())
      expect([...points].filter(([, lines]) => lines.length === 0).map(([name]) => name)).toEqual([])
      expect(diagnosis.findings.filter(({ id }) => /\/(broken|too-slow)$/.test(id))).toEqual([])
    }
  }

  test.each(namespaces)('has its say in a namespace $level, with a read-only root', async ({ namespace }) => {
    await runAll(namespace, 'steady')
  })

  test('has its say beside a target in a crash loop', async () => {
    const namespace = namespaces[0]?.namespace ?? ''
    await podThat(namespace, 'crashing', ({ status }) => status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff')
    await runAll(namespace, 'crashing')
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
