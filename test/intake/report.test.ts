import { describe, expect, test } from 'vitest'
import type { Deps } from '../../src/deps.ts'
import { type Tracker, TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { apple } from './alerts.ts'
import { apples, intakeWorld } from './intake-world.ts'

const pears = { tracker: 'bugs', project: 'pears' }

/** The tracker, every call to which does this first. */
const troubled =
  (first: () => void) =>
  ({ trackers }: Deps): Partial<Deps> => {
    const real = trackers.get('bugs') as Tracker
    const behind =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        first()
        return call(...args)
      }
    const bugs = { ...real, writeNote: behind(real.writeNote), openIssue: behind(real.openIssue), closeIssue: behind(real.closeIssue) }
    return { trackers: new Map([...trackers, ['bugs', bugs]]) }
  }

describe('the route', () => {
  test.each<[string, object[], string[]]>([
    ['without any, no report is written', [], []],
    ['the first that matches counts', [{ match: { team: 'fruit' }, ...pears }, apples], ['pears']],
    ['one that does not match is passed over', [{ match: { team: 'nuts' }, ...pears }, apples], ['apples']],
    ['a label that the alert lacks matches nothing', [{ match: { severity: '*' }, ...pears }, apples], ['apples']],
    ['none means none, whatever follows', [{ match: { namespace: 'fr*' }, none: true }, apples], []],
    ['all labels must match', [{ match: { team: 'fruit', namespace: 'bank' }, ...pears }], []],
    ['any value of a list may', [{ match: { workload: ['deployment/plums', 'deployment/app*'] }, ...pears }], ['pears']],
    ['source and name are labels, too', [{ match: { source: 'prometheus', alertname: 'Crash*' }, ...pears }], ['pears']],
  ])('%s', async (_, routes, projects) => {
    const world = await intakeWorld({ reports: { routes: routes as never } })
    await world.fire({ labels: { team: 'fruit' } })
    expect((await world.issues()).map(({ project }) => project)).toEqual(projects)
    expect(await world.diagnoses()).toMatchObject([{ state: 'done' }])
  })

  test('gives the issue its labels and its type', async () => {
    const world = await intakeWorld({ reports: { routes: [{ ...apples, labels: ['from-alerts', 'fruit'], type: 'Bug' }] } })
    await world.fire({})
    expect(await world.issues()).toMatchObject([{ labels: ['from-alerts', 'fruit'], type: 'Bug' }])
  })
})

