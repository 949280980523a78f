import { introspectWorkflowInstance } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { durableStep } from '../../src/hosts/workflows-engine.ts'
import { runs } from './main.ts'

test('a step gives what it saved', async () => {
  runs.set('saved', async (step) => {
    const durable = durableStep(step)
    const saved = await durable.run('a', async () => ({ text: 'x', nothing: undefined }))
    return { saved, nothing: (await durable.run('b', async () => undefined)) === undefined }
  })
  await using instance = await introspectWorkflowInstance(env.DIAGNOSIS, 'saved')
  await env.DIAGNOSIS.create({ id: 'saved' })
  await instance.waitForStatus('complete')
  expect(await instance.getOutput()).toEqual({ saved: { text: 'x' }, nothing: true })
})
