import { expect, it, vi } from 'vitest'
import { useWorld } from '../chaos/world.ts'

const world = useWorld()

it('a service that is told to end lets its readers go in order, and at once', { timeout: 60_000 }, async () => {
  const site = await world.newSite('printer')
  try {
    const pod = await world.newPod()
    const service = site.startMain()
    const request = { pod: `chaos/${pod}`, checks: ['print=500x20'] }
    const { id } = await site.ask(request, 'key-1')
    await vi.waitFor(async () => expect((await site.read(id)).state).toBe('listening'), { timeout: 20_000, interval: 50 })
    const log = (await site.call('GET', `/v1/diagnoses/${id}/log?follow`)).text()
    const other = { ...request, pod: `chaos/${await world.newPod()}`, report: site.options.report }
    const waiting = site.call('POST', '/v1/diagnoses', other, { 'idempotency-key': 'key-2', prefer: 'wait=60' })
    await vi.waitFor(async () => expect(await site.list()).toHaveLength(2), { timeout: 5000, interval: 50 })
    const termAt = performance.now()
    const exit = service.kill('SIGTERM')
    expect(await log).toMatch(new RegExp(`\\n# the service is stopping; the diagnosis goes on: http://autodiagnose.example/diagnoses/${id}\\n$`))
    expect((await waiting).status).toBe(202)
    expect(performance.now() - termAt).toBeLessThan(2000)
    expect(await exit).toEqual({ code: 0, signal: null })
  } finally {
    await site.stop()
  }
})
