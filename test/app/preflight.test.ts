import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { platform } from '#platform'
import type { ConfigInput } from '../../src/config.ts'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import { type Cluster, ClusterForbidden, ClusterUnavailable, type RawPod } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import type { OpenEmulator } from '../platform/platform.ts'
import { form, json, problemOf, realClock, type Setup, setUp } from './setup.ts'

const pod = `${demoPod.namespace}/${demoPod.name}`
const policy = [{ principals: ['alice'], namespaces: ['demo'] }]
let emulator: OpenEmulator
let cluster: Cluster

beforeAll(async () => {
  emulator = await platform.openEmulator()
  cluster = kubernetesCluster({ name: 'main', transport: emulator.transport, clock: realClock })
})
afterAll(() => emulator?.close())

const withCluster = (over: Partial<Cluster> = {}): Promise<Setup> => setUp({ policy }, { clusters: new Map([['main', { ...cluster, ...over }]]) })

async function podNow(): Promise<RawPod> {
  const found = await cluster.getPod(demoPod, AbortSignal.timeout(5000))
  if (!found) throw new Error('The demo has no such pod')
  return found
}

describe('POST /v1/preflight', () => {
  it('tells what would be added, and adds nothing', async () => {
    const { ask, deps, runs } = await withCluster()
    const response = await ask('/v1/preflight', form(`pod=${pod}&checks=dns=prices`))
    expect(response.status).toBe(200)
    const body = (await response.json()) as { ok: boolean; container: { name: string; args: string[] } }
    expect(body).toMatchObject({ ok: true, checks: [{ name: 'dns', param: 'prices' }], container: { name: expect.stringMatching(/^ad-.*-1$/) } })
    expect(body.container.args).toContain('dns=prices')
    expect((await podNow()).spec.ephemeralContainers ?? []).toEqual([])
    expect(await deps.records.list({}, { limit: 10 })).toEqual([])
    expect(runs.started).toEqual([])
  })

  it('tells which healthy replica would be looked at, or why there is none', async () => {
    const of = (name: string): RawPod => {
      const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'storefront', uid: 'u', controller: true }
      return {
        ...now,
        metadata: { ...now.metadata, name, uid: name === demoPod.name ? now.metadata.uid : name, labels: { app: 'x' }, ownerReferences: [owner] },
      }
    }
    const now = await podNow()
    const getPod: Cluster['getPod'] = async ({ name }) => of(name)
    const listPods = vi.fn<Cluster['listPods']>(async () => [of(demoPod.name), of('storefront-1')])
    const { ask } = await withCluster({
      getPod,
      listPods,
      podMetrics: (_, signal) => cluster.podMetrics(demoPod, signal),
      addEphemeralContainer: async () => ({ kind: 'added' }),
    })
    const answer = await (await ask('/v1/preflight', json({ pod, compare: true, checks: ['resolv'] }))).json()
    expect(answer).toMatchObject({ ok: true, twin: { ok: true, pod: 'storefront-1' } })
    expect(listPods.mock.calls[0]?.slice(0, 2)).toEqual(['demo', 'app=x'])
    listPods.mockResolvedValue([of(demoPod.name)])
    const alone = await (await ask('/v1/preflight', form(`pod=${pod}&compare=true&checks=resolv`))).json()
    expect(alone).toMatchObject({ ok: true, twin: { ok: false, explanation: 'The statefulset "storefront" has no other pod to compare with' } })
    expect(await (await ask('/v1/preflight', json({ pod, compare: false }))).json()).not.toHaveProperty('twin')
    expect((await ask('/v1/preflight', form(`pod=${pod}&compare=maybe`))).status).toBe(422)
  })

  it.each([
    ['a pod that there is not', { pod: 'demo/nothing-0' }, 'pod-not-found'],
    ['a container that there is not', { pod, container: 'nothing' }, 'container-not-found'],
  ])('names the reason for %s', async (_, body, code) => {
    const { ask } = await withCluster()
    const response = await ask('/v1/preflight', json(body))
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ ok: false, refusal: { code, message: expect.stringContaining('nothing') } })
  })

  it('knows who has the pod, and who its target runs as, as a diagnosis would', async () => {
    const now = await podNow()
    const imageID = `sha256:${'d'.repeat(64)}`
    const statuses = now.status.containerStatuses?.map(({ user: _, ...status }) => ({ ...status, imageID }))
    const unknown = { ...now, spec: { ...now.spec, securityContext: {} }, status: { ...now.status, containerStatuses: statuses } } as RawPod
    const containers = unknown.spec.containers.map(({ securityContext: _, ...container }) => container)
    const { ask, deps } = await withCluster({ getPod: async () => ({ ...unknown, spec: { ...unknown.spec, containers } }) })
    const preflight = async () => (await (await ask('/v1/preflight', json({ pod }))).json()) as { warnings: string[]; container: object }
    expect((await preflight()).warnings).toContainEqual(expect.stringContaining('is not known from the API'))

    const command = new TextEncoder().encode(JSON.stringify(containers[0]?.command ?? null))
    const digest = bytesToHex(sha256(command))
    await deps.records.setValue(`ids:${imageID} - - ${digest}`, { uid: 4711, gid: 42 })
    const knowing = await preflight()
    expect(knowing).toMatchObject({ ok: true, container: { securityContext: { runAsUser: 4711, runAsGroup: 42 } } })
    expect(knowing.warnings).not.toContainEqual(expect.stringContaining('is not known from the API'))

    await deps.records.setValue(`pod:main/${now.metadata.uid}`, { id: 'ad-other', until: deps.clock.now() + 60_000 })
    expect(await preflight()).toMatchObject({ ok: false, refusal: { code: 'busy', message: expect.stringContaining('ad-other') } })
  })

  it('hides a secret in the words of the API server', async () => {
    const { ask } = await withCluster({ getPod: () => Promise.reject(new ClusterForbidden('denied, password=hunter2')) })
    expect(await (await ask('/v1/preflight', json({ pod }))).json()).toMatchObject({
      refusal: { code: 'rbac', message: expect.stringMatching(/^denied, password=\*\*\*HIDDEN\*\*\*/) },
    })
  })

  it('says when injection is paused', async () => {
    const setup = await withCluster()
    await setup.deps.records.setValue('injection', { paused: true, harmed: [] })
    expect(await (await setup.ask('/v1/preflight', json({ pod }))).json()).toMatchObject({ ok: false, refusal: { code: 'paused' } })
  })

  it('warns where no admission policy bounds the service, and is refused where one is required', async () => {
    const body = json({ pod, checks: ['dns=prices'] })
    const missing = expect.stringContaining('No admission policy bounds this service in namespace "demo"')
    const ask = async (diagnosis: ConfigInput['diagnosis'], over: Partial<Cluster> = {}) => {
      const setup = await setUp({ policy, diagnosis }, { clusters: new Map([['main', { ...cluster, ...over }]]) })
      return (await setup.ask('/v1/preflight', body)).json()
    }
    expect(await ask({})).toMatchObject({ ok: true, warnings: expect.arrayContaining([missing]) })
    expect(await ask({ admissionPolicy: 'required' })).toMatchObject({ ok: false, refusal: { code: 'admission', message: missing } })
    const bounded: Cluster['addEphemeralContainer'] = async (_ref, _uid, { image, command }) =>
      image === 'localhost/autodiagnose:1' && !command ? { kind: 'added' } : { kind: 'refused', code: 'admission', message: 'denied' }
    const answer = await ask({ admissionPolicy: 'required' }, { addEphemeralContainer: bounded })
    expect(answer).toMatchObject({ ok: true, warnings: expect.not.arrayContaining([missing]) })
  })

  it('is checked and admitted like a diagnosis', async () => {
    const { ask } = await withCluster()
    expect((await ask('/v1/preflight', json({}))).status).toBe(422)
    expect((await ask('/v1/preflight', json({ pod: 'bank/teller-0' }))).status).toBe(403)
    expect((await ask('/v1/preflight', { ...json({ pod }), as: 'bob' })).status).toBe(403)
  })

  it('answers 503 while the cluster cannot be reached, without its inner words', async () => {
    const { ask } = await withCluster({ getPod: () => Promise.reject(new ClusterUnavailable('connect ECONNREFUSED 10.0.0.1:6443')) })
    const response = await ask('/v1/preflight', json({ pod }))
    const problem = await problemOf(response)
    expect([problem.status, response.headers.get('retry-after')]).toEqual([503, '10'])
    expect(problem.detail).not.toContain('10.0.0.1')
  })
})
