import { afterEach, describe, expect, it } from 'vitest'
import { assertWhole } from './assert-whole.ts'
import type { Site } from './site.ts'
import { useWorld } from './world.ts'

const world = useWorld()

/** A lease of the engine lasts 30 s, and the sweeper looks every 5 s: whoever waited for one of them would begin later than this. */
const promptMs = 4500

const steps = (n: number) => [`plan-${n}`, `inject-${n}`, `start-${n}`, `listen-${n}-1`, `end-${n}`]
const first = ['gather', ...steps(1), 'compare', 'conclude', 'seal', 'share-1', 'finish']
const second = steps(2)

interface Life {
  readonly image: 'autodiagnose' | 'printer'
  readonly checks: () => Promise<readonly string[]>
  readonly containers: number
}
const runner: Life = { image: 'autodiagnose', checks: async () => [`http=${await world.pricesUrl()}`], containers: 1 }
// Some 4 MB, in a dozen segments or more.
const verbose: Life = { image: 'printer', checks: async () => ['print=20000'], containers: 1 }
// 3 s of output: where a segment ends depends on when it was read.
const slow: Life = { image: 'printer', checks: async () => ['print=300x10'], containers: 1 }
const blind: Life = { image: 'printer', checks: async () => ['processes', 'blind'], containers: 2 }

async function survives(site: Site, point: string, life: Life): Promise<void> {
  const pod = await world.newPod()
  const request = { pod: `chaos/${pod}`, checks: await life.checks() }
  const doomed = await site.start(point)
  // The answer may get out before the process dies, or not.
  await site.ask(request, 'key-1').catch((error: unknown) => {
    if (!(error instanceof TypeError)) throw error
  })
  expect(await doomed.ended()).toEqual({ code: null, signal: 'SIGKILL' })

  const service = await site.start()
  const { id } = await site.ask(request, 'key-1')
  await service.until('saved', 'finish')
  expect((service.events[0]?.at ?? Number.POSITIVE_INFINITY) - service.readyAt).toBeLessThan(promptMs)
  await assertWhole(world, site, pod, await site.untilDone(id), life.containers)
  expect(await site.ask(request, 'key-1')).toMatchObject({ id })
  expect((await site.list()).map((one) => one.id)).toEqual([id])
  await world.kube('DELETE', `/api/v1/namespaces/chaos/pods/${pod}?gracePeriodSeconds=0`)
}

const cases: readonly (readonly [string, Life])[] = [
  ...first.flatMap((step) => [`before ${step}`, `after ${step}`].map((point) => [point, runner] as const)),
  ...['saved inject-1', 'saved seal', 'saved finish'].map((point) => [point, runner] as const),
  ...second.flatMap((step) => [`before ${step}`, `after ${step}`].map((point) => [point, blind] as const)),
  ...['record accepted', 'run started', 'evidence stored', 'dry run answered', 'container patched'].map((point) => [point, runner] as const),
  ...['bundle half written', 'bundle stored', 'note written'].map((point) => [point, runner] as const),
  ...['ids kept', 'container patched 2'].map((point) => [point, blind] as const),
  ...['segment created 1', 'segment created 2', 'segment created 3'].map((point) => [point, slow] as const),
  ...['segment created 4', 'segment created 7'].map((point) => [point, verbose] as const),
]

describe.concurrent('kill -9 of the service', () => {
  const sites: Site[] = []
  afterEach(async () => {
    for (const site of sites.splice(0)) await site.stop()
  })

  it.each(cases)('%s: the diagnosis goes on as if nothing had happened', { timeout: 120_000 }, async (point, life) => {
    const site = await world.newSite(life.image)
    try {
      await survives(site, point, life)
    } finally {
      await site.stop()
    }
  })
})
