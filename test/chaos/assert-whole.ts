import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { View } from '../../src/api/view.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import type { Site } from './site.ts'
import type { World } from './world.ts'

/**
 * Asserts that a diagnosis went as if nothing had happened: complete, each container added once, each line of its log there once, one bundle
 * that tar opens, one note.
 */
export async function assertWhole(world: World, site: Site, pod: string, view: View, containers = 1): Promise<void> {
  expect(view).toMatchObject({ state: 'done', outcome: 'complete', redactions: {}, reported: { kind: 'written' } })
  const names = Array.from({ length: containers }, (_, n) => `${view.id}-${n + 1}`)
  expect(view.containers.map(({ name, proven, gaps }) => ({ name, proven, gaps }))).toEqual(names.map((name) => ({ name, proven: true, gaps: [] })))

  const path = `/api/v1/namespaces/chaos/pods/${pod}`
  const { spec } = JSON.parse(await world.kube('GET', path)) as RawPod
  // Kubernetes puts a new one before the others.
  expect(spec.ephemeralContainers?.map(({ name }) => name).sort()).toEqual(names)

  const files = await site.unpack(view.id)
  expect(JSON.parse(files.get('autodiagnose/diagnosis.json') ?? '')).toMatchObject({ id: view.id, outcome: 'complete' })
  expect([...files.keys()].filter((file) => file.endsWith('-stdout.txt'))).toHaveLength(containers)
  for (const name of names) {
    const printed = await world.kube('GET', `${path}/log?container=${name}`)
    expect(printed).toMatch(/^TAP version 14\n[\s\S]*\n# autodiagnose end lines=\d+ bytes=\d+\n$/)
    expect(files.get(`autodiagnose/chaos/${pod}/${name}-stdout.txt`)).toBe(printed)
  }
  expect(view.findings.filter(({ source, title }) => source === 'container' && title.includes('500'))).not.toEqual([])

  const store = join(site.options.directory, 'store')
  const objects = (await readdir(store, { recursive: true })).filter((file) => file.includes(view.id) && file.endsWith('.tar.gz'))
  expect(objects).toEqual([join('objects', view.bundle?.key ?? '')])
  expect(await readdir(join(store, 'partial'))).toEqual([])

  const sent = world.deliveries.filter(({ marker }) => marker === view.id)
  expect(new Set(sent.map(({ webhookId }) => webhookId)).size).toBe(1)
  expect(sent[0]?.body).toContain('500')
}
