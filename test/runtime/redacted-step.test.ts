import { expect, test } from 'vitest'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { redactedStep } from '../../src/hosts/parts.ts'
import { MemoryStep } from '../diagnosis/story-world.ts'

/** What the engine is given, which keeps it and shows it. */
async function keptOf(error: unknown): Promise<unknown> {
  const kept: unknown[] = []
  const engine = {
    run: <T>(_: string, effect: () => Promise<T>) =>
      effect().catch((thrown: unknown) => {
        kept.push(thrown)
        throw thrown
      }),
    sleep: async () => undefined,
  }
  await redactedStep(engine, makeRedactor())
    .run('x', () => Promise.reject(error))
    .catch(() => undefined)
  return kept[0]
}

test('an error of a step reaches the engine without its secrets, in bounded length', async () => {
  const cause = new Error('password=hunter2hunter2')
  const kept = (await keptOf(new RangeError(`Cannot ask: token=hunter2hunter2 ${'x'.repeat(5000)}`, { cause }))) as Error
  expect(kept.message).toMatch(/^RangeError: Cannot ask: token=\*\*\*HIDDEN\*\*\* x+$/)
  expect(kept.message).toHaveLength(1000)
  expect(kept.cause).toBeUndefined()
  expect(JSON.stringify([kept.stack, kept])).not.toContain('hunter2')
  expect(await keptOf('secret: hunter2hunter2')).toMatchObject({ message: expect.not.stringContaining('hunter2') })
})

test('what a step gives, and its pauses, are those of the engine', async () => {
  const engine = new MemoryStep(1)
  const step = redactedStep(engine, makeRedactor())
  expect(await step.run('a', async () => ({ b: 1 }))).toEqual({ b: 1 })
  await step.sleep('c', 5)
  expect([engine.names, engine.pauses]).toEqual([['a'], [['c', 5]]])
})
