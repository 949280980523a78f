import { describe, expect, test } from 'vitest'
import type { Deps } from '../../src/deps.ts'
import type { Cluster, Raw } from '../../src/ports/cluster/cluster.ts'
import { apple } from './alerts.ts'
import { intakeWorld } from './intake-world.ts'

const hash = { 'pod-template-hash': '57bcf49487' }
const workloads: Readonly<Record<string, Raw>> = {
  'deployment/apples': { metadata: {}, spec: { selector: { matchLabels: hash } } },
  'service/front': { metadata: {}, spec: { selector: hash } },
}

/** The emulator has pods only; what makes and selects them is told here. */
const wrap = ({ clusters }: Deps): Partial<Deps> => ({
  clusters: new Map(
    [...clusters].map(([name, cluster]): [string, Cluster] => [
      name,
      { ...cluster, getWorkload: async (_, kind, workload) => workloads[`${kind}/${workload}`] },
    ]),
  ),
})
const deployment = { pod: null, labels: { namespace: 'fruit', deployment: 'apples' } }
const service = { pod: null, labels: { namespace: 'fruit', service: 'front' } }

describe('alerts about a workload', () => {
  test('are about its least healthy pod, for which the cooldown counts', async () => {
    const world = await intakeWorld({}, { wrap })
    await world.fire({ ...deployment, name: 'Unavailable' })
    const [first] = await world.alerts()
    expect(first).toMatchObject({ outcome: 'diagnosed', workload: 'deployment/apples', pod: expect.stringMatching(/^apples-/) })
    expect((await world.diagnoses())[0]?.pod?.name).toBe(first?.pod)
    await world.fire({ ...deployment, name: 'RolloutStuck' })
    await world.fire({ name: 'CrashLooping', pod: first?.pod ?? '' })
    expect((await world.alerts()).slice(1)).toMatchObject([{ suppression: 'pod-cooldown' }, { suppression: 'pod-cooldown' }])
  })

  test('and about a service of its pods are counted together', async () => {
    const world = await intakeWorld({ intake: { podCooldownSeconds: 0, podsPerWorkload: 2 } }, { wrap })
    await world.fire({ ...service, name: 'Errors' })
    const [first] = await world.alerts()
    const [second = '', third = ''] = [1, 2, 3].map(apple).filter((name) => name !== first?.pod)
    await world.fire({ name: 'CrashLooping', pod: second })
    await world.fire({ name: 'NotReady', pod: third })
    expect((await world.alerts()).map(({ workload }) => workload)).toEqual(Array(3).fill('deployment/apples'))
    expect((await world.alerts()).at(-1)).toMatchObject({ suppression: 'workload-limit' })
  })
})
