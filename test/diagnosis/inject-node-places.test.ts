import { describe, expect, test } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { leavePlace, takePlace } from '../../src/diagnosis/inject/node-places.ts'
import type { Records } from '../../src/ports/records/records.ts'

/** Two places on each node, and time that passes by sleeping alone. */
function world() {
  const values = new Map<string, unknown>()
  let now = 1_000_000
  const { harm } = configSchema.parse({
    publicUrl: 'https://d.example',
    clusters: { main: { inCluster: true } },
    store: { kind: 'files', directory: 'x' },
    harm: { perNode: 2 },
  })
  const records = {
    changeValue: async (key: string, change: (before: unknown) => unknown) => {
      const after = change(values.get(key))
      values.set(key, after)
      return after
    },
  } as unknown as Records
  const sleep = async (ms: number) => {
    now += ms
  }
  const clock = { now: () => now, sleep }
  const deps = { records, clock, config: { harm } as never }
  const { signal } = new AbortController()
  const take = (id: string, node = 'n1', until = now + 3_600_000) => takePlace({ cluster: 'main', node, id, until }, deps, signal)
  const takeNowhere = (id: string) => takePlace({ cluster: 'main', node: undefined, id, until: now }, deps, signal)
  const leave = (id: string) => leavePlace({ cluster: 'main', node: 'n1', id }, deps)
  return { take, takeNowhere, leave, values, elapsed: () => now - 1_000_000 }
}

describe('the places of a node', () => {
  test('are as many as the configuration says, each node its own', async () => {
    const { take, elapsed } = world()
    expect([await take('a'), await take('b'), await take('c', 'n2'), await take('a')]).toEqual([undefined, undefined, undefined, undefined])
    expect(elapsed()).toBe(0)
    expect(await take('d')).toEqual({ code: 'node-busy', message: expect.stringMatching(/^On node "n1" 2 .* allows 2 .*\(b, a\)/) })
    expect(elapsed()).toBeGreaterThanOrEqual(60_000)
  })

  test('are free when given back, or when their time is over', async () => {
    const { take, leave, values } = world()
    await take('a')
    await take('b', 'n1', 1_005_000)
    await leave('a')
    await leave('not there')
    expect([await take('c'), await take('d')]).toEqual([undefined, undefined])
    await leave('c')
    await leave('d')
    expect(values.get('node:main/n1')).toBeUndefined()
  })

  test('are not asked for where the node is not known', async () => {
    const { takeNowhere, values } = world()
    expect(await takeNowhere('a')).toBeUndefined()
    expect(values.size).toBe(0)
  })
})
