import { describe, expect, test } from 'vitest'
import type { Deps } from '../../src/deps.ts'
import { type Cluster, ClusterUnavailable } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import type { Tracker } from '../../src/ports/tracker/tracker.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { apple } from './alerts.ts'
import { intakeWorld } from './intake-world.ts'

/** A second cluster, and how often it was asked. */
function withDeadCluster() {
  let asked = 0
  const transport = async (): Promise<Response> => {
    asked++
    throw new Error('no route to host')
  }
  const dead = kubernetesCluster({ name: 'dead', transport, clock: wallClock })
  return { asked: () => asked, wrap: ({ clusters }: Deps): Partial<Deps> => ({ clusters: new Map([...clusters, ['dead', dead]]) }) }
}

const clusters = { main: { inCluster: true }, dead: { inCluster: true } } as const

describe('a cluster that does not answer', () => {
  test('is asked once a minute, however many alerts wait for it', async () => {
    const { asked, wrap } = withDeadCluster()
    const world = await intakeWorld({ clusters }, { wrap })
    await world.deliver(Array.from({ length: 30 }, (_, at) => ({ pod: `gone-${at}`, labels: { cluster: 'dead' } })))
    await world.deliver([{ pod: apple(1), labels: { cluster: 'main' } }])
    await world.settle()
    const once = asked()
    expect(once).toBeLessThanOrEqual(2)
    expect((await world.alerts()).filter(({ state }) => state === 'settled')).toMatchObject([{ cluster: 'main', outcome: 'diagnosed' }])
    await world.pass(30)
    expect(asked()).toBe(once)
    await world.pass(61)
    expect(asked()).toBe(2 * once)
  })

  test('to one question only is asked the others', async () => {
    const world = await intakeWorld(
      {},
      {
        wrap: ({ clusters }) => ({
          clusters: new Map(
            [...clusters].map(([name, cluster]): [string, Cluster] => [
              name,
              {
                ...cluster,
                getPod: (pod, signal) =>
                  pod.name === 'plum' ? Promise.reject(new ClusterUnavailable('Cannot read pod "fruit/plum"')) : cluster.getPod(pod, signal),
              },
            ]),
          ),
        }),
      },
    )
    await world.deliver([{ pod: 'plum' }, { pod: apple(1) }])
    await world.settle()
    const found = (await world.alerts()).map(({ labels, state }) => [labels.pod, state])
    expect(found.toSorted()).toEqual([
      [apple(1), 'settled'],
      ['plum', 'received'],
    ])
  })
})

test('a note that a tracker takes its time for holds up no other', async () => {
  const { promise: toldOthers, resolve } = Promise.withResolvers<void>()
  let others = 0
  const world = await intakeWorld(
    {},
    {
      wrap: ({ trackers }) => ({
        trackers: new Map(
          [...trackers].map(([name, tracker]): [string, Tracker] => [
            name,
            {
              ...tracker,
              async writeNote(key, note, options) {
                if (note.headline === 'Resolved: CrashLooping of deployment fruit/apples') await toldOthers
                const written = await tracker.writeNote(key, note, options)
                if (note.headline.startsWith('Resolved') && ++others === 2) resolve()
                return written
              },
            },
          ]),
        ),
      }),
    },
  )
  const pods = [apple(1), 'plum', 'pears-6d4cf56db6-1']
  await world.fire(...pods.map((pod) => ({ pod })))
  await world.fire({ pod: apple(1), resolved: true })
  await world.fire(...pods.map((pod) => ({ pod, resolved: true })))
  await world.pass(301)
  const headlines = (await world.issues()).flatMap(({ notes }) => notes.map(({ headline }) => headline))
  expect(headlines.filter((headline) => headline.startsWith('Resolved'))).toHaveLength(3)
})
