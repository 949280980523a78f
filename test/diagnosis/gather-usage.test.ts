import { describe, expect, test } from 'vitest'
import type { Raw } from '../../src/ports/cluster/cluster.ts'
import { captured, changed, findingsOf, secondsAgo } from './gather-world.ts'

const busy = captured('healthy-busy')
const name = busy.pod.spec.containers[0]?.name ?? ''

/** What is told of a container that began so many seconds ago, and of which a window of 30 s was measured that ended `ago` seconds ago. */
async function told(limit: string | undefined, cpu: string, { began = 600, ago = 10, window = '30.01s' } = {}): Promise<readonly string[]> {
  const world = changed(busy, {
    container: { resources: { limits: limit === undefined ? {} : { cpu: limit } } },
    status: { containerStatuses: [{ name, ready: true, restartCount: 0, state: { running: { startedAt: secondsAgo(began) } } }] },
  })
  const metrics: Raw = { timestamp: secondsAgo(ago), window, containers: [{ name, usage: { cpu, memory: '1Mi' } }] }
  return (await findingsOf({ ...world, metrics })).map(({ severity, id, title }) => `${severity} ${id} ${title}`)
}

describe('CPU by metrics', () => {
  test.each([
    ['100m', '100m', '100 % of its limit: 0.10 of 0.10 cores'],
    ['0.1', '98765432n', '98 % of its limit: 0.10 of 0.10 cores'],
    ['2', '2013m', '100 % of its limit: 2.01 of 2.00 cores'],
  ])('at a limit of %s is a warning: %s', async (limit, used, words) => {
    expect(await told(limit, used)).toEqual([`warn cpu/${name}/at-limit CPU of container ${name} is at ${words}`])
  })

  test.each([
    ['below its limit', '100m', '94m', {}],
    ['without a limit', undefined, '1900m', {}],
    ['with a limit of zero', '0', '1900m', {}],
    ['of a container that began while it was measured', '100m', '100m', { began: 35 }],
    ['of long ago', '100m', '100m', { ago: 200 }],
    ['of a window in minutes that began before the container', '100m', '100m', { began: 600, window: '11m0.5s' }],
  ])('is nothing %s', async (_, limit, used, more) => {
    expect(await told(limit, used, more)).toEqual([])
  })
})
