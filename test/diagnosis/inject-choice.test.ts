import { describe, expect, test } from 'vitest'
import type { DiagnosisRequest } from '../../src/diagnosis/diagnosis.ts'
import type { Gathered } from '../../src/diagnosis/gathered.ts'
import { configOf, gathered, refusal, request, specOf } from './inject-world.ts'

describe('toolsets', () => {
  const toolsets = { jvm: { image: 'localhost/jvm:1' }, net: { image: 'localhost/net:1', profile: 'netadmin' as const } }
  const config = configOf({ diagnosis: { toolsets } })
  const planned = (asked: Partial<DiagnosisRequest>, chosen: Gathered['chosen'] = {}) => {
    const { image, securityContext } = specOf({ config, request: { ...request, ...asked }, gathered: { ...gathered, chosen } })
    return [image, (securityContext as { capabilities?: { add?: string[] } }).capabilities?.add?.join()]
  }

  test.each<[Partial<DiagnosisRequest>, Gathered['chosen'], string, string | undefined]>([
    [{}, {}, 'localhost/autodiagnose:1', undefined],
    [{ toolset: 'jvm' }, { toolset: 'net' }, 'localhost/jvm:1', undefined],
    [{}, { toolset: 'net' }, 'localhost/net:1', 'NET_ADMIN,NET_RAW'],
    [{ toolset: 'core' }, { toolset: 'net' }, 'localhost/autodiagnose:1', undefined],
    [{}, { toolset: 'net', profile: 'general' }, 'localhost/net:1', 'SYS_PTRACE'],
    [{ profile: 'restricted' }, { toolset: 'net', profile: 'general' }, 'localhost/net:1', undefined],
    [{}, { profile: 'netadmin' }, 'localhost/autodiagnose:1', 'NET_ADMIN,NET_RAW'],
  ])('the request comes before the pod: %j, %j', (asked, chosen, image, added) => {
    expect(planned(asked, chosen)).toEqual([image, added])
  })

  test('that are not configured any more are refused', () => {
    expect(refusal({ request: { ...request, toolset: 'jvm' } })).toMatchObject({ code: 'invalid', message: expect.stringContaining('"jvm"') })
  })
})

describe("the checks of a pod's owners", () => {
  const own = { ...request, checks: [{ name: 'their-check' }] }
  const pod = { ...gathered, checksVolume: true }
  const mounts = [{ name: 'autodiagnose-checks', mountPath: '/checks.d', readOnly: true }]

  test.each<[string, DiagnosisRequest, Gathered, unknown]>([
    ['are mounted', own, pod, mounts],
    ['are mounted for a root target', { ...own, profile: 'baseline' }, pod, mounts],
    ['are not mounted where only ours run', request, pod, undefined],
    ['are not mounted where the pod declares none', own, gathered, undefined],
    ['are not mounted under a profile above baseline', { ...own, profile: 'general' }, pod, undefined],
  ])('%s', (_, asked, known, expected) => {
    expect(specOf({ request: asked, gathered: known }).volumeMounts).toEqual(expected)
  })
})

describe('what the node and the pod have left', () => {
  test('is told to the runner, where it is known', () => {
    const headroom = { kind: 'known' as const, freeBytes: 40_000_000.5, limitBytes: 64_000_000, usedBytes: 24_000_000 }
    expect(specOf({ gathered: { ...gathered, headroom } }).args).toContain('--memory=40000000')
    expect(specOf().args.filter((arg) => arg.startsWith('--memory'))).toEqual([])
  })

  test('nothing is added to a node under pressure', () => {
    expect(refusal({ gathered: { ...gathered, nodePressure: 'Node "n1" is short of memory' } })).toEqual({
      code: 'node-pressure',
      message: expect.stringMatching(/^Node "n1" is short of memory: .*only the evidence/),
    })
  })
})