describe('the report', () => {
  test('says what the alert says, and holds the note of the diagnosis', async () => {
    const world = await intakeWorld()
    const annotations = {
      summary: 'Container app restarts again & again',
      description: 'For 10 minutes',
      runbook_url: 'https://runbooks.example/CrashLooping',
      team: 'fruit growers',
    }
    await world.fire({ annotations, labels: { severity: 'critical' }, generatorURL: 'https://prometheus.example/graph?g0.expr=up' })
    const [diagnosis] = await world.diagnoses()
    const [issue, ...others] = await world.issues()
    expect(others).toEqual([])
    expect(issue?.title).toMatch(/^CrashLooping fruit\/apples-57bcf49487-1: /)
    expect(issue?.note.marker).toBe(diagnosis?.alert?.trouble)
    expect(issue?.note.facts).toEqual([
      ['Cluster', 'main'],
      ['Alert', 'CrashLooping, since 2026-11-27 08:01:00 UTC, by prometheus'],
      ['Summary', 'Container app restarts again & again'],
      ['Description', 'For 10 minutes'],
      ['team', 'fruit growers'],
      ['Labels', 'namespace=fruit, pod=apples-57bcf49487-1, severity=critical'],
    ])
    expect(issue?.note.links).toEqual([
      { label: 'Runbook', url: 'https://runbooks.example/CrashLooping' },
      { label: 'Rule', url: 'https://prometheus.example/graph?g0.expr=up' },
      { label: 'First diagnosis', url: `https://diagnose.example.org/diagnoses/${diagnosis?.id}` },
    ])
    expect(issue?.notes).toMatchObject([{ marker: diagnosis?.id, outcome: 'refused' }])
    expect(diagnosis).toMatchObject({
      report: { tracker: 'bugs', key: issue?.key },
      reported: { kind: 'written', noteId: diagnosis?.id },
      reason: 'Alert CrashLooping: Container app restarts again & again',
    })
  })

  test('begins with what was found', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: 'quince' })
    const [diagnosis] = await world.diagnoses()
    const [issue] = await world.issues()
    const [worst] = diagnosis?.findings ?? []
    expect(worst?.title).toMatch(/exit/i)
    expect(issue?.note.headline).toBe(worst?.title)
    expect(issue?.title).toBe(`CrashLooping fruit/quince: ${worst?.title}`)
    expect(issue?.notes[0]?.headline).toBe(worst?.title)
  })

  test('of another trouble is another one; the same trouble goes on in its own', async () => {
    const world = await intakeWorld()
    await world.fire({ name: 'CrashLooping', pod: apple(1) })
    await world.fire({ name: 'NotReady', pod: apple(2) })
    expect((await world.issues()).map(({ notes }) => notes.length)).toEqual([1, 1])
    await world.pass(3700)
    await world.fire({ name: 'CrashLooping', pod: apple(3), firing: 2 })
    expect((await world.issues()).map(({ title, notes }) => [title.split(' ')[0], notes.length]).toSorted()).toEqual([
      ['CrashLooping', 2],
      ['NotReady', 1],
    ])
  })

  test('holds no secret that the alert brought', async () => {
    const world = await intakeWorld()
    const secret = 'AKIAMADEUPKEY7EXAMPL'
    await world.fire({ annotations: { summary: `The key ${secret} of password=made-up-hunter2-pass is refused` }, labels: { argument: secret } })
    const everything = JSON.stringify([await world.issues(), await world.alerts(), await world.diagnoses(), world.logged])
    expect(everything).not.toContain(secret)
    expect(everything).not.toContain('made-up-hunter2-pass')
  })
})

describe('the annotation report', () => {
  test('names the report, where policy allows it', async () => {
    const world = await intakeWorld()
    await world.fire({ annotations: { report: 'bugs:bug-7' } })
    expect(await world.diagnoses()).toMatchObject([{ report: { tracker: 'bugs', key: 'bug-7' }, reported: { kind: 'written' } }])
    expect((await world.issues()).map(({ key, notes }) => [key, notes.length])).toEqual([['bug-7', 1]])
    expect((await world.alerts())[0]?.message).toBeUndefined()
  })

  test('names where all that follows is told; nobody but its author closes it', async () => {
    const world = await intakeWorld({ reports: { routes: [apples], resolved: 'close' } })
    const annotations = { report: 'bugs:bug-7' }
    await world.fire({ pod: apple(1), annotations })
    await world.fire({ pod: apple(2), annotations })
    await world.pass(61)
    await world.fire({ pod: apple(1), annotations, resolved: true }, { pod: apple(2), annotations, resolved: true })
    await world.pass(301)
    const [issue, ...others] = await world.issues()
    expect([issue?.key, issue?.open, others]).toEqual(['bug-7', undefined, []])
    expect(issue?.notes.slice(1).map(({ headline }) => headline)).toEqual([
      '1 more alert has no diagnosis of its own: this report stands for it',
      'Resolved: CrashLooping of deployment fruit/apples',
    ])
  })

  test('is told that the trouble came back, too', async () => {
    const world = await intakeWorld({ reports: { routes: [] } })
    const annotations = { report: 'bugs:bug-7' }
    await world.fire({ annotations })
    await world.fire({ annotations, resolved: true })
    await world.pass(301)
    await world.fire({ annotations, firing: 2 })
    await world.pass(61)
    expect((await world.issues()).flatMap(({ notes }) => notes.map(({ headline }) => headline))).toContain(
      'Fires again: CrashLooping of deployment fruit/apples',
    )
  })

  test.each([
    ['that policy denies', 'other:bug-7', 'Report "other:bug-7" is not among those that "prometheus" may write to'],
    ['of a tracker that is not there', 'nowhere:7', 'unknown tracker "nowhere"'],
    ['that is no key', 'bugs:../../secret', 'is not a name of letters'],
    ['that is nothing of the kind', 'please', 'expected tracker:key or the URL of the report'],
  ])('%s: the diagnosis goes on, with the report of the route, and says so', async (_, report, message) => {
    const world = await intakeWorld()
    await world.fire({ annotations: { report } })
    expect(await world.alerts()).toMatchObject([{ outcome: 'diagnosed', message: expect.stringContaining(message) }])
    expect(await world.diagnoses()).toMatchObject([{ state: 'done', reported: { kind: 'written' } }])
    expect(await world.issues()).toMatchObject([{ project: 'apples', notes: [{}] }])
  })
})

