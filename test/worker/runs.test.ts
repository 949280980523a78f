import { introspectWorkflowInstance } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Deps } from '../../src/deps.ts'
import { startRun, sweep, waitForRoom } from '../../src/hosts/worker-runs.ts'
import { durableStep } from '../../src/hosts/workflows-engine.ts'
import { d1Records } from '../../src/ports/records/d1.ts'
import type { Records } from '../../src/ports/records/records.ts'
import { requestOf } from '../contract/records.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { emptyDatabase } from './database.ts'
import { runs } from './main.ts'

const workflow = env.DIAGNOSIS as Parameters<typeof startRun>[0]
const minute = 60_000

let records: Records
/** What the records and the sweeper take for the present. */
let now: number
let logged: string[]
let deps: Pick<Deps, 'records' | 'runs' | 'clock' | 'log'>
beforeEach(async () => {
  now = Date.now()
  logged = []
  const clock = { ...wallClock, now: () => now }
  records = d1Records({ database: await emptyDatabase(), clock })
  const start = async (id: string) => {
    await startRun(workflow, id)
    await records.markStarted(id)
  }
  deps = { records, clock, runs: { start }, log: (_, message, data) => void logged.push(`${message}: ${JSON.stringify(data)}`) }
})

/** A request whose run, when it is created, does that; ids are of one test only, for the engine forgets none. */
async function accepted(work: () => Promise<unknown> = async () => undefined): Promise<string> {
  const request = { ...requestOf(1), id: `ad-${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`, createdAt: new Date(now).toISOString() }
  await records.accept(request)
  runs.set(request.id, work)
  return request.id
}

const statusOf = async (id: string) => (await (await env.DIAGNOSIS.get(id)).status()).status
const until = (id: string, status: string) => vi.waitFor(async () => expect(await statusOf(id)).toBe(status), { timeout: 5000 })

describe('startRun()', () => {
  test('starts a run once, also when its answer was lost', async () => {
    const begun: string[] = []
    const id = await accepted(async () => void begun.push('begun'))
    await startRun(workflow, id)
    await startRun(workflow, id)
    await until(id, 'complete')
    expect(begun).toEqual(['begun'])
  })

  test('throws what the engine says where there is no run', async () => {
    await expect(startRun(workflow, 'not an id')).rejects.toThrow(/id/i)
  })
})

