import { describe, expect, test } from 'vitest'
import type { Deps } from '../../src/deps.ts'
import { tellDue } from '../../src/intake/tell-reports.ts'
import { type Tracker, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { apple } from './alerts.ts'
import { apples, intakeWorld } from './intake-world.ts'

/** The trackers, of which notes are counted; `bugs` takes none while it is away. */
function countedNotes() {
  const asked = { bugs: 0, other: 0 }
  const state = { isAway: false }
  const wrap = ({ trackers }: Deps): Partial<Deps> => {
    const counted = (name: keyof typeof asked): [string, Tracker] => {
      const real = trackers.get(name) as Tracker
      const writeNote: Tracker['writeNote'] = async (...args) => {
        asked[name]++
        if (name === 'bugs' && state.isAway) throw new TrackerUnavailable('No answer within 10 s', 10_000)
        return real.writeNote(...args)
      }
      return [name, { ...real, writeNote }]
    }
    return { trackers: new Map([counted('bugs'), counted('other')]) }
  }
  return { asked, state, wrap }
}

describe('what is due', () => {
  test('is not all tried at a tracker that is away, and another is told meanwhile', async () => {
    const { asked, state, wrap } = countedNotes()
    const routes = [{ match: { alertname: 'NotReady' }, tracker: 'other', project: 'apples' }, apples]
    const world = await intakeWorld({ intake: { podsPerWorkload: 5 }, reports: { routes } }, { wrap })
    const alerts = [
      ...[1, 2, 3, 4, 5].map((at) => ({ name: `Alert${at}`, pod: apple(at) })),
      ...['plum', 'pears-6d4cf56db6-1'].map((pod) => ({ pod })),
      { name: 'NotReady', pod: 'quince' },
    ]
    await world.fire(...alerts)
    await world.fire(...alerts.map((alert) => ({ ...alert, resolved: true })))
    state.isAway = true
    Object.assign(asked, { bugs: 0, other: 0 })
    await world.pass(301)
    // Of seven: a few are on their way when the first is told to come back.
    expect(asked.bugs).toBeLessThanOrEqual(4)
    expect(asked.other).toBe(1)
    state.isAway = false
    await world.pass(60)
    expect((await world.issues()).map(({ notes }) => notes.length)).toEqual(Array(7).fill(2))
  })

  test('is told by one of ten processes that look at once', async () => {
    const { asked, wrap } = countedNotes()
    const world = await intakeWorld({}, { wrap })
    await world.fire({})
    await world.fire({ resolved: true })
    world.clock.pass(301)
    asked.bugs = 0
    await Promise.all(Array.from({ length: 10 }, () => tellDue(world.deps)))
    expect(asked.bugs).toBe(1)
    expect(await world.deps.records.getValue('tellings')).toBeUndefined()
    expect((await world.issues())[0]?.notes).toHaveLength(2)
  })
})
