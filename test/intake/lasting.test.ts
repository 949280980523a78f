import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { apple } from './alerts.ts'
import { apples, intakeWorld } from './intake-world.ts'

type World = Awaited<ReturnType<typeof intakeWorld>>

const headlines = async (world: World) => (await world.issues()).map(({ notes }) => notes.map(({ headline }) => headline))
/** The notes about the trouble, without those of diagnoses. */
const told = async (world: World) =>
  (await world.issues()).flatMap(({ notes }) => notes.filter(({ outcome }) => outcome === undefined).map(({ headline }) => headline))
const hour = 3600

describe('resolved', () => {
  test('is told once, when it was so for quietSeconds', async () => {
    const world = await intakeWorld()
    await world.fire({})
    await world.fire({ resolved: true })
    await world.pass(298)
    expect(await told(world)).toEqual([])
    await world.pass(3)
    expect(await told(world)).toEqual(['Resolved: CrashLooping of deployment fruit/apples'])
    await world.fire({ resolved: true })
    await world.pass(hour)
    expect(await told(world)).toHaveLength(1)
    expect(await world.issues()).toMatchObject([{ open: true }])
  })

  test('is not told while another alert of the trouble fires', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: apple(1) }, { pod: apple(2) })
    await world.fire({ pod: apple(1), resolved: true })
    await world.pass(hour)
    expect((await told(world)).filter((headline) => headline.startsWith('Resolved'))).toEqual([])
    await world.fire({ pod: apple(2), resolved: true })
    await world.pass(301)
    expect((await told(world)).filter((headline) => headline.startsWith('Resolved'))).toHaveLength(1)
  })

  test('is not told of what comes back and goes twenty times, until it is quiet', async () => {
    const world = await intakeWorld()
    for (let firing = 1; firing <= 20; firing++) {
      await world.fire({ firing })
      await world.pass(60)
      await world.fire({ firing, resolved: true })
      await world.pass(60)
    }
    expect((await told(world)).filter((headline) => !headline.includes('more'))).toEqual([])
    expect(await world.diagnoses()).toHaveLength(1)
    await world.pass(300)
    expect((await told(world)).filter((headline) => headline.startsWith('Resolved'))).toHaveLength(1)
  })

  test('closes the report where that is configured', async () => {
    const world = await intakeWorld({ reports: { routes: [apples], resolved: 'close' } })
    await world.fire({})
    await world.fire({ resolved: true })
    await world.pass(301)
    expect(await world.issues()).toMatchObject([{ open: false }])
    expect(await told(world)).toHaveLength(1)
  })

  test('is not told where the configuration says quiet', async () => {
    const world = await intakeWorld({ reports: { routes: [apples], resolved: 'quiet' } })
    await world.fire({})
    await world.fire({ resolved: true })
    await world.pass(hour)
    expect(await told(world)).toEqual([])
    expect(await world.issues()).toMatchObject([{ open: true }])
  })

  test('while its diagnosis is at work is told when there is a report', async () => {
    const world = await intakeWorld()
    await world.deliver([{}])
    await world.settle()
    await world.deliver([{ resolved: true }])
    await world.pass(301)
    expect(await world.issues()).toEqual([])
    await world.diagnose()
    await world.pass(31)
    expect(await told(world)).toEqual(['Resolved: CrashLooping of deployment fruit/apples'])
  })

  test('before it was settled, of a trouble that is known, leaves nothing open', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: apple(1) })
    await world.fire({ pod: apple(1), resolved: true })
    await world.deliver([{ pod: apple(2) }])
    await world.deliver([{ pod: apple(2), resolved: true }])
    await world.pass(301)
    expect(await told(world)).toEqual(['Resolved: CrashLooping of deployment fruit/apples'])
  })
})

describe('what comes back', () => {
  /** Fired, resolved, and closed by a person; then it fires again. */
  async function back(recurrence: 'reopen' | 'comment' | 'new', afterSeconds: number): Promise<World> {
    const world = await intakeWorld({ reports: { routes: [apples], recurrence } })
    await world.fire({ firing: 1 })
    await world.fire({ firing: 1, resolved: true })
    await world.pass(301)
    const [issue] = await world.issues()
    await world.closeByHand(issue?.key ?? '')
    await world.pass(afterSeconds)
    await world.fire({ firing: 2 })
    await world.pass(61)
    return world
  }

  test('opens its report again', async () => {
    const world = await back('reopen', 2 * hour)
    expect((await world.issues()).map(({ open, notes }) => [open, notes.length])).toEqual([[true, 3]])
    expect(await world.diagnoses()).toHaveLength(2)
  })

  test('is a note on the closed report', async () => {
    const world = await back('comment', 2 * hour)
    expect((await world.issues()).map(({ open, notes }) => [open, notes.length])).toEqual([[false, 3]])
  })

  test('opens a new report, on which all that follows is told', async () => {
    const world = await back('new', 2 * hour)
    expect((await world.issues()).map(({ open, notes }) => [open, notes.length]).toSorted()).toEqual([
      [false, 2],
      [true, 1],
    ])
    await world.fire({ firing: 2, resolved: true })
    await world.pass(301)
    expect((await world.issues()).map(({ open, notes }) => [open, notes.length]).toSorted()).toEqual([
      [false, 2],
      [true, 2],
    ])
  })

  test.each([
    ['reopen', true],
    ['comment', false],
    ['new', false],
  ] as const)('so soon that nothing is diagnosed is told all the same: %s', async (recurrence, open) => {
    const world = await back(recurrence, 60)
    expect(await world.diagnoses()).toHaveLength(1)
    expect((await told(world)).filter((headline) => headline.startsWith('Fires again'))).toEqual([
      'Fires again: CrashLooping of deployment fruit/apples',
    ])
    expect((await world.issues()).map((issue) => issue.open)).toEqual([open])
  })

  test('after somebody deleted its report has a new one, on which all that follows is told', async () => {
    const world = await intakeWorld({ reports: { routes: [apples] } })
    await world.fire({ firing: 1 })
    await world.fire({ firing: 1, resolved: true })
    await world.pass(301)
    await rm(join(world.directory, (await world.issues())[0]?.key ?? ''), { recursive: true })
    await world.fire({ firing: 2 })
    await world.pass(61)
    await world.fire({ firing: 2, resolved: true })
    await world.pass(301)
    const [issue, ...others] = await world.issues()
    expect([others, issue?.title, issue?.open]).toEqual([[], 'Fires again: CrashLooping of deployment fruit/apples', true])
    expect(issue?.notes.map(({ headline }) => headline)).toContain('Resolved: CrashLooping of deployment fruit/apples')
  })
})