describe('sweep()', () => {
  test('starts what was accepted and has no run', async () => {
    const id = await accepted()
    await sweep(workflow, deps)
    await until(id, 'complete')
    expect(await records.unstarted(10)).toEqual([])
  })

  test('leaves a run alone that works for long', async () => {
    let isOver = false
    const id = await accepted(async () => {
      while (!isOver) await wallClock.sleep(20)
    })
    await deps.runs.start(id)
    now += 60 * minute
    await sweep(workflow, deps)
    isOver = true
    await until(id, 'complete')
    expect(logged).toEqual([])
  })

  test('begins a run again that the engine gave up', async () => {
    let tries = 0
    const id = await accepted(async () => {
      tries += 1
      if (tries === 1) throw new Error('made up to fail')
      await records.update(id, { state: 'done' })
    })
    await deps.runs.start(id)
    await until(id, 'errored')
    await sweep(workflow, deps)
    expect(tries).toBe(1)
    now += 11 * minute
    await sweep(workflow, deps)
    await until(id, 'complete')
    expect(await records.get(id)).toMatchObject({ state: 'done' })
    expect(logged.join()).toContain('made up to fail')
  })

  test('makes a run that the engine does not know', async () => {
    const id = await accepted()
    await records.markStarted(id)
    now += 11 * minute
    await sweep(workflow, deps)
    await until(id, 'complete')
  })

  test('ends a diagnosis whose run was lost in the middle, once', async () => {
    const id = await accepted(() => Promise.reject(new Error('made up to fail')))
    const ended: unknown[] = []
    runs.set(`${id}-end`, async (_, params) => {
      ended.push(params)
      await records.update(id, { state: 'done' })
    })
    await deps.runs.start(id)
    await until(id, 'errored')
    await records.update(id, { state: 'listening' })
    now += 11 * minute
    await sweep(workflow, deps)
    await until(`${id}-end`, 'complete')
    await sweep(workflow, deps)
    expect(ended).toEqual([{ id, lost: expect.stringContaining('made up to fail') }])
  })

  test('ends it anew where that was lost, too, and for good after two days', async () => {
    const id = await accepted(() => Promise.reject(new Error('made up to fail')))
    let tries = 0
    runs.set(`${id}-end`, async () => {
      tries += 1
      throw new Error('made up to fail, too')
    })
    await deps.runs.start(id)
    await until(id, 'errored')
    await records.update(id, { state: 'sealing', outcome: 'complete' })
    now += 11 * minute
    for (const expected of [1, 2]) {
      await sweep(workflow, deps)
      await vi.waitFor(() => expect(tries).toBe(expected), { timeout: 5000 })
      await until(`${id}-end`, 'errored')
    }
    now += 48 * 60 * minute
    await sweep(workflow, deps)
    expect(await records.get(id)).toMatchObject({ state: 'done', outcome: 'complete', explanation: expect.stringContaining('made up to fail') })
    expect(tries).toBe(2)
  })

  test('begins for a day what always fails before anything is done', async () => {
    let tries = 0
    const id = await accepted(async () => {
      tries += 1
      throw new Error('made up to fail')
    })
    runs.set(`${id}-end`, async () => void (await records.update(id, { state: 'done' })))
    await deps.runs.start(id)
    await until(id, 'errored')
    now += 25 * 60 * minute
    await sweep(workflow, deps)
    await until(`${id}-end`, 'complete')
    expect(tries).toBe(1)
  })

  test('ends a diagnosis whose run is over although its record is not', async () => {
    const id = await accepted()
    runs.set(`${id}-end`, async () => void (await records.update(id, { state: 'done' })))
    await deps.runs.start(id)
    await until(id, 'complete')
    await records.update(id, { state: 'sharing' })
    now += 11 * minute
    await sweep(workflow, deps)
    await until(`${id}-end`, 'complete')
  })

  test('does not begin again what an operator terminated', async () => {
    const id = await accepted(() => new Promise(() => undefined))
    runs.set(`${id}-end`, async () => undefined)
    await deps.runs.start(id)
    await (await env.DIAGNOSIS.get(id)).terminate()
    now += 11 * minute
    await sweep(workflow, deps)
    await until(`${id}-end`, 'complete')
    expect(await statusOf(id)).toBe('terminated')
  })

  test('looks after the others where one fails', async () => {
    const failing = await accepted()
    const id = await accepted()
    const start = async (started: string) => {
      if (started === failing) throw new Error('made up to fail')
      await startRun(workflow, started)
    }
    await sweep(workflow, { ...deps, runs: { start } })
    await until(id, 'complete')
    expect(logged.join()).toContain('made up to fail')
  })
})

test('waitForRoom() keeps so many at work, and lets the next begin when one is done', async () => {
  const first = await accepted()
  const config = { diagnosis: { concurrent: 1 } } as Deps['config']
  expect(await records.begin(first, 1)).toBe(true)
  const second = await accepted()
  runs.set(second, (step) => waitForRoom(second, durableStep(step), { records, config }))
  await using instance = await introspectWorkflowInstance(env.DIAGNOSIS, second)
  await instance.modify((modifier) => modifier.disableSleeps([{ name: 'begin-2-pause' }]))
  await env.DIAGNOSIS.create({ id: second })
  await instance.waitForStepResult({ name: 'begin-1' })
  expect(await records.get(second)).toMatchObject({ state: 'accepted' })
  await records.update(first, { state: 'sharing' })
  await instance.waitForStatus('complete')
  expect(await records.get(second)).toMatchObject({ state: 'gathering' })
}, 20_000)
