import { describe, expect, test } from 'vitest'
import { eventually } from '../app/setup.ts'
import { intakeWorld } from '../intake/intake-world.ts'

/** A promise that a test keeps. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { passed: promise, open: resolve }
}

describe('the housekeeper', () => {
  test('settles alerts while a tracker does not answer', async () => {
    const { passed, open } = gate()
    const world = await intakeWorld(
      {},
      {
        wrap: ({ trackers }) => ({
          trackers: new Map(
            [...trackers].map(([name, tracker]) => [name, { ...tracker, writeNote: (...given) => passed.then(() => tracker.writeNote(...given)) }]),
          ),
        }),
      },
    )
    await world.deliver([{}])
    await world.settle()
    await world.diagnose(world.real)
    await world.deliver([{ resolved: true }])
    world.clock.pass(301)
    world.settleWhenWoken()
    world.deps.wake()
    await world.deliver([{ pod: 'plum' }])
    await eventually('plum is settled', async () => (await world.alerts()).find(({ labels, state }) => labels.pod === 'plum' && state === 'settled'))
    expect((await world.issues()).flatMap(({ notes }) => notes)).toHaveLength(1)
    open()
    await world.done()
    expect((await world.issues()).flatMap(({ notes }) => notes)).toHaveLength(2)
  })

  test('tells reports while a cluster does not answer', async () => {
    const { passed, open } = gate()
    let isAway = false
    const world = await intakeWorld(
      {},
      {
        wrap: ({ clusters }) => ({
          clusters: new Map(
            [...clusters].map(([name, cluster]) => [
              name,
              { ...cluster, getPod: async (...given) => (isAway ? passed : Promise.resolve()).then(() => cluster.getPod(...given)) },
            ]),
          ),
        }),
      },
    )
    await world.fire({})
    await world.deliver([{ resolved: true }])
    isAway = true
    world.clock.pass(301)
    world.settleWhenWoken()
    await world.deliver([{ pod: 'plum' }])
    await eventually('it is told', async () => (await world.issues()).flatMap(({ notes }) => notes).length === 2)
    expect((await world.alerts()).map(({ state }) => state)).toEqual(['settled', 'received'])
    open()
    await world.done()
    expect((await world.alerts()).map(({ state }) => state)).toEqual(['settled', 'settled'])
  })

  test('does nothing, and waits for nothing, when the service is told to end', async () => {
    const stopping = new AbortController()
    const world = await intakeWorld({}, { wrap: () => ({ stopping: stopping.signal }) })
    await world.deliver([{}])
    stopping.abort()
    await world.settle()
    expect(await world.alerts()).toMatchObject([{ state: 'received' }])
  })
})
