import { expect, onTestFinished, test } from 'vitest'
import { platform } from '#platform'
import { demoPod } from '../../src/emulator/demo-cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { intakeWorld } from './intake-world.ts'

test('an alert gets its pod one container, and the report begins with what that found', async () => {
  const emulator = await platform.openEmulator()
  onTestFinished(() => emulator.close())
  const world = await intakeWorld({ harm: { paused: false } }, { transport: emulator.transport })
  const alert = {
    name: 'HighErrorRate',
    labels: { namespace: demoPod.namespace, pod: demoPod.name },
    annotations: { summary: 'Half of the prices fail' },
  }
  await world.fire(alert)
  await world.fire(alert)
  const [diagnosis, ...others] = await world.diagnoses()
  expect(others).toEqual([])
  expect(diagnosis).toMatchObject({ outcome: 'complete', containers: [{ name: `${diagnosis?.id}-1`, proven: true }] })
  const pod = await kubernetesCluster({ name: 'main', transport: emulator.transport, clock: wallClock }).getPod(demoPod, new AbortController().signal)
  expect(pod?.spec.ephemeralContainers?.map(({ name }) => name)).toEqual([`${diagnosis?.id}-1`])
  const [issue] = await world.issues()
  expect(issue?.title).toBe(`HighErrorRate ${demoPod.namespace}/${demoPod.name}: GET ${emulator.backend} answered 500 Internal Server Error`)
  expect(issue?.notes[0]?.findings[0]).toMatchObject({ check: 'http', severity: 'error', source: 'container' })
})
