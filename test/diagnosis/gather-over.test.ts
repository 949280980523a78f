import { describe, expect, test } from 'vitest'
import { captured, changed, event, findingsOf, quiet, secondsAgo } from './gather-world.ts'

const web = captured('healthy-web')

test.each([
  ['just after', 40, 1, 1, true],
  ['as the others were', 500, 0, 2, true],
  ['long after, with an error of its own', 500, 1, 2, false],
  ['and the kubelet killed it once of many times', 500, 0, 1, false],
])('a container that ended %s a kill for its probe', async (_, killed, exitCode, count, byProbe) => {
  const lastState = { terminated: { exitCode, reason: 'Error', startedAt: secondsAgo(60), finishedAt: secondsAgo(38) } }
  const status = {
    containerStatuses: [{ name: 'shop', restartCount: 4, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState }],
    conditions: [],
  }
  const about = { involvedObject: { fieldPath: 'spec.containers{shop}' }, lastTimestamp: secondsAgo(killed), count }
  const items = [
    event('Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 500', about),
    event('Killing', 'Container shop failed liveness probe, will be restarted', { ...about, type: 'Normal' }),
  ]
  const ids = (await findingsOf({ ...quiet(changed(web, { status })), events: { items } })).map(({ id }) => id)
  expect(ids).toEqual(byProbe ? ['probe/shop/liveness'] : ['probe/shop/liveness', 'exit-history/shop/exited'])
})

