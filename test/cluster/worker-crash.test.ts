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
  test.each(states)('while it is %s: every container once, every line once, one bundle and one note', async (state) => {
    const issue = (await redmine?.newIssue()) ?? ''
    await create(namespace, fruitPod(state, 'bananas'))
    await podThat(namespace, state, isReady)

    const { id } = await service.begin({ pod: `${namespace}/${state}`, checks: ['http=http://localhost:8080/'], report: `redmine:${issue}` })
    const reached = states.slice(states.indexOf(state))
    if (state !== 'accepted') await service.until(id, (now) => reached.includes(now.state) || now.state === 'sharing' || now.state === 'done')
    await service.crash(id)
    const diagnosis = await service.until(id, (now) => now.state === 'done')

    expect(diagnosis).toMatchObject({ outcome: 'complete', reported: { kind: 'written' } })
    const names = diagnosis.containers.map(({ name }) => name)
    const added = (await getPod(namespace, state)).spec.ephemeralContainers?.map(({ name }) => name).sort()
    expect(added).toEqual(names)
    expect(names.length).toBeLessThanOrEqual(2)

    const keys = await listObjects(`${service.prefix}diagnoses/${id}/`)
    expect(keys.filter((key) => key.endsWith('.tar.gz'))).toEqual([`${service.prefix}${diagnosis.bundle?.key}`])
    const link = await service.call('GET', `/v1/diagnoses/${id}/bundle`)
    const bundle = await openBundle(await (await fetch(link.headers.get('location') ?? '')).arrayBuffer())
    for (const name of names) {
      const printed = await kubectlAgain(['-n', namespace, 'logs', state, '-c', name])
      expect(printed).toMatch(/\n# autodiagnose end lines=\d+ bytes=\d+\n$/)
      expect(bundle.text(`autodiagnose/${namespace}/${state}/${name}-stdout.txt`)).toBe(printed)
    }
    expect(await redmine?.notesOf(issue)).toHaveLength(1)
  })
})
