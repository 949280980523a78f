import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { add, hasEnded, isRunning, probeEmulator } from './emulator-probe.ts'

type Probe = Awaited<ReturnType<typeof probeEmulator>>
let probe: Probe
const ask: Probe['ask'] = (...args) => probe.ask(...args)
const patch: Probe['patch'] = (...args) => probe.patch(...args)

beforeAll(async () => {
  probe = await probeEmulator()
})
afterAll(() => probe.close())

describe('words of a real API server', () => {
  beforeAll(async () => {
    probe.run('apples', 'exec sleep 60')
    await probe.until('apples', isRunning)
    await patch('apples', add({ name: 'd1', image: 'localhost/shell:1', args: ['echo done'], targetContainerName: 'app' }))
    await probe.until('apples', hasEnded('d1'))
  })

  const invalidPod = (rest: string) => `Pod "apples" is invalid: ${rest}`
  // Recorded from v1.34.4.
  it.each<[string, () => Promise<Response>, number, string]>([
    ['pod that is not there', () => ask('/nope'), 404, 'pods "nope" not found'],
    ['log of a pod that is not there', () => ask('/nope/log'), 404, 'pods "nope" not found'],
    ['unknown path', () => ask('http://x/api/v1/nope'), 404, 'the server could not find the requested resource'],
    ['unknown subresource', () => ask('/apples/nope'), 404, 'the server could not find the requested resource'],
    ['field selector', () => ask('?fieldSelector=foo%3Dbar'), 400, 'field label not supported: foo'],
    ['log of an unknown container', () => ask('/apples/log?container=nope'), 400, 'container nope is not valid for pod apples'],
    ['previous log', () => ask('/apples/log?previous=true'), 400, 'previous terminated container "app" in pod "apples" not found'],
    [
      'negative tailLines',
      () => ask('/apples/log?tailLines=-1'),
      422,
      'PodLogOptions "apples" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
    ['tailLines of letters', () => ask('/apples/log?tailLines=x'), 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      'limitBytes 0',
      () => ask('/apples/log?limitBytes=0'),
      422,
      'PodLogOptions "apples" is invalid: limitBytes: Invalid value: 0: must be greater than 0',
    ],
    [
      'sinceTime of letters',
      () => ask('/apples/log?sinceTime=x'),
      400,
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ],
    ['another content type', () => patch('apples', add(), { type: 'application/x-foo' }), 415, '415: Unsupported Media Type'],
    ['another uid', () => patch('apples', { metadata: { uid: 'x' } }), 422, invalidPod('metadata.uid: Invalid value: "x": field is immutable')],
    ['no image', () => patch('apples', add({ name: 'x' })), 422, invalidPod('spec.ephemeralContainers[0].image: Required value')],
    [
      'name of a container',
      () => patch('apples', add({ name: 'app', image: 'x' })),
      422,
      invalidPod('spec.ephemeralContainers[0].name: Duplicate value: "app"'),
    ],
    [
      'unknown target',
      () => patch('apples', add({ name: 'x', image: 'x', targetContainerName: 'no' })),
      422,
      invalidPod('spec.ephemeralContainers[0].targetContainerName: Not found: "no"'),
    ],
    [
      'ports',
      () => patch('apples', add({ name: 'x', image: 'x', ports: [{ containerPort: 1 }] })),
      422,
      invalidPod('spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container'),
    ],
    [
      'unknown dryRun',
      () => ask('/apples/ephemeralcontainers?dryRun=Foo', { method: 'PATCH' }),
      422,
      'PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Foo"]: supported values: "All"',
    ],
    ['patch of a pod that is not there', () => patch('nope', add()), 404, 'pods "nope" not found'],
    ['deployment that is not there', () => ask('http://x/apis/apps/v1/namespaces/probe/deployments/none'), 404, 'deployments.apps "none" not found'],
  ])('%s', async (_, request, code, message) => {
    const response = await request()
    expect([response.status, await response.json()]).toEqual([code, expect.objectContaining({ kind: 'Status', status: 'Failure', message, code })])
  })

  it('other spec under the same name', async () => {
    const answer = await (await patch('apples', add({ name: 'd1', image: 'other' }))).json()
    expect(answer).toMatchObject({
      reason: 'Invalid',
      code: 422,
      details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec.ephemeralContainers' }] },
    })
    expect(answer.message).toMatch(
      /^Pod "apples" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "d1" may not be changed\n/,
    )
  })

  it('the same patch again changes nothing', async () => {
    const before = await probe.read('apples')
    const same = { name: 'd1', image: 'localhost/shell:1', args: ['echo done'], targetContainerName: 'app' }
    const answer = await patch('apples', { metadata: { uid: before.metadata.uid }, ...add(same) })
    expect([answer.status, await answer.json()]).toEqual([200, before])
  })

  it('a dry run tells what it would do and does not', async () => {
    const before = await probe.read('apples')
    const answer = (await (await patch('apples', add({ name: 'dry', image: 'x' }), { query: '?dryRun=All' })).json()) as RawPod
    expect(answer.spec.ephemeralContainers?.map(({ name }) => name)).toEqual(['dry', 'd1'])
    expect(await probe.read('apples')).toEqual(before)
  })

  it('a static pod takes no ephemeral container', async () => {
    probe.emulator.createPod('probe', {
      metadata: { name: 'mirror', annotations: { 'kubernetes.io/config.mirror': 'x' } },
      spec: { containers: [{ name: 'app', image: 'localhost/shell:1', args: ['exec sleep 60'] }] },
    })
    const { message } = await (await patch('mirror', add({ name: 'x', image: 'x' }))).json()
    expect(message).toBe('Pod "mirror" is invalid: []: Forbidden: static pods do not support ephemeral containers')
  })

  it('a watch from too long ago gets a 410 in its stream', async () => {
    const response = await ask('?watch=1&resourceVersion=1')
    const { type, object } = JSON.parse(await response.text())
    expect([response.status, type, object.reason, object.code]).toEqual([200, 'ERROR', 'Expired', 410])
  })
})