describe('a tracker', () => {
  test('that is down for an hour delays the report and loses nothing; no step waits for it', async () => {
    let until = Number.POSITIVE_INFINITY
    const tries: number[] = []
    const world = await intakeWorld(
      {},
      {
        wrap: (deps) =>
          troubled(() => {
            tries.push(deps.clock.now())
            if (deps.clock.now() < until) throw new TrackerUnavailable('The tracker is being repaired', 900_000)
          })(deps),
      },
    )
    until = world.clock.now() + 3600_000
    await world.fire({ pod: apple(1) }, { pod: apple(2) })
    expect(world.steps.pauses).toEqual([900_000, 900_000, 900_000, 900_000])
    expect(await world.diagnoses()).toMatchObject([{ state: 'done', reported: { kind: 'written' } }])
    await world.pass(61)
    expect((await world.issues()).map(({ notes }) => notes.length)).toEqual([2])
    // Each try is as late as the tracker asked for.
    expect(tries.slice(1, 5).map((at, index) => Math.round((at - (tries[index] ?? 0)) / 1000))).toEqual([900, 900, 900, 900])
  })

  test('that asks for patience delays what is told of the trouble, too', async () => {
    let away = false
    let tries = 0
    const world = await intakeWorld(
      {},
      {
        wrap: troubled(() => {
          tries++
          if (away) throw new TrackerUnavailable('Too many requests', 600_000)
        }),
      },
    )
    await world.fire({})
    await world.fire({ resolved: true })
    away = true
    tries = 0
    await world.pass(301)
    await world.pass(299)
    await world.pass(299)
    expect(tries).toBe(1)
    away = false
    await world.pass(5)
    expect((await world.issues())[0]?.notes).toHaveLength(2)
  })

  test('that rejects the report is told in the record and in the log', async () => {
    const world = await intakeWorld(
      {},
      {
        wrap: troubled(() => {
          throw new TrackerRejected('Project "apples" takes no issues from us')
        }),
      },
    )
    await world.fire({})
    expect(await world.diagnoses()).toMatchObject([
      { state: 'done', outcome: 'refused', reported: { kind: 'rejected', message: 'Project "apples" takes no issues from us' } },
    ])
    expect(world.logged).toContainEqual(expect.objectContaining({ level: 'error', message: 'The bug report took no note' }))
    // What would be told of the trouble has nowhere to go, and is not tried for ever.
    await world.fire({ resolved: true })
    await world.pass(301)
    expect(await world.deps.records.dueTellings('2999', 10)).toEqual([])
  })

  test('that rejects a note about the trouble is told in the log, once', async () => {
    let rejects = false
    const world = await intakeWorld(
      {},
      {
        wrap: troubled(() => {
          if (rejects) throw new TrackerRejected('The issue is locked')
        }),
      },
    )
    await world.fire({})
    await world.fire({ resolved: true })
    rejects = true
    await world.pass(301)
    await world.pass(3600)
    expect(world.logged.filter(({ message }) => message === 'A report took no note')).toMatchObject([{ data: { message: 'The issue is locked' } }])
  })
})
