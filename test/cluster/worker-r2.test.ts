import { describe, expect, test } from 'vitest'
import { needsLab, useNamespace } from './environment.ts'
import { openBundle } from './lab-store.ts'
import { create, fruitPod, isReady, podThat } from './pods.ts'
import { useService } from './service.ts'

needsLab()

describe('the service on Workers, with R2 as its store', () => {
  const namespace = useNamespace('worker-r2')
  const service = useService({ host: 'Workers', r2: true, watched: [namespace] })

  test('has a pod diagnosed, follows its log live, and gives an expiring URL of the bundle', async () => {
    await create(namespace, fruitPod('app', 'bananas'))
    await podThat(namespace, 'app', isReady)
    const live = await service.call('POST', '/v1/diagnoses?follow', { pod: `${namespace}/app`, checks: ['http=http://localhost:8080/'] })
    const text = await live.text()
    expect(text).toMatch(/^not ok \d+ - GET http:\/\/localhost:8080\/ .*500 Internal Server Error/m)
    expect(text).toMatch(/^# outcome: complete$/m)
    const id = /\bad-[0-9a-z]{20}\b/.exec(text)?.[0] ?? ''

    const link = await service.call('GET', `/v1/diagnoses/${id}/bundle`)
    expect(link.status).toBe(302)
    const location = link.headers.get('location') ?? ''
    expect(location).toMatch(/X-Amz-Expires=300/)
    // Without any credentials of ours.
    const archive = await (await fetch(location)).arrayBuffer()
    const diagnosis = await service.get(id)
    expect(archive.byteLength).toBe(diagnosis.bundle?.bytes)
    const bundle = await openBundle(archive)
    for (const { name } of diagnosis.containers) expect(text).toContain(bundle.text(`autodiagnose/${namespace}/app/${name}-stdout.txt`))
    const unsigned = location.replace(/\?.*/, '')
    expect((await fetch(unsigned)).ok).toBe(false)
  })
})
