import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { intake } from '../../src/config-intake.ts'
import { type Decision, decide, maxEntries, type Started, type Wanted } from '../../src/diagnosis/admit/alert-limits.ts'

const start = Date.parse('2026-01-01T00:00:00.000Z')

/** Asks one after another, as the records do: what a start leaves is what the next one sees. */
function ledger(config: Parameters<typeof intake.parse>[0] = {}) {
  const limits = intake.parse(config)
  const now: { entries: readonly Started[]; count: number } = { entries: [], count: 0 }
  const ask = (seconds: number, wanted: Partial<Wanted> = {}): Decision => {
    const alert = wanted.alert ?? `al-${now.count + 1}-${seconds}`
    const whole = { trouble: 'tr-1', namespace: 'shop', workload: 'deployment/cart', ...wanted, alert }
    const decision = decide(now.entries, whole, limits, start + seconds * 1000, () => `ad-${++now.count}`)
    if (decision.kind === 'start') now.entries = decision.entries
    return decision
  }
  /** `start`, `again`, or why not and what stands for it. */
  const brief = (seconds: number, wanted: Partial<Wanted> = {}) => {
    const decision = ask(seconds, wanted)
    return decision.kind === 'suppressed' ? `${decision.why} ${decision.diagnosis ?? '-'}` : decision.kind
  }
  return { ask, brief, now, limits }
}

describe('an alert', () => {
  test('starts a diagnosis, which is put down', () => {
    const { ask, now } = ledger()
    const decision = ask(5, { alert: 'al-1', pod: 'cart-0' })
    const entry = {
      id: 'ad-1',
      at: '2026-01-01T00:00:05.000Z',
      alert: 'al-1',
      trouble: 'tr-1',
      namespace: 'shop',
      workload: 'deployment/cart',
      pod: 'cart-0',
    }
    expect(decision).toEqual({ kind: 'start', entry, entries: [entry] })
    expect(JSON.parse(JSON.stringify(now.entries))).toEqual(now.entries)
  })

  test('that comes again has the same one, before any limit', () => {
    const { ask, now } = ledger({ storm: { diagnoses: 1, seconds: 600 } })
    const first = ask(0, { alert: 'al-1', pod: 'cart-0' })
    expect(ask(1, { alert: 'al-1', pod: 'cart-0' })).toEqual({ kind: 'again', entry: now.entries[0] })
    expect(ask(900_000, { alert: 'al-1' })).toMatchObject({ kind: 'again', entry: (first as { entry: Started }).entry })
    expect(now.count).toBe(1)
  })
})

