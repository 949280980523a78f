import { describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import type { Deps } from '../../src/deps.ts'
import { settleDue } from '../../src/intake/settle-alerts.ts'
import { tellDue } from '../../src/intake/tell-reports.ts'
import { RecordsUnavailable } from '../../src/ports/records/records.ts'
import { TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { bearer } from '../app/webhook-world.ts'
import { type AlertInput, alertBody, apple } from './alerts.ts'
import { intakeWorld } from './intake-world.ts'

type World = Awaited<ReturnType<typeof intakeWorld>>
type Moment = 'before' | 'after'

/** The process is gone: whatever it still calls does nothing. */
class Crash extends Error {}

/**
 * The same parts, of which the call `at` of all to records, runs and trackers fails, before its effect or after it. `dies`: from then on all calls
 * fail. Else it is this one only, and it says that the part is away.
 */
function failing(deps: Deps, at: number, { moment, dies }: { moment: Moment; dies: boolean }) {
  let count = 0
  let dead = false
  const watched = <T extends object>(part: T, away: () => Error): T =>
    new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        // What is asked of no one else cannot fail.
        if (typeof value !== 'function' || /^complain|^keyOfUrl/.test(String(name))) return value
        return async (...args: unknown[]) => {
          if (dead) throw new Crash()
          if (++count !== at) return Reflect.apply(value, target, args)
          if (moment === 'after') await Reflect.apply(value, target, args)
          dead = dies
          throw dies ? new Crash() : away()
        }
      },
    })
  const failed: Deps = {
    ...deps,
    records: watched(deps.records, () => new RecordsUnavailable('The records are away')),
    runs: watched(deps.runs, () => new Error('The engine is away')),
    trackers: new Map([...deps.trackers].map(([name, part]) => [name, watched(part, () => new TrackerUnavailable('The tracker is away', 5000))])),
    clock: { now: () => deps.clock.now(), sleep: async () => (dead ? Promise.reject(new Crash()) : undefined) },
  }
  return { deps: failed, reached: () => count >= at }
}

async function deliver(by: Deps, alerts: readonly AlertInput[]): Promise<void> {
  const response = await createApp(by).request('/v1/webhooks/prometheus', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer },
    body: JSON.stringify(alertBody(alerts)),
  })
  if (response.status !== 202) throw new Error(`The delivery is answered ${response.status}`)
}

/** All that a process does by itself, for a while. */
async function work(world: World, by: Deps): Promise<void> {
  for (let round = 1; round <= 3; round++) {
    for (const id of await by.records.unstarted(100)) await by.runs.start(id)
    await settleDue(by)
    await tellDue(by)
    await world.diagnose(by)
    world.clock.pass(6)
  }
}

/** Two pods fail with the same alert, and are well again later. Each part is repeated until it succeeds, as senders and engine do. */
async function story(world: World, name: string, processes: () => Deps): Promise<void> {
  const pods = [1, 2].map((at) => ({ name, pod: apple(at) }))
  const parts: ((by: Deps) => Promise<void>)[] = [
    (by) => deliver(by, pods),
    (by) => work(world, by),
    async () => world.clock.pass(61),
    (by) => work(world, by),
    (by) =>
      deliver(
        by,
        pods.map((pod) => ({ ...pod, resolved: true })),
      ),
    async () => world.clock.pass(301),
    (by) => work(world, by),
  ]
  for (const part of parts) {
    for (let attempt = 1; ; attempt++) {
      try {
        await part(processes())
        break
      } catch (error) {
        if (attempt === 4) throw error
      }
    }
  }
}

/** What must be true of a trouble, whatever failed meanwhile. */
async function whole(world: World, name: string) {
  const records = world.real.records
  const alerts = await records.listAlerts({ name }, { limit: 10 })
  const diagnoses = (await world.diagnoses()).filter(({ alert }) => alert?.name === name)
  const trouble = alerts[0]?.trouble ?? ''
  const issues = (await world.issues()).filter(({ note }) => note?.marker === trouble)
  const [id = 'none'] = diagnoses.map((diagnosis) => diagnosis.id)
  return {
    outcomes: alerts.map(({ outcome, suppression }) => suppression ?? outcome).toSorted(),
    standing: alerts.map(({ diagnosis }) => diagnosis === id),
    diagnoses: diagnoses.map(({ state, reported }) => [state, reported?.kind]),
    issues: issues.map(({ notes }) => notes.map(({ marker }) => marker.replace(trouble, 'trouble').replace(id, 'diagnosis')).toSorted()),
    resolved: (await records.getTrouble(trouble))?.resolvedAt !== undefined,
    round: (await records.getTrouble(trouble))?.round,
    left: [(await records.dueAlerts('2999', 10)).length, (await records.dueTellings('2999', 10)).length],
  }
}

const expected = {
  outcomes: ['diagnosed', 'same-trouble'],
  standing: [true, true],
  diagnoses: [['done', 'written']],
  issues: [['diagnosis', 'trouble-more-1', 'trouble-resolved-1']],
  resolved: true,
  round: 1,
  left: [0, 0],
}

describe('one diagnosis, one report and each note once, and nothing lost', () => {
  test.each<[string, { moment: Moment; dies: boolean }]>([
    // Which is after the one before it, too.
    ['a crash before any call', { moment: 'before', dies: true }],
    ['any call that is not done, once', { moment: 'before', dies: false }],
    ['any call whose answer is lost, once', { moment: 'after', dies: false }],
  ])('after %s', { timeout: 120_000 }, async (_, how) => {
    const world = await intakeWorld()
    for (let at = 1; ; at++) {
      const name = `Alert${at}`
      const failed = failing(world.real, at, how)
      await story(world, name, () => (how.dies && failed.reached() ? world.real : failed.deps))
      expect([at, await whole(world, name)]).toEqual([at, expected])
      if (!failed.reached()) break
      // From one to the next, every limit is over.
      world.clock.pass(7300)
    }
  })
})