describe('what a report stands for', () => {
  const more = async (world: World) => (await told(world)).filter((headline) => headline.includes('more'))

  test('is one note, which counts on', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: apple(1) })
    await world.fire({ pod: apple(2) })
    await world.pass(61)
    expect(await more(world)).toEqual(['1 more alert has no diagnosis of its own: this report stands for it'])
    await world.fire({ pod: apple(3) }, { name: 'NotReady', pod: apple(1) })
    await world.pass(61)
    expect(await more(world)).toEqual(['3 more alerts have no diagnosis of their own: this report stands for them'])
    const facts = (await world.issues()).flatMap(({ notes }) => notes.find(({ headline }) => headline.includes('more'))?.facts ?? [])
    expect(facts).toEqual([
      ['CrashLooping', `2 × the same trouble: ${apple(2)}, ${apple(3)}`],
      ['NotReady', `1 × the same pod, a short while ago: ${apple(1)}`],
    ])
  })

  test('counts what comes right after it was told, though nothing follows', async () => {
    const world = await intakeWorld()
    // Ten seconds before the end of a minute, when it is told.
    await world.pass(50 + 60 - ((world.clock.now() / 1000) % 60))
    await world.fire({ pod: apple(1) }, { pod: apple(2) })
    await world.pass(15)
    expect(await more(world)).toEqual(['1 more alert has no diagnosis of its own: this report stands for it'])
    await world.fire({ pod: apple(3) })
    await world.pass(61)
    expect(await more(world)).toEqual(['2 more alerts have no diagnosis of their own: this report stands for them'])
  })

  test('is told while alerts come without a pause', async () => {
    const world = await intakeWorld()
    await world.fire({ pod: apple(1) })
    for (let firing = 1; firing <= 20; firing++) {
      await world.deliver([{ pod: apple(2), firing }])
      await world.pass(10)
    }
    expect(await more(world)).toHaveLength(1)
  })

  test('is told by processes that know nothing of each other, while alerts come without a pause', async () => {
    const world = await intakeWorld()
    const { housekeeper } = await import('../../src/hosts/housekeeper.ts')
    await world.fire({ pod: apple(1) })
    for (let firing = 1; firing <= 20; firing++) {
      await world.deliver([{ pod: apple(2), firing }])
      world.clock.pass(10)
      // As on Workers, where each request has its own.
      const house = housekeeper(world.deps)
      house.wake()
      await house.done()
    }
    expect(await more(world)).toHaveLength(1)
  })
})

describe('a storm', () => {
  const intake = { storm: { diagnoses: 1, seconds: 600 } }
  const routes = [{ match: { alertname: 'AutodiagnoseStorm' }, tracker: 'bugs', project: 'storms' }]

  test('has one report, which counts all that was not looked at, and ends', async () => {
    const world = await intakeWorld({ intake, reports: { routes } })
    await world.deliver([{ pod: 'plum' }, { pod: 'pears-6d4cf56db6-1' }, { pod: apple(1) }])
    // They wait a moment before they are settled.
    await world.pass(5)
    await world.pass(61)
    const storm = async () => (await world.issues()).map(({ project, title, notes }) => [project, title, notes.map(({ headline }) => headline)])
    expect(await storm()).toEqual([
      [
        'storms',
        'AutodiagnoseStorm: More alerts in cluster main than may start diagnoses',
        ['Storm in cluster main: 2 alerts not diagnosed, because too many came at once'],
      ],
    ])
    await world.fire({ pod: 'quince' })
    await world.pass(61)
    expect((await storm())[0]?.[2]).toEqual(['Storm in cluster main: 3 alerts not diagnosed, because too many came at once'])
    await world.pass(600 + 300 + 61)
    expect((await storm())[0]?.[2]).toHaveLength(2)
    // Put down in the same millisecond, perhaps.
    expect((await storm())[0]?.[2]).toContain('Resolved: AutodiagnoseStorm in cluster main')
  })

  test('without a route for it is seen in the list alone', async () => {
    const world = await intakeWorld({ intake, reports: { routes: [{ match: { namespace: 'fruit' }, ...apples }] } })
    await world.fire({ pod: 'plum' }, { pod: apple(1) })
    await world.pass(61)
    await world.pass(hour)
    expect(await headlines(world)).toHaveLength(1)
    expect(await world.deps.records.dueTellings('2999', 10)).toEqual([])
    expect(await world.deps.records.listAlerts({ suppression: 'storm' }, { limit: 10 })).toHaveLength(1)
  })
})