describe('a limit', () => {
  test('of the pod comes first, and ends to the second', () => {
    const { brief } = ledger({ podCooldownSeconds: 60, workloadCooldownSeconds: 0 })
    expect(brief(0, { pod: 'cart-0' })).toBe('start')
    expect(brief(59.999, { pod: 'cart-0', trouble: 'tr-2' })).toBe('pod-cooldown ad-1')
    expect(brief(59.999, { pod: 'cart-0', namespace: 'blog' })).toBe('start')
    expect(brief(60, { pod: 'cart-0' })).toBe('start')
  })

  test('of the trouble counts its diagnoses, and names the newest', () => {
    const { brief } = ledger({ podsPerTrouble: 2, workloadCooldownSeconds: 100 })
    expect(brief(0, { pod: 'cart-0' })).toBe('start')
    expect(brief(10, { pod: 'cart-1' })).toBe('start')
    expect(brief(20, { pod: 'cart-2' })).toBe('same-trouble ad-2')
    expect(brief(99, { pod: 'cart-2', trouble: 'tr-2' })).toBe('start')
    expect(brief(100, { pod: 'cart-3' })).toBe('start')
  })

  test('of the workload counts pods, whatever the trouble', () => {
    const { brief } = ledger({ podCooldownSeconds: 50, workloadCooldownSeconds: 100, podsPerWorkload: 2 })
    expect(brief(0, { pod: 'cart-0', trouble: 'a' })).toBe('start')
    expect(brief(1, { pod: 'cart-1', trouble: 'b' })).toBe('start')
    expect(brief(2, { pod: 'cart-2', trouble: 'c' })).toBe('workload-limit ad-2')
    expect(brief(2, { pod: 'cart-2', trouble: 'c', workload: 'deployment/shop' })).toBe('start')
    expect(brief(2, { pod: 'cart-2', trouble: 'd', namespace: 'blog' })).toBe('start')
    // A pod that is counted already adds none.
    expect(brief(60, { pod: 'cart-0', trouble: 'e' })).toBe('start')
    expect(brief(61, { pod: 'cart-3', trouble: 'f' })).toBe('workload-limit ad-5')
  })

  test('of the workload counts each target without a pod as one', () => {
    const { brief } = ledger({ podsPerWorkload: 2 })
    expect(brief(0, { trouble: 'a' })).toBe('start')
    expect(brief(1, { trouble: 'b' })).toBe('start')
    expect(brief(2, { trouble: 'c' })).toBe('workload-limit ad-2')
    expect(brief(3, { trouble: 'd', pod: 'cart-0' })).toBe('workload-limit ad-2')
  })

  test('of the cluster is a storm, which no diagnosis stands for', () => {
    const { ask, brief } = ledger({ storm: { diagnoses: 2, seconds: 10 } })
    expect(brief(0, { trouble: 'a', workload: 'deployment/a' })).toBe('start')
    expect(brief(1, { trouble: 'b', workload: 'deployment/b' })).toBe('start')
    expect(ask(2, { trouble: 'c', workload: 'deployment/c' })).toEqual({
      kind: 'suppressed',
      why: 'storm',
      message: 'Alerts of this cluster have started 2 diagnoses within 10 s, so this is taken for a storm',
    })
    expect(brief(10, { trouble: 'c', workload: 'deployment/c' })).toBe('start')
  })

  test('tells what stands for the alert, since when, and for how long', () => {
    const { ask } = ledger()
    ask(0, { pod: 'cart-0' })
    const message = (wanted: Partial<Wanted>) => (ask(1, wanted) as { message: string }).message
    const first = 'Diagnosis ad-1 of 2026-01-01T00:00:00.000Z'
    expect(message({ pod: 'cart-0' })).toBe(`${first} looks into pod "shop/cart-0"; alerts start no other one for 3600 s`)
    expect(message({ pod: 'cart-1' })).toBe(`${first} looks into the same trouble; alerts start no other one for 3600 s`)
  })

  test('of nought seconds is none, also where the clocks of two processes differ', () => {
    const { brief } = ledger({ podCooldownSeconds: 0, workloadCooldownSeconds: 0 })
    expect([brief(10, { pod: 'cart-0' }), brief(10, { pod: 'cart-0' }), brief(5, { pod: 'cart-0' })]).toEqual(['start', 'start', 'start'])
  })

  test('holds for what another process with a later clock put down', () => {
    const { brief } = ledger()
    expect([brief(10, { pod: 'cart-0' }), brief(5, { pod: 'cart-0' })]).toEqual(['start', 'pod-cooldown ad-1'])
  })
})

describe('the ledger', () => {
  test('forgets what is older than every limit looks back', () => {
    const { brief, now } = ledger({ podCooldownSeconds: 5, workloadCooldownSeconds: 8000, storm: { diagnoses: 9, seconds: 10 } })
    for (const seconds of [0, 1, 8000]) expect(brief(seconds, { trouble: `${seconds}`, pod: `${seconds}` })).toBe('start')
    expect(now.entries.map(({ id }) => id)).toEqual(['ad-2', 'ad-3'])
  })

  test('knows an alert for an hour, however short the limits are', () => {
    const { brief, now } = ledger({ podCooldownSeconds: 0, workloadCooldownSeconds: 0, storm: { diagnoses: 9, seconds: 1 } })
    expect([brief(0, { alert: 'al-1' }), brief(3000), brief(3000, { alert: 'al-1' })]).toEqual(['start', 'start', 'again'])
    expect([brief(3600), now.entries.length]).toEqual(['start', 2])
  })

  test('has a hard end: the oldest go first', () => {
    const entries = Array.from({ length: maxEntries + 5 }, (_, at): Started => {
      const name = `${at}`
      return { id: name, at: new Date(start).toISOString(), alert: name, trouble: name, namespace: name, workload: name, pod: name }
    })
    const limits = intake.parse({ storm: { diagnoses: 10_000 } })
    const wanted = { alert: 'new', trouble: 'new', namespace: 'new', workload: 'new' }
    const decision = decide(entries, wanted, limits, start, () => 'new')
    const left = decision.kind === 'start' ? decision.entries : []
    expect([left.length, left[0]?.id, left.at(-1)?.id]).toEqual([maxEntries, '6', 'new'])
  })

  test('fits in a row of 2 MB with the longest names', () => {
    const longest = 'x'.repeat(253)
    const entry: Started = {
      id: `ad-${'0'.repeat(20)}`,
      at: new Date(start).toISOString(),
      alert: `al-${'0'.repeat(20)}`,
      trouble: `tr-${'0'.repeat(20)}`,
      namespace: 'x'.repeat(63),
      workload: `${'x'.repeat(63)}/${longest}`,
      pod: longest,
    }
    expect(JSON.stringify(entry).length * maxEntries).toBeLessThan(2_000_000)
  })
})

