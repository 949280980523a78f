import { describe, expect, it, vi } from 'vitest'
import { assertWhole } from './assert-whole.ts'
import { ServiceProcess } from './service-process.ts'
import type { Site } from './site.ts'
import { useWorld, type World } from './world.ts'

const world = useWorld()
const minutes = { timeout: 180_000 }
const wait = { timeout: 20_000, interval: 50 }

/** Runs with a place of its own and a pod in it, and ends what was started. */
async function at(image: Parameters<World['newSite']>[0], work: (site: Site, pod: string) => Promise<void>): Promise<void> {
  const site = await world.newSite(image)
  try {
    await work(site, await world.newPod())
  } finally {
    await site.stop()
  }
}

/** Numbers from 0 to 1 that are the same for the same seed: a linear congruential generator. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe.concurrent('the service ends and starts again', () => {
  it('killed 15 times at random while the container prints: every line is there once', minutes, () =>
    at('printer', async (site, pod) => {
      const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
      console.log(`CHAOS_SEED=${seed}`)
      const next = random(seed)
      await site.start()
      // 32 s of output: longer than all the lives of the service together.
      const { id } = await site.ask({ pod: `chaos/${pod}`, checks: ['print=1600x20'] }, 'key-1')
      let kills = 0
      for (; kills < 15 && (await site.read(id)).state !== 'done'; kills++) {
        const { service } = site
        const lives = AbortSignal.timeout(Math.round(next() * 1200))
        await new Promise((resolve) => lives.addEventListener('abort', resolve))
        expect(await service?.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
        await site.start()
      }
      const view = await site.untilDone(id)
      expect(kills).toBeGreaterThanOrEqual(8)
      await assertWhole(world, site, pod, view)
      const text = (await site.unpack(id)).get(`autodiagnose/chaos/${pod}/${id}-1-stdout.txt`) ?? ''
      expect(text.match(/^# line \d+/gm)).toEqual(Array.from({ length: 1600 }, (_, n) => `# line ${String(n + 1).padStart(6, '0')}`))
    }),
  )

  it('killed while two diagnoses are at work: both go on', minutes, () =>
    at('printer', async (site, pod) => {
      const other = await world.newPod()
      const doomed = await site.start('segment created 3')
      const checks = ['print=150x20']
      const asked = await Promise.all([pod, other].map((name) => site.ask({ pod: `chaos/${name}`, checks }, `key-of-${name}`)))
      expect(await doomed.ended()).toEqual({ code: null, signal: 'SIGKILL' })
      await site.start()
      for (const [n, name] of [pod, other].entries()) {
        const view = await site.untilDone(asked[n]?.id ?? '')
        await assertWhole(world, site, name, view)
      }
      expect(await site.list()).toHaveLength(2)
    }),
  )

  it('cancelled, and killed before it saw that: what was read is sealed and told as cancelled', minutes, () =>
    at('printer', async (site, pod) => {
      const service = await site.start()
      const { id } = await site.ask({ pod: `chaos/${pod}`, checks: ['print=1000x20'] }, 'key-1')
      await vi.waitFor(async () => expect(await (await site.call('GET', `/v1/diagnoses/${id}/log`)).text()).toContain('# line'), wait)
      await site.call('DELETE', `/v1/diagnoses/${id}`)
      await service.kill('SIGKILL')
      await site.start()
      const view = await site.untilDone(id)
      expect(view).toMatchObject({ outcome: 'cancelled', cancelRequested: true, reported: { kind: 'written' }, containers: [{ name: `${id}-1` }] })
      const log = (await site.unpack(id)).get(`autodiagnose/chaos/${pod}/${id}-1-stdout.txt`)
      const [read, rest] = (log ?? '').split('# autodiagnose gap: the diagnosis was cancelled: what the container printed later is missing\n')
      expect(rest).toBe('')
      expect(await world.kube('GET', `/api/v1/namespaces/chaos/pods/${pod}/log?container=${id}-1`)).toContain(read)
      expect(log).toContain('# line')
      expect(world.deliveries.filter(({ marker }) => marker === id)).toHaveLength(1)
    }),
  )

  it('the sweeper starts a diagnosis whose run could not be started', minutes, () =>
    at('printer', async (site, pod) => {
      const service = await site.start('start refused')
      const { id } = await site.ask({ pod: `chaos/${pod}`, checks: ['print=10'] }, 'key-1')
      expect(service.log).toContain('Cannot start the run of an accepted diagnosis')
      await service.until('saved', 'finish')
      await assertWhole(world, site, pod, await site.untilDone(id))
    }),
  )

  it('ends in order on TERM while a diagnosis is at work, which goes on after the next start', minutes, () =>
    at('printer', async (site, pod) => {
      const service = site.startMain()
      const { id } = await site.ask({ pod: `chaos/${pod}`, checks: ['print=500x20'] }, 'key-1')
      await vi.waitFor(async () => expect((await site.read(id)).state).toBe('listening'), wait)
      const termAt = Date.now()
      expect(await service.kill('SIGTERM')).toEqual({ code: 0, signal: null })
      expect(Date.now() - termAt).toBeLessThan(4500)
      site.startMain()
      await assertWhole(world, site, pod, await site.untilDone(id))
    }),
  )

  it('a second process on the same state directory is refused, and the first goes on', minutes, () =>
    at('printer', async (site, pod) => {
      await site.startMain().url()
      const second = new ServiceProcess(site.options.programs, 'main', site.options.env)
      expect(await second.exit).toEqual({ code: 1, signal: null })
      expect(second.log).toContain('another process is using it')
      const { id } = await site.ask({ pod: `chaos/${pod}`, checks: ['print=10'] }, 'key-1')
      await assertWhole(world, site, pod, await site.untilDone(id))
    }),
  )
})
