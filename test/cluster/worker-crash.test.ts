import { afterAll, describe, expect, test } from 'vitest'
import type { State } from '../../src/diagnosis/diagnosis.ts'
import { isLab, needsLab, useNamespace } from './environment.ts'
import { listObjects, openBundle } from './lab-store.ts'
import { create, fruitPod, getPod, isReady, kubectlAgain, podThat } from './pods.ts'
import { redmineLab } from './redmine-lab.ts'
import { useService } from './service.ts'

needsLab()

describe('kill -9 of the service on Workers', () => {
  const namespace = useNamespace('worker-crash')
  const service = useService({ host: 'Workers', watched: [namespace] })
  const redmine = isLab ? redmineLab() : undefined
  afterAll(() => redmine?.clean())

  const states: readonly State[] = ['accepted', 'gathering', 'injecting', 'listening', 'sealing']
  /** Begins diagnoses until one is seen in that state, each of a pod of its own: some states last for a few milliseconds. */
  async function caught(state: State, report: string): Promise<{ readonly id: string; readonly pod: string }> {
    for (let attempt = 1; attempt <= 10; attempt++) {
      const pod = `${state}-${attempt}`
      await create(namespace, fruitPod(pod, 'bananas'))
      await podThat(namespace, pod, isReady)
      const { id } = await service.begin({ pod: `${namespace}/${pod}`, checks: ['http=http://localhost:8080/'], report })
      for (let now: State = 'accepted'; states.indexOf(now) <= states.indexOf(state); now = (await service.get(id)).state) {
        if (now === state) return { id, pod }
        if (!states.includes(now)) break
      }
      await service.until(id, (now) => now.state === 'done')
    }
    throw new Error(`no diagnosis was seen ${state}`)
  }

  test.each(states)('while it is %s: every container once, every line once, one bundle and one note', async (state) => {
    const issue = (await redmine?.newIssue()) ?? ''
    const { id, pod } = await caught(state, `redmine:${issue}`)
    const before = (await redmine?.notesOf(issue))?.length ?? 0
    await service.crash(id)
    const diagnosis = await service.until(id, (now) => now.state === 'done')

    expect(diagnosis).toMatchObject({ outcome: 'complete', reported: { kind: 'written' } })
    const names = diagnosis.containers.map(({ name }) => name)
    const added = (await getPod(namespace, pod)).spec.ephemeralContainers?.map(({ name }) => name).sort()
    expect(added).toEqual(names)
    expect(names.length).toBeLessThanOrEqual(2)

    const keys = await listObjects(`${service.prefix}diagnoses/${id}/`)
    expect(keys.filter((key) => key.endsWith('.tar.gz'))).toEqual([`${service.prefix}${diagnosis.bundle?.key}`])
    const link = await service.call('GET', `/v1/diagnoses/${id}/bundle`)
    const bundle = await openBundle(await (await fetch(link.headers.get('location') ?? '')).arrayBuffer())
    for (const name of names) {
      const printed = await kubectlAgain(['-n', namespace, 'logs', pod, '-c', name])
      expect(printed).toMatch(/\n# autodiagnose end lines=\d+ bytes=\d+\n$/)
      expect(bundle.text(`autodiagnose/${namespace}/${pod}/${name}-stdout.txt`)).toBe(printed)
    }
    expect(await redmine?.notesOf(issue)).toHaveLength(before + 1)
  })
})
