import { beforeAll, describe, expect, test } from 'vitest'
import { isLab, needsLab, useNamespace } from './environment.ts'
import { openBundle } from './lab-store.ts'
import { create, fruitPod, getPod, isReady, podThat } from './pods.ts'
import { useService } from './service.ts'

/** What the owners of these pods would look at: as `npm run check:new` writes one, without its head. */
const teamCheck = `#!/bin/sh
. "\${0%/*}/../lib/check.sh"
read -r title <"$proc/$target/comm"
finding "stale/$param" warn "the queue of $title has not moved" "made up" "ask the team" "parameter <$param>"
`
const volumes = [{ name: 'autodiagnose-checks', configMap: { name: 'autodiagnose-checks', optional: true } }]
/** With them the first container sees the target, and there is no second one. */
const ids = { runAsUser: 1000, runAsGroup: 1000 }
const annotations = (of: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [`autodiagnose.dev/${name}`, value]))

describe("what an application's owners and operators choose", { timeout: 120_000 }, () => {
  needsLab()
  const namespace = useNamespace('choice')
  const service = useService({
    watched: [namespace],
    harm: { unknownHeadroom: 'inject' },
    diagnosis: {
      extraChecks: ['team-queue'],
      toolsets: {
        jvm: { image: 'localhost/autodiagnose-jvm:1' },
        debug: { image: 'localhost/autodiagnose-debug:1', profile: 'general' },
      },
    },
  })

  beforeAll(async () => {
    if (!isLab) return
    await create(namespace, {
      kind: 'ConfigMap',
      metadata: { name: 'autodiagnose-checks' },
      data: { 'team-queue': teamCheck, disk: 'echo "not ok - another disk"' },
    })
    const pods = {
      owned: {
        metadata: { annotations: annotations({ checks: 'team-queue=orders', toolset: 'jvm' }) },
        spec: { volumes },
        container: { securityContext: ids },
      },
      closed: { metadata: { annotations: annotations({ 'opt-out': 'true' }) } },
      greedy: { metadata: { annotations: annotations({ checks: 'team-queue nonsense', toolset: 'debug', profile: 'sysadmin' }) } },
    }
    for (const [name, more] of Object.entries(pods)) await create(namespace, fruitPod(name, 'idle', more))
    for (const name of Object.keys(pods)) await podThat(namespace, name, isReady)
  })

  test('checks of a ConfigMap run, and ours stay ours; the toolset is that of the pod', async () => {
    const diagnosis = await service.diagnose({ pod: `${namespace}/owned` })
    expect(diagnosis.outcome, diagnosis.explanation).toBe('complete')
    expect(diagnosis.findings).toMatchObject([
      {
        id: 'team-queue/stale/orders',
        severity: 'warn',
        title: 'the queue of app has not moved',
        next: 'ask the team',
        evidence: 'parameter <orders>',
      },
    ])
    const { spec } = await getPod(namespace, 'owned')
    expect(spec.ephemeralContainers).toMatchObject([
      { image: 'localhost/autodiagnose-jvm:1', volumeMounts: [{ name: 'autodiagnose-checks', mountPath: '/checks.d', readOnly: true }] },
    ])
    expect(diagnosis.containers).toMatchObject([{ image: 'localhost/autodiagnose-jvm:1' }])
  })

  test('what policy does not allow, or nobody knows, is told, and the rest is done', async () => {
    const diagnosis = await service.diagnose({ pod: `${namespace}/greedy` })
    expect(diagnosis.outcome, diagnosis.explanation).toBe('complete')
    const told = diagnosis.findings.filter(({ check }) => check === 'annotations')
    expect(told.map(({ severity, title }) => [severity, title.replace(/.*autodiagnose\.dev\/(\S+) .*: /, '$1 ')])).toEqual([
      ['info', 'checks "nonsense"'],
      ['info', 'profile "sysadmin"'],
      ['info', 'toolset "debug"'],
    ])
    const { spec } = await getPod(namespace, 'greedy')
    expect(spec.ephemeralContainers?.map(({ image, securityContext }) => [image, JSON.stringify(securityContext).includes('SYS_')])).toEqual(
      // It runs as nobody knows whom: a second container looks again as that user.
      spec.ephemeralContainers?.map(() => ['localhost/autodiagnose:1', false]),
    )
  })

  test('a pod whose owners want no container gets none, and its evidence is kept all the same', async () => {
    const diagnosis = await service.diagnose({ pod: `${namespace}/closed` })
    expect(diagnosis).toMatchObject({ outcome: 'refused', containers: [] })
    expect(diagnosis.refusal).toMatchObject({ code: 'policy', message: expect.stringContaining('autodiagnose.dev/opt-out says "true"') })
    expect((await getPod(namespace, 'closed')).spec.ephemeralContainers ?? []).toEqual([])
    const link = await service.call('GET', `/v1/diagnoses/${diagnosis.id}/bundle`)
    const bundle = await openBundle(await (await fetch(link.headers.get('location') ?? '')).arrayBuffer())
    expect(bundle.paths).toEqual(expect.arrayContaining([`cluster-resources/pods/${namespace}.json`, `cluster-resources/events/${namespace}.json`]))
    expect(bundle.text('execution-data/summary.txt')).toContain('opt-out')
  })

  test('a request names its own', async () => {
    const response = await service.call('POST', '/v1/diagnoses', { pod: `${namespace}/owned`, toolset: 'debug' })
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('Profile "general"') })
    const unknown = await service.call('POST', '/v1/diagnoses', { pod: `${namespace}/owned`, toolset: 'gpu' })
    expect(unknown.status).toBe(422)
    expect(await unknown.json()).toMatchObject({ errors: [{ field: 'toolset', message: 'unknown toolset; known are core, jvm, debug' }] })
    const core = await service.diagnose({ pod: `${namespace}/owned`, toolset: 'core', checks: ['resolv'] })
    expect(core).toMatchObject({ outcome: 'complete', toolset: 'core', containers: [{ image: 'localhost/autodiagnose:1' }] })
  })
})
