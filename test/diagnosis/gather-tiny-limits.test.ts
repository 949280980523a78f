import { expect, test } from 'vitest'
import { captured, changed, event, findingsOf, quiet } from './gather-world.ts'

const web = captured('healthy-web')
const creating = { name: 'shop', restartCount: 0, ready: false, state: { waiting: { reason: 'ContainerCreating' } } }

test.each([
  ['100m', 'which is 100 thousandths of a byte'],
  ['64', 'which is 64 bytes'],
  ['64k', 'which is 64000 bytes'],
])('a memory limit of %s is told before what comes of it', async (memory, said) => {
  const waiting = { phase: 'Pending', containerStatuses: [creating], conditions: [] }
  const mount = event('FailedMount', 'MountVolume.SetUp failed for volume "kube-api-access-x" : write /x: no space left on device')
  const world = { ...quiet(changed(web, { container: { resources: { limits: { memory } } }, status: waiting })), events: { items: [mount] } }
  expect((await findingsOf(world))[0]).toMatchObject({
    id: 'tiny-limit/shop/memory',
    title: `Container shop cannot start with its memory limit of ${memory}, ${said}`,
  })
})

test.each([
  ['3Mi', 'Failed', 'Error: failed to create containerd task: runc create failed: container init was OOM-killed (memory limit too low?): unknown'],
  ['40Mi', 'Failed', 'Error: container init was OOM-killed (memory limit too low?): unknown'],
  ['4Mi', 'FailedCreatePodSandBox', 'Failed to create pod sandbox: failed to start sandbox container task: cannot start a stopped process: unknown'],
  ['64Mi', 'FailedCreatePodSandBox', 'Failed to create pod sandbox: failed to start sandbox container task: cannot start a stopped process: unknown'],
])('a memory limit of %s by which a container is killed as it starts: %s', async (memory, reason, message) => {
  const waiting = { phase: 'Pending', containerStatuses: [creating], conditions: [] }
  const about = reason === 'Failed' ? { involvedObject: { fieldPath: 'spec.containers{shop}' } } : {}
  const world = changed(web, { container: { resources: { limits: { memory } } }, status: waiting })
  const [first] = await findingsOf({ ...quiet(world), events: { items: [event(reason, message, about)] } })
  if (memory === '64Mi') expect(first?.id).toBe('sandbox/failed')
  else expect(first?.title).toMatch(`Container shop cannot start, its memory limit of ${memory} is too low: `)
})