describe('whatever is asked', () => {
  const asked = fc.record({
    wait: fc.integer({ min: 0, max: 40 }),
    alert: fc.integer({ min: 0, max: 60 }),
    name: fc.integer({ min: 0, max: 3 }),
    workload: fc.integer({ min: 0, max: 2 }),
    pod: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  })
  const config = fc.record({
    podCooldownSeconds: fc.constantFrom(0, 30, 90),
    workloadCooldownSeconds: fc.constantFrom(0, 60, 120),
    podsPerTrouble: fc.integer({ min: 1, max: 3 }),
    podsPerWorkload: fc.integer({ min: 1, max: 4 }),
    storm: fc.record({ diagnoses: fc.integer({ min: 1, max: 6 }), seconds: fc.constantFrom(1, 50, 200) }),
  })

  test('no limit is passed in any window, an alert starts once, and what is suppressed has what stands for it', () => {
    fc.assert(
      fc.property(config, fc.array(asked, { maxLength: 60 }), (limits, asks) => {
        const { ask, limits: parsed } = ledger(limits)
        // Every start there ever was; the ledger itself may forget.
        const all: Started[] = []
        let seconds = 0
        for (const { wait, alert, name, workload, pod } of asks) {
          seconds += wait
          const owner = `deployment/${workload}`
          const facts = { alert: `al-${alert}`, trouble: `tr-${workload}-${name}`, workload: owner }
          const decision = ask(seconds, pod === undefined ? facts : { ...facts, pod: `${workload}-${pod}` })
          if (decision.kind === 'start') {
            // The steps of a sequence take less than an hour in all.
            expect(all.map((entry) => entry.alert)).not.toContain(facts.alert)
            all.push(decision.entry)
            check(all, seconds, parsed)
          } else if (decision.kind === 'again') expect(all).toContainEqual(decision.entry)
          else {
            const by = all.find(({ id }) => id === decision.diagnosis)
            expect(by === undefined).toBe(decision.why === 'storm')
            if (decision.why === 'same-trouble') expect(by?.trouble).toBe(facts.trouble)
            if (by) expect(by.workload).toBe(owner)
          }
        }
      }),
    )
  })

  /** The limits once more, counted over the window that ends now. */
  function check(all: readonly Started[], seconds: number, limits: ReturnType<typeof intake.parse>) {
    const within = (window: number) => all.filter(({ at }) => start + seconds * 1000 - Date.parse(at) < window * 1000)
    const most = (entries: readonly Started[], key: (entry: Started) => string | undefined, count = (group: readonly Started[]) => group.length) => {
      const groups = Object.groupBy(
        entries.filter((entry) => key(entry) !== undefined),
        (entry) => key(entry) ?? '',
      )
      return Math.max(0, ...Object.values(groups).map((group) => count(group ?? [])))
    }
    const pods = (group: readonly Started[]) => new Set(group.map(({ pod, id }) => pod ?? id)).size
    expect(most(within(limits.podCooldownSeconds), ({ pod }) => pod)).toBeLessThanOrEqual(1)
    const recent = within(limits.workloadCooldownSeconds)
    expect(most(recent, ({ trouble }) => trouble)).toBeLessThanOrEqual(limits.podsPerTrouble)
    expect(most(recent, ({ workload }) => workload, pods)).toBeLessThanOrEqual(limits.podsPerWorkload)
    expect(within(limits.storm.seconds).length).toBeLessThanOrEqual(limits.storm.diagnoses)
  }
})
