import { describe, expect, test } from 'vitest'
import type { Deps } from '../../src/deps.ts'
import { StoreUnavailable } from '../../src/ports/store/store.ts'
import { type Tracker, TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { id, MemoryStep, storyWorld } from './story-world.ts'

/** The real tracker behind one that fails with these in turn. */
const troubled =
  (errors: Error[]) =>
  ({ trackers }: Deps): Partial<Deps> => {
    const real = trackers.get('bugs') as Tracker
    const writeNote: Tracker['writeNote'] = async (...args) => {
      const error = errors.shift()
      if (error) throw error
      return real.writeNote(...args)
    }
    return { trackers: new Map([['bugs', { ...real, writeNote }]]) }
  }

describe('diagnose', () => {
  test('passes the stages in order, and repeats nothing though every step runs twice', async () => {
    const { tell, notes, containers, deps, url } = await storyWorld()
    const step = new MemoryStep(2)
    const told = await tell({ checks: [] }, step)
    expect(told).toMatchObject({ state: 'done', outcome: 'complete', containers: [{ name: `${id}-1`, proven: true, exitCode: 0, gaps: [] }] })
    // The URL was found by itself.
    expect(told.findings[0]).toMatchObject({ check: 'http', severity: 'error', source: 'container' })
    expect(told.findings[0]?.title).toContain(url)
    expect(told.findings[0]?.title).toContain('500')
    expect(step.failures).toEqual([])
    expect(step.names.filter((name) => !name.startsWith('listen-'))).toEqual([
      'gather',
      'plan-1',
      'inject-1',
      'start-1',
      'end-1',
      'compare',
      'conclude',
      'seal',
      'share-1',
      'finish',
    ])
    expect(await containers()).toEqual([`${id}-1`])
    expect(await notes()).toMatchObject([{ marker: id, outcome: 'complete' }])
    expect(told.reported).toMatchObject({ kind: 'written', noteId: id })
    expect(await deps.store.head(told.bundle?.key ?? '')).toEqual({ bytes: told.bundle?.bytes })
  })

  test('refuses with the reason, and bundles and shares the evidence', async () => {
    const { tell, notes, containers } = await storyWorld({ harm: { paused: true } })
    const step = new MemoryStep(2)
    const told = await tell({}, step)
    expect(told).toMatchObject({ state: 'done', outcome: 'refused', refusal: { code: 'paused' }, containers: [], pod: { container: 'app' } })
    expect(told.bundle?.bytes).toBeGreaterThan(0)
    expect(step.names).toEqual(['gather', 'plan-1', 'compare', 'conclude', 'seal', 'share-1', 'finish'])
    expect(await containers()).toEqual([])
    expect(await notes()).toMatchObject([{ outcome: 'refused' }])
  })

  test('refuses a pod that is not there', async () => {
    const told = await (await storyWorld()).tell({ target: { kind: 'pod', namespace: 'demo', name: 'nobody' } })
    expect(told).toMatchObject({ state: 'done', outcome: 'refused', refusal: { code: 'pod-not-found' } })
    expect(told.bundle?.bytes).toBeGreaterThan(0)
  })

  test('fails with the waiting reason where the container does not start', async () => {
    const { tell, notes } = await storyWorld({ diagnosis: { image: 'registry.example/nothing:1', startDeadlineSeconds: 1 } })
    const told = await tell()
    expect(told).toMatchObject({ outcome: 'failed', explanation: expect.stringMatching(/did not start in time, ErrImagePull: .*no such image/) })
    expect(told.containers).toMatchObject([{ name: `${id}-1`, proven: false }])
    expect(await notes()).toMatchObject([{ outcome: 'failed' }])
  })

  test('is cancelled before anything is added', async () => {
    const { tell, containers, deps } = await storyWorld()
    const told = await tell({}, new MemoryStep(1, (name) => (name === 'plan-1' ? deps.records.requestCancel(id) : Promise.resolve())))
    expect(told).toMatchObject({ state: 'done', outcome: 'cancelled', explanation: 'cancelled before a container was added' })
    expect(await containers()).toEqual([])
  })

  test('is cancelled while it listens, and still sealed and shared', async () => {
    const { tell, notes, deps } = await storyWorld()
    const told = await tell({}, new MemoryStep(2, (name) => (name === 'listen-1-1' ? deps.records.requestCancel(id) : Promise.resolve())))
    expect(told).toMatchObject({ state: 'done', outcome: 'cancelled', containers: [{ name: `${id}-1` }] })
    expect(told.bundle?.bytes).toBeGreaterThan(0)
    expect(await notes()).toMatchObject([{ outcome: 'cancelled' }])
  })

  test('waits for a tracker that is down, saying so, and writes one note when it is up', async () => {
    const secret = 'password=made-up-hunter2'
    const errors = [new TrackerUnavailable(`down: ${secret}`, 1000), new TrackerUnavailable('still down', 3_600_000)]
    const delays: unknown[] = []
    const world = await storyWorld({ harm: { paused: true } }, (deps) => {
      const update: Deps['records']['update'] = (which, change) => {
        if (change.reported) delays.push(change.reported)
        return deps.records.update(which, change)
      }
      const records = new Proxy(deps.records, {
        get: (target, key) => {
          if (key === 'update') return update
          const value: unknown = Reflect.get(target, key)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      return { ...troubled(errors)(deps), records }
    })
    const step = new MemoryStep(1)
    const told = await world.tell({}, step)
    expect(told).toMatchObject({ state: 'done', reported: { kind: 'written', noteId: id } })
    // Nothing is held open meanwhile, and the tracker's own word counts where it is longer.
    expect(step.failures).toEqual([])
    expect(step.pauses).toEqual([
      ['share-1-pause', 1000],
      ['share-2-pause', 3_600_000],
    ])
    expect(delays).toMatchObject([{ kind: 'delayed' }, { kind: 'delayed', message: 'still down' }, { kind: 'written' }])
    expect(JSON.stringify(delays)).not.toContain('hunter2')
    expect(await world.notes()).toHaveLength(1)
  })

  test('ends though the tracker rejects the note, and keeps why, redacted', async () => {
    const { tell } = await storyWorld({ harm: { paused: true } }, troubled([new TrackerRejected('no such issue, token=made-up-hunter2')]))
    const told = await tell()
    expect(told).toMatchObject({
      state: 'done',
      outcome: 'refused',
      reported: { kind: 'rejected', message: expect.stringContaining('no such issue') },
    })
    expect(JSON.stringify(told)).not.toContain('hunter2')
  })

  test('outlasts a store that is down for a while', async () => {
    let down = 4
    const { tell } = await storyWorld({}, ({ store }) => ({
      store: {
        ...store,
        create: async (...args) => {
          if (down-- > 0) throw new StoreUnavailable('slow down')
          return store.create(...args)
        },
      },
    }))
    expect(await tell()).toMatchObject({ state: 'done', outcome: 'complete' })
    expect(down).toBeLessThan(0)
  })

  test('tells what it found though the bundle cannot be written', async () => {
    const { tell, notes } = await storyWorld({}, ({ store }) => ({
      store: { ...store, createFromStream: () => Promise.reject(new TypeError('made-up bug')) },
    }))
    const told = await tell()
    expect(told).toMatchObject({ state: 'done', outcome: 'incomplete', explanation: 'Cannot seal the bundle: made-up bug' })
    expect(told.findings[0]?.title).toContain('500')
    expect(told.bundle).toBeUndefined()
    expect(await notes()).toMatchObject([{ outcome: 'incomplete' }])
  })
})
