import { describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { readWords, typedContainers } from '../../src/diagnosis/accept/typed-container.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import type { RawContainer, RawContainerState, RawPod } from '../../src/ports/cluster/cluster.ts'

const digest = `sha256:${'a'.repeat(64)}`
const other = `sha256:${'b'.repeat(64)}`
const startedAt = '2026-11-27T10:00:00Z'
const running: RawContainerState = { running: { startedAt } }

const podWith = (container: Partial<RawContainer>, state: RawContainerState | undefined = running, imageID?: string): RawPod => {
  const whole = { name: 'debugger-abcde', image: 'registry.example/autodiagnose:1', ...container }
  return {
    metadata: { name: 'cart', namespace: 'shop', uid: 'u' },
    spec: { containers: [{ name: 'app' }], ephemeralContainers: [whole] },
    status: { ephemeralContainerStatuses: [{ name: whole.name, ...(state ? { state } : {}), ...(imageID ? { imageID } : {}) }] },
  }
}
const configured = (image: string, toolsets = {}) => configSchema.shape.diagnosis.parse({ image, toolsets })
const core = configured('registry.example/autodiagnose:1')

describe('typedContainers', () => {
  test('tells what was typed', () => {
    const securityContext = { runAsUser: 1000, runAsGroup: 7 }
    const pod = podWith({ args: ['--report=redmine:12', 'dns=x'], command: ['/autodiagnose'], targetContainerName: 'app', securityContext })
    expect(typedContainers(pod, core)).toEqual([
      {
        name: 'debugger-abcde',
        image: 'registry.example/autodiagnose:1',
        target: 'app',
        profile: 'baseline',
        ids: { uid: 1000, gid: 7 },
        words: ['/autodiagnose', '--report=redmine:12', 'dns=x'],
        at: Date.parse(startedAt),
      },
    ])
  })

  test.each([
    ['its tag', 'registry.example/autodiagnose:1', 'registry.example/autodiagnose:1', undefined, true],
    ['another tag', 'registry.example/autodiagnose:1', 'registry.example/autodiagnose:2', undefined, false],
    ['no tag, which is latest', 'registry.example/autodiagnose:latest', 'registry.example/autodiagnose', undefined, true],
    ['the port of a registry, which is no tag', 'registry.example:5000/autodiagnose', 'registry.example:5000/autodiagnose', undefined, true],
    ['another registry', 'registry.example/autodiagnose:1', 'evil.example/autodiagnose:1', undefined, false],
    ['a name that only begins so', 'registry.example/autodiagnose:1', 'registry.example/autodiagnose-x:1', undefined, false],
    ['its digest', `registry.example/autodiagnose@${digest}`, `registry.example/autodiagnose@${digest}`, undefined, true],
    ['another digest', `registry.example/autodiagnose@${digest}`, `registry.example/autodiagnose@${other}`, undefined, false],
    ['a tag that is that digest', `registry.example/autodiagnose@${digest}`, 'registry.example/autodiagnose:1', `x@${digest}`, true],
    ['a tag that is another digest', `registry.example/autodiagnose@${digest}`, 'registry.example/autodiagnose:1', `x@${other}`, false],
    ['a tag of which nothing is known', `registry.example/autodiagnose@${digest}`, 'registry.example/autodiagnose:1', undefined, false],
  ])('knows an image by %s', (_, image, typed, imageId, isOurs) => {
    expect(typedContainers(podWith({ image: typed }, running, imageId), configured(image))).toHaveLength(isOurs ? 1 : 0)
  })

  test('names the toolset whose image it is', () => {
    const diagnosis = configured('registry.example/autodiagnose:1', { net: { image: 'registry.example/autodiagnose-net:1' } })
    expect(typedContainers(podWith({ image: 'registry.example/autodiagnose-net:1' }), diagnosis)).toMatchObject([{ toolset: 'net' }])
  })

  test('leaves out what a service added, and what has not begun', () => {
    expect(typedContainers(podWith({ name: 'ad-0123456789abcdefghjk-1' }), core)).toEqual([])
    expect(typedContainers(podWith({}, { waiting: { reason: 'ImagePullBackOff' } }), core)).toEqual([])
    expect(typedContainers(podWith({}, { terminated: { exitCode: 128, finishedAt: startedAt } }), core)).toHaveLength(1)
  })

  const drop = { drop: ['ALL'] }
  test.each([
    ['baseline', {}],
    ['restricted', { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: drop }],
    ['baseline', { runAsNonRoot: true, capabilities: drop }],
    ['general', { capabilities: { add: ['SYS_PTRACE'] } }],
    ['netadmin', { capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } }],
    ['sysadmin', { capabilities: { add: ['SYS_PTRACE', 'NET_ADMIN'] } }],
    ['sysadmin', { capabilities: { add: ['CAP_SYS_ADMIN'] } }],
    ['sysadmin', { privileged: true, capabilities: drop }],
  ])('calls by the name %s what has %j', (profile, securityContext) => {
    expect(typedContainers(podWith({ securityContext }), core)).toMatchObject([{ profile }])
  })
})

describe('readWords', () => {
  const trackers = new Map([
    ['redmine', { keyOfUrl: () => undefined, complainAboutKey: (key: string) => (/^\d+$/.test(key) ? undefined : 'expected a number') }],
  ])
  const read = (...words: string[]) => readWords(words, { extraChecks: ['mine'], trackers, redactor: makeRedactor() })

  test('takes checks and the last report, and leaves the rest to the program', () => {
    expect(read('/autodiagnose', '--no-target', '--report=redmine:1', 'dns=cart.shop', 'mine', 'nonsense', '--report=redmine:12')).toEqual({
      checks: [{ name: 'dns', param: 'cart.shop' }, { name: 'mine' }],
      report: { tracker: 'redmine', key: '12' },
    })
    expect(read('sh', '-c', 'sleep 1')).toEqual({ checks: [] })
  })

  test('tells what is wrong with a report', () => {
    expect(read('--report=redmine:x')).toEqual({ checks: [], problem: 'Report "redmine:x": expected a number' })
    expect(read('--report=12').problem).toContain('expected tracker:key')
  })

  test('keeps no secret of a parameter', () => {
    expect(JSON.stringify(read('http=http://h/?token=hunter2hunter2'))).not.toContain('hunter2')
  })
})
