import { expect, it } from 'vitest'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { useWorld } from '../chaos/world.ts'

const world = useWorld()

it.each([
  ['is added for the checks that look into the target', ['processes', 'print=3', 'blind'], 2, ['processes']],
  ['is not added where none of the checks looks into the target', ['print=3', 'blind'], 1, ['print=3', 'blind']],
])('the second container of a diagnosis %s', { timeout: 60_000 }, async (_, checks, containers, last) => {
  const site = await world.newSite('printer')
  try {
    const name = await world.newPod()
    await site.start()
    const { id } = await site.ask({ pod: `chaos/${name}`, checks }, 'key-1')
    const view = await site.untilDone(id)
    expect(view).toMatchObject({ outcome: 'complete' })
    const pod = JSON.parse(await world.kube('GET', `/api/v1/namespaces/chaos/pods/${name}`)) as RawPod
    const added = (pod.spec.ephemeralContainers ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    expect(added.map((container) => container.name)).toEqual(view.containers.map((container) => container.name))
    expect(added).toHaveLength(containers)
    expect(added.at(-1)?.args?.filter((arg) => !arg.startsWith('--'))).toEqual(last)
  } finally {
    await site.stop()
  }
})
