import { describe, expect, test } from 'vitest'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import { boundDeclared } from '../../src/diagnosis/admit/policy.ts'
import { readAnnotations } from '../../src/diagnosis/gather/annotations.ts'
import type { Raw, RawPod } from '../../src/ports/cluster/cluster.ts'
import { captured, changed, gatherOf } from './gather-world.ts'

type Rule = Partial<NonNullable<ConfigInput['policy']>[number]>

describe('findings of real pods', () => {
  // What the first finding has to say, in one sentence.
  test.each([
    ['env-missing', 'error', /ended with exit code 1 again and again.*DATABASE_URL/],
    ['crashing', 'error', /ended with exit code 1 again and again, restarted \d+ times$/],
    ['init-fails', 'error', /^Init container migrate ended with exit code 3/],
    ['config-key-missing', 'error', /CreateContainerConfigError: couldn't find key databaseUrl in ConfigMap/],
    ['image-missing', 'error', /(?=.*image)(?=.*pull)(?=.*shop:2\.4\.1)/],
    ['unschedulable', 'error', /^The pod is on no node: 0\/1 nodes are available/],
    ['liveness-kills', 'error', /^Liveness probe of container shop \(GET :8080\/healthz\) failed: .*context deadline exceeded.*restarts it$/],
    ['readiness-404', 'error', /^Readiness probe of container shop \(GET :8080\/ready\) failed: HTTP probe failed with statuscode: 404/],
    ['listens-localhost', 'error', /^Readiness probe of container shop \(.*\) failed: .*connection refused/],
    ['oom-killed', 'error', /^Container shop was OOM-killed, its memory limit is 64Mi, restarted once$/],
    ['memory-near-limit', 'error', /^Memory of container shop is at 9\d % of its limit: [\d.]+ of 64 MiB$/],
    ['target-port', 'info', /speaks of trouble: .*http:\/\/stock:8080\/.*connection refused$/],
  ])('%s', async (name, severity, sentence) => {
    const { gathered } = await gatherOf(captured(name))
    expect(gathered.findings[0]).toMatchObject({ severity, title: expect.stringMatching(sentence), source: 'evidence' })
  })

  test.each(['healthy-web', 'healthy-worker', 'healthy-busy', 'completed', 'sidecar'])('none of %s', async (name) => {
    expect((await gatherOf(captured(name))).gathered.findings).toEqual([])
  })

  test('an end that is long past is history, unless for lack of memory', async () => {
    const later = (name: string, hours: number) => {
      const world = captured(name)
      return gatherOf({ ...world, now: new Date(Date.parse(world.now) + hours * 3_600_000).toISOString() })
    }
    expect((await later('liveness-kills', 2)).gathered.findings).toEqual([])
    expect((await later('oom-killed', 2)).gathered.findings[0]?.severity).toBe('error')
    expect((await later('oom-killed', 48)).gathered.findings[0]?.severity).toBe('warn')
  })

  test('warnings of events, in their words', async () => {
    const world = captured('healthy-web')
    const warning = (reason: string, message: string, at: string): Raw => ({
      type: 'Warning',
      reason,
      message,
      lastTimestamp: at,
      involvedObject: {},
    })
    const events = {
      items: [
        warning('FailedMount', 'MountVolume.SetUp failed for volume "data": secret "tls" not found.', world.now),
        warning('NodeNotReady', 'Node is not ready', '2020-01-01T00:00:00Z'),
        { ...warning('FailedKillPod', 'ours', world.now), involvedObject: { fieldPath: 'spec.ephemeralContainers{ad-1}' } },
      ],
    }
    const { findings } = (await gatherOf({ ...world, events })).gathered
    expect(findings.map(({ id, title }) => [id, title])).toEqual([
      ['event/FailedMount', 'FailedMount: MountVolume.SetUp failed for volume "data": secret "tls" not found'],
    ])
  })
})

describe('annotations', () => {
  test.each<[string, Rule[], string, string]>([
    ['default', [{ checks: ['default'] }], '', 'dump http=http://stock:1/ cgroup=/x tcp=db:5432'],
    ['a URL', [{ checks: ['default', 'http=http://stock:*/*'] }], 'http=http://stock:1/', 'dump cgroup=/x tcp=db:5432'],
    ['another rule', [{ checks: ['default'] }, { checks: ['tcp', 'cgroup'] }], 'cgroup=/x tcp=db:5432', 'dump http=http://stock:1/'],
    ['a rule of another namespace', [{ checks: ['default'] }, { namespaces: ['shop'] }], '', 'dump http=http://stock:1/ cgroup=/x tcp=db:5432'],
    ['a rule of another profile', [{ checks: ['default'] }, { profiles: ['baseline'] }], '', 'dump http=http://stock:1/ cgroup=/x tcp=db:5432'],
    ['everything', [{}], 'dump http=http://stock:1/ cgroup=/x tcp=db:5432', ''],
  ])('choose inside of what policy allows the requester: %s', (_, rules, used, dropped) => {
    const policy = configSchema.shape.policy.parse(rules.map((rule) => ({ principals: ['ann'], namespaces: ['prod'], ...rule })))
    const request = { requester: 'ann', cluster: 'main', target: { namespace: 'prod' }, profile: 'auto' as const, checks: [] }
    const diagnosis = configSchema.shape.diagnosis.parse({ extraChecks: ['dump'] })
    const declared = 'dump processes http=http://stock:1/ cgroup=/x tcp=db:5432'
    const pod = { metadata: { annotations: { 'autodiagnose.dev/checks': declared } } } as unknown as RawPod
    const { checks, findings } = readAnnotations(pod, request, { diagnosis }, boundDeclared(policy, request))
    expect(checks.map(({ name, param }) => (param === undefined ? name : `${name}=${param}`)).join(' ')).toBe(used)
    expect(findings.map(({ severity, title }) => [severity, title])).toEqual(
      dropped
        .split(' ')
        .flatMap((entry) => (entry === '' ? [] : [['info', `The annotation autodiagnose.dev/checks of the pod has what is not used: "${entry}"`]])),
    )
    for (const { next } of findings) expect(next).toMatch(/^policy allows "ann" "default".* in namespace "prod": /)
  })

  test('that policy keeps out leave what the service finds by itself', async () => {
    const world = changed(captured('healthy-web'), { metadata: { annotations: { 'autodiagnose.dev/checks': 'dns=elsewhere' } } })
    const free = await gatherOf(world)
    const bound = await gatherOf(world, { bounds: { check: () => 'policy allows nothing' } })
    expect(free.gathered.hints).toEqual([{ name: 'dns', param: 'elsewhere' }, ...bound.gathered.hints])
    expect(bound.gathered.findings).toMatchObject([{ severity: 'info', next: 'policy allows nothing' }])
  })

  const annotated = (checks: string, more: object = {}) =>
    gatherOf(changed(captured('healthy-web'), { metadata: { annotations: { 'autodiagnose.dev/checks': checks, ...more } } }))

  test('declare checks, before those that are found', async () => {
    const { gathered } = await annotated('http=http://cart:80/x?token=1, tcp=db:5432\ndns=db.shop cgroup=/data processes')
    expect(gathered.hints.filter(({ param = '' }) => !param.includes('stock'))).toEqual([
      { name: 'dns', param: 'db.shop' },
      { name: 'http', param: 'http://cart/x' },
      { name: 'tcp', param: 'db:5432' },
      { name: 'cgroup', param: '/data' },
      { name: 'listening', param: '8080' },
    ])
    expect(gathered.findings).toEqual([])
  })

  test.each([
    'https=x',
    'http',
    'http=ftp://a',
    'http=http://169.254.169.254/latest',
    'tcp=169.254.169.254:80',
    'tcp=[fd00:ec2::23]:80',
    'dns=metadata.google.internal',
    'tcp=db',
    'dns=a/b',
    'cgroup=\u0007',
    'disk=/data',
    'nonsense',
  ])('that are wrong are told and not used: %s', async (entry) => {
    const { gathered } = await annotated(entry)
    expect(gathered.findings).toMatchObject([
      { severity: 'info', title: `The annotation autodiagnose.dev/checks of the pod has what is not used: "${entry}"` },
    ])
    expect(gathered.hints.filter(({ name }) => entry.startsWith(`${name}=`) && name !== 'dns' && name !== 'http')).toEqual([])
  })

  const toolsets = { jvm: { image: 'localhost/jvm:1' }, net: { image: 'localhost/net:1', profile: 'netadmin' as const } }
  const choosing = (annotations: object, more: object = {}) =>
    gatherOf(changed(captured('healthy-web'), { metadata: { annotations } }), { diagnosis: { toolsets }, ...more })

  test.each<[object, object, object]>([
    [{ 'autodiagnose.dev/toolset': 'jvm' }, {}, { toolset: 'jvm' }],
    [{ 'autodiagnose.dev/toolset': 'net', 'autodiagnose.dev/profile': 'baseline' }, {}, { toolset: 'net', profile: 'baseline' }],
    [{ 'autodiagnose.dev/toolset': 'jvm', 'autodiagnose.dev/profile': 'general' }, { toolset: 'net', profile: 'restricted' }, {}],
    [{ 'autodiagnose.dev/toolset': 'core' }, {}, { toolset: 'core' }],
  ])('choose toolset and profile where the request names none: %j for %j', async (annotations, request, chosen) => {
    const { gathered } = await choosing(annotations, { request })
    expect([gathered.chosen ?? {}, gathered.findings]).toEqual([chosen, []])
  })

  test.each([
    [{ 'autodiagnose.dev/toolset': 'gpu' }, 'toolset', 'gpu', 'toolsets are core, jvm, net'],
    [{ 'autodiagnose.dev/profile': 'root' }, 'profile', 'root', 'profiles are auto, restricted'],
  ])('that choose what there is not are told and change nothing: %j', async (annotations, name, value, next) => {
    const { gathered } = await choosing(annotations)
    expect(gathered.chosen).toBeUndefined()
    expect(gathered.findings).toMatchObject([
      {
        severity: 'info',
        title: `The annotation autodiagnose.dev/${name} of the pod has what is not used: "${value}"`,
        next: expect.stringContaining(next),
      },
    ])
  })

  test('choose no toolset whose profile policy does not allow', async () => {
    const asked: string[][] = []
    const use = (...both: string[]) => {
      asked.push(both)
      return both[1] === 'netadmin' ? 'not netadmin' : undefined
    }
    const { gathered } = await choosing({ 'autodiagnose.dev/toolset': 'net' }, { bounds: { use } })
    expect([asked, gathered.chosen]).toEqual([[['net', 'netadmin']], undefined])
    expect(gathered.findings).toMatchObject([{ next: 'not netadmin' }])
  })

  test('that hold a password are not used without it', async () => {
    const { gathered } = await annotated('http=http://user:made-up@cart/')
    expect(gathered.findings).toMatchObject([{ severity: 'info', next: expect.stringContaining('must not hold a user or password') }])
    expect(JSON.stringify(gathered)).not.toContain('made-up')
  })

  test('that are unknown are told', async () => {
    expect((await annotated('', { 'autodiagnose.dev/check': 'x' })).gathered.findings).toMatchObject([
      { next: expect.stringContaining('autodiagnose.dev/checks') },
    ])
  })
})
