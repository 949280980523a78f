import { introspectWorkflowInstance } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Step } from '../../src/deps.ts'
import { durableStep } from '../../src/hosts/workflows-engine.ts'
import { runs } from './main.ts'

/** Of a crash, test/cluster/worker-crash.test.ts: nothing ends the engine here in the middle of a step. */

/** Makes a run of this id do that, when it is created. */
function define(id: string, work: (step: Step) => Promise<unknown>): void {
  runs.set(id, (step) => work(durableStep(step)))
}

test('a step gives what it saved, as JSON', async () => {
  define('saved', async (step) => {
    const saved = await step.run('a', async () => ({ text: 'ü', nothing: undefined, list: [1, undefined] }))
    return { saved, keys: Object.keys(saved), nothing: (await step.run('b', async () => undefined)) === undefined }
  })
  await using instance = await introspectWorkflowInstance(env.DIAGNOSIS, 'saved')
  await env.DIAGNOSIS.create({ id: 'saved' })
  await instance.waitForStatus('complete')
  expect(await instance.getOutput()).toEqual({ saved: { text: 'ü', list: [1, null] }, keys: ['text', 'list'], nothing: true })
})

test('a step that throws is tried again, and what was saved before it is not', async () => {
  const effects: string[] = []
  define('retried', async (step) => {
    await step.run('a', async () => void effects.push('a'))
    return step.run('b', async () => {
      effects.push('b')
      if (effects.length < 5) throw new Error('The store is away')
      return effects.length
    })
  })
  await using instance = await introspectWorkflowInstance(env.DIAGNOSIS, 'retried')
  await instance.modify((modifier) => modifier.disableRetryDelays())
  await env.DIAGNOSIS.create({ id: 'retried' })
  await instance.waitForStatus('complete')
  expect(effects).toEqual(['a', 'b', 'b', 'b', 'b'])
  expect(await instance.getOutput()).toBe(5)
})

test('an outage of a hundred tries does not end a run', async () => {
  define('outlasted', (step) => step.run('a', async () => 'done'))
  await using instance = await introspectWorkflowInstance(env.DIAGNOSIS, 'outlasted')
  await instance.modify(async (modifier) => {
    await modifier.disableRetryDelays()
    await modifier.mockStepError({ name: 'a' }, new Error('The API server is away'), 100)
  })
  await env.DIAGNOSIS.create({ id: 'outlasted' })
  await instance.waitForStatus('complete')
  expect(await instance.getOutput()).toBe('done')
})

test('a step that outlasts its time is run again', async () => {
  define('timed-out', (step) => step.run('a', async () => 'done'))
  await using instance = await introspectWorkflowInstance(env.DIAGNOSIS, 'timed-out')
  await instance.modify(async (modifier) => {
    await modifier.disableRetryDelays()
    await modifier.forceStepTimeout({ name: 'a' }, 2)
  })
  await env.DIAGNOSIS.create({ id: 'timed-out' })
  await instance.waitForStatus('complete')
})
