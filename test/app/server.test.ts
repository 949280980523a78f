import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { listen } from '../pages/serve.ts'
import { eventually, publicUrl, setUp, tokens } from './setup.ts'

const authorization = `Bearer ${tokens.alice}`

describe('over a real connection', () => {
  it('a followed log arrives line by line, and ends', async () => {
    const setup = await setUp()
    const url = await listen(setup.deps)
    const id = await setup.create()
    const response = await fetch(`${url}/v1/diagnoses/${id}/log?follow`, { headers: { authorization } })
    const body = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    for (const [at, line] of ['TAP version 14\n', 'ok 1 - x\n', '1..1\n'].entries()) {
      await setup.print(id, at + 1, line, at === 2)
      expect((await body?.read())?.value).toBe(line)
    }
    await setup.deps.records.update(id, { state: 'done', outcome: 'complete' })
    expect((await body?.read())?.value).toContain('# outcome: complete')
    expect((await body?.read())?.done).toBe(true)
  })

  it('a client that goes away ends the reading, and the diagnosis goes on', async () => {
    const setup = await setUp()
    let reads = 0
    const get = setup.deps.store.get.bind(setup.deps.store)
    setup.deps.store.get = (...given) => {
      reads += 1
      return get(...given)
    }
    const url = await listen(setup.deps)
    const body = 'pod=shop/cart-0'
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) }
    const sent = request(`${url}/v1/diagnoses?follow`, { method: 'POST', headers })
    sent.on('error', () => undefined)
    const greeting = new Promise<string>((resolve) =>
      sent.on('response', (response) => response.once('data', (piece: Buffer) => resolve(piece.toString()))),
    )
    sent.end(body)
    expect(await greeting).toMatch(/^# diagnosis ad-/)
    await eventually('the log is read', () => reads > 1)
    sent.destroy()
    await eventually('the reading ends', async () => {
      const before = reads
      await setup.deps.clock.sleep(450)
      return reads === before
    })
    const [id = ''] = setup.runs.started
    expect(await setup.deps.records.get(id)).toMatchObject({ state: 'accepted', cancelRequested: false })
  })

  it('when the service stops, live logs end with a line that says so, and who waits has an answer at once', async () => {
    const stopping = new AbortController()
    const setup = await setUp({}, { stopping: stopping.signal })
    const url = await listen(setup.deps)
    const id = await setup.create()
    await setup.print(id, 1, 'TAP version 14\nok 1 - half a li')
    const log = await fetch(`${url}/v1/diagnoses/${id}/log?follow`, { headers: { authorization } })
    const body = log.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await body?.read())?.value).toBe('TAP version 14\nok 1 - half a li')
    const told = await setup.create()
    await setup.deps.records.update(told, { state: 'sharing', outcome: 'complete' })
    const waiting = [
      fetch(`${url}/v1/diagnoses/${told}/log?follow`, { headers: { authorization } }).then((answer) => answer.text()),
      fetch(`${url}/v1/diagnoses`, {
        method: 'POST',
        headers: { authorization, prefer: 'wait=60', 'content-type': 'application/json' },
        body: '{"pod":"shop/cart-0"}',
      }),
    ] as const
    await eventually('it was accepted', () => setup.runs.started.length === 3)
    const stoppedAt = performance.now()
    stopping.abort()
    expect((await body?.read())?.value).toBe(`\n\n# the service is stopping; the diagnosis goes on: ${publicUrl}/diagnoses/${id}\n`)
    expect((await body?.read())?.done).toBe(true)
    expect(await waiting[0]).toBe(`\n# the service is stopping; the diagnosis goes on: ${publicUrl}/diagnoses/${told}\n`)
    expect((await waiting[1]).status).toBe(202)
    expect(performance.now() - stoppedAt).toBeLessThan(1000)
    expect(setup.logged.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('1 MB is refused, and the next request is served', async () => {
    const setup = await setUp()
    const url = await listen(setup.deps)
    const init = { method: 'POST', headers: { authorization, 'content-type': 'application/json' } }
    expect((await fetch(`${url}/v1/diagnoses`, { ...init, body: 'x'.repeat(1_000_000) })).status).toBe(413)
    expect((await fetch(`${url}/v1/diagnoses`, { ...init, body: '{"pod":"shop/cart-0"}' })).status).toBe(202)
  })
})