describe('what is over', () => {
  test.each([
    ['with a probe that passes', { readinessProbe: { httpGet: { port: 8080 } } }, 0, []],
    ['without a probe', { readinessProbe: undefined }, 0, ['exit-history/shop/exited']],
    ['with an error', { readinessProbe: { httpGet: { port: 8080 } } }, 1, ['exit-history/shop/exited']],
  ])('a first run of a moment, %s', async (_, container, exitCode, ids) => {
    const lastState = { terminated: { exitCode, reason: 'Ended', startedAt: secondsAgo(8), finishedAt: secondsAgo(7) } }
    const running = { startedAt: secondsAgo(5) }
    const status = { containerStatuses: [{ name: 'shop', restartCount: 1, ready: true, state: { running }, lastState }], conditions: [] }
    const world = quiet(changed(web, { container, status, metadata: { creationTimestamp: secondsAgo(10) } }))
    expect((await findingsOf(world)).map(({ id }) => id)).toEqual(ids)
  })

  const ready = { type: 'Ready', status: 'True', lastTransitionTime: secondsAgo(60) }
  test('warnings of before the pod was ready', async () => {
    const late = event('FailedMount', 'MountVolume.SetUp failed for volume "a" : failed to sync', { lastTimestamp: secondsAgo(90) })
    expect(await findingsOf({ ...quiet(changed(web, { status: { conditions: [ready] } })), events: { items: [late] } })).toEqual([])
  })

  test.each([
    ['have begun', { running: { startedAt: secondsAgo(70) } }, []],
    ['wait', { waiting: { reason: 'ContainerCreating' } }, ['event/FailedToRetrieveImagePullSecret']],
  ])('the Secret of a registry that is not there, where the containers %s', async (_, state, ids) => {
    const begun = 'running' in state
    const status = {
      containerStatuses: [{ name: 'shop', restartCount: 0, ready: begun, state }],
      initContainerStatuses: [],
      conditions: begun ? [ready] : [],
    }
    const items = [event('FailedToRetrieveImagePullSecret', 'Unable to retrieve some image pull secrets (depot)')]
    const world = changed(web, { spec: { initContainers: [] }, status })
    expect((await findingsOf({ ...quiet(world), events: { items } })).map(({ id }) => id)).toEqual(ids)
  })

  // Eight asks, every two seconds, before a kill; the pod is ready at once, for it has no readiness probe.
  const livenessProbe = { httpGet: { port: 8080 }, initialDelaySeconds: 2, periodSeconds: 2, failureThreshold: 8 }
  test.each([
    ['among the first asks of a slow start', 30, 17, []],
    ['among the first asks, and perhaps still', 20, 3, ['probe/shop/liveness']],
    ['after the first asks, too', 300, 60, ['probe/shop/liveness']],
  ])('failures of a liveness probe %s', async (_, begun, failed, ids) => {
    const about = { involvedObject: { fieldPath: 'spec.containers{shop}' }, lastTimestamp: secondsAgo(failed), count: 4 }
    const items = [event('Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 503', about)]
    const status = {
      containerStatuses: [{ name: 'shop', restartCount: 0, ready: true, state: { running: { startedAt: secondsAgo(begun) } } }],
      conditions: [{ ...ready, lastTransitionTime: secondsAgo(begun) }],
    }
    const world = changed(web, { container: { livenessProbe }, status })
    expect((await findingsOf({ ...quiet(world), events: { items } })).map(({ id }) => id)).toEqual(ids)
  })

  test.each([
    ['one failure while it came up', 1, 100, 98, 95, []],
    ['a failure after hours', 1, 20_000, 120, 95, ['exit-history/shop/exited']],
    ['failures again and again', 3, 100, 20, 18, ['exit-history/shop/exited']],
  ])('%s', async (_, restartCount, age, from, to, ids) => {
    const lastState = { terminated: { exitCode: 1, reason: 'Error', startedAt: secondsAgo(from), finishedAt: secondsAgo(to) } }
    const status = {
      containerStatuses: [{ name: 'shop', restartCount, ready: true, state: { running: { startedAt: secondsAgo(to - 1) } }, lastState }],
      conditions: [ready],
    }
    expect((await findingsOf(quiet(changed(web, { status, metadata: { creationTimestamp: secondsAgo(age) } })))).map(({ id }) => id)).toEqual(ids)
  })

  test.each([
    [0, { terminated: {} }],
    [1, { waiting: { reason: 'CrashLoopBackOff' } }],
    [2, { running: {} }],
    [7, { waiting: { reason: 'CrashLoopBackOff' } }],
  ])('an end is one trouble with one id after %d restarts: %j', async (restartCount, state) => {
    const terminated = { exitCode: 1, reason: 'Error', startedAt: secondsAgo(40), finishedAt: secondsAgo(38) }
    const own = 'terminated' in state ? { state: { terminated } } : { state, lastState: { terminated } }
    const status = { containerStatuses: [{ name: 'shop', restartCount, ready: false, ...own }], conditions: [] }
    expect((await findingsOf(quiet(changed(web, { status }))))[0]).toMatchObject({ id: 'exit-history/shop/exited', severity: 'error' })
  })

  test.each<[number, string, string, RegExp]>([
    [2, 'no previous log', "OSError: [Errno 30] Read-only file system: '/var/tmp/x'", /restarted 2 times: OSError/],
    [1, 'a run that has nothing to do with the end', 'ERROR cart is full', /restarted once$/],
  ])('%s restarts with %s', async (restartCount, _, log, title) => {
    const lastState = { terminated: { exitCode: 1, reason: 'Error', startedAt: secondsAgo(500), finishedAt: secondsAgo(20) } }
    const running = { startedAt: secondsAgo(3) }
    const status = { containerStatuses: [{ name: 'shop', restartCount, ready: false, state: { running }, lastState }], conditions: [] }
    expect((await findingsOf({ ...quiet(changed(web, { status })), log })).find(({ check }) => check === 'exit-history')?.title).toMatch(title)
  })

  test.each([
    'INFO client timeout is 30s, retries on error',
    'level=info msg="batch done" errors=0 failed=0 timeouts=0',
    'INFO 12 rows, 0 errors, 0 failed, 0 timeouts, no critical errors',
    'WARN cannot reach db:5432: connection refused\nINFO connected to db:5432',
    `ERROR first try failed\n${'INFO tick\n'.repeat(20)}`,
  ])('in a log: %s', async (log) => {
    expect(await findingsOf({ ...quiet(web), log: `${log}\n` })).toEqual([])
  })

  test.each(['ERROR cannot write cart: disk is on fire', 'INFO GET http://stock:8080/: 500 Internal Server Error'])(
    'and what is not: %s',
    async (log) => {
      expect(await findingsOf({ ...quiet(web), log: `${log}\n` })).toMatchObject([{ id: 'log/trouble', severity: 'info' }])
    },
  )
})
