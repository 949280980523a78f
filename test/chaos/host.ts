import { writeSync } from 'node:fs'
import type { Deps, Step } from '../../src/deps.ts'
import { loadConfig } from '../../src/hosts/load-config.ts'
import { startService } from '../../src/hosts/node.ts'

/**
 * The service, which kills itself as `kill -9` would at the point that FAULT names: `before|after|saved STEP` around each durable
 * step (`after`: the effect was done and its result is not saved yet), or one of the points inside of effects that are named below; a number behind
 * it means that many times through. Prints the durable steps that it begins and saves, one JSON object a line.
 */
const fault = process.env.FAULT ?? ''
const seen = new Map<string, number>()

function reach(point: string): void {
  const count = (seen.get(point) ?? 0) + 1
  seen.set(point, count)
  // The kernel ends this process before the call returns.
  if (fault === `${point} ${count}` || (fault === point && count === 1)) process.kill(process.pid, 'SIGKILL')
}

function tell(event: 'begun' | 'saved', step: string, id: string): void {
  writeSync(1, `${JSON.stringify({ event, step, id, at: Date.now() })}\n`)
}

type Call = (...given: readonly unknown[]) => Promise<unknown>

/** The same object, but with something around some of its methods. */
function around<T extends object>(object: T, wraps: Partial<Record<keyof T, (call: Call) => Call>>): T {
  return new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      const call: Call = value.bind(target)
      return wraps[key as keyof T]?.(call) ?? call
    },
  })
}

/** Reaches the point when a call has succeeded and nobody has seen its answer. */
const then =
  (point: (...given: readonly unknown[]) => string) =>
  (call: Call): Call =>
  async (...given) => {
    const result = await call(...given)
    reach(point(...given))
    return result
  }

const aroundEach = <T extends object>(parts: ReadonlyMap<string, T>, wraps: Parameters<typeof around<T>>[1]) =>
  new Map([...parts].map(([name, part]) => [name, around(part, wraps)]))

function wrap(deps: Deps): Deps {
  let refusals = fault === 'start refused' ? 1 : 0
  return {
    ...deps,
    records: around(deps.records, {
      accept: then(() => 'record accepted'),
      setValue: then((key) => (String(key).startsWith('ids:') ? 'ids kept' : 'value kept')),
      markStarted: (call) => async (id) => {
        reach('run started')
        return call(id)
      },
    }),
    store: around(deps.store, {
      create: then((key) => (String(key).includes('/segments/') ? 'segment created' : 'evidence stored')),
      createFromStream: (call) =>
        then(() => 'bundle stored')((key, body, options) =>
          call(key, (body as ReadableStream<Uint8Array>).pipeThrough(reachInside('bundle half written')), options),
        ),
    }),
    clusters: aroundEach(deps.clusters, {
      addEphemeralContainer: then((_pod, _uid, _spec, options) =>
        (options as { dryRun?: boolean }).dryRun ? 'dry run answered' : 'container patched',
      ),
    }),
    trackers: aroundEach(deps.trackers, { writeNote: then(() => 'note written') }),
    runs: around(deps.runs, {
      start: (call) => async (id) => {
        if (refusals-- > 0) throw new Error('the engine does not take it now')
        return call(id)
      },
    }),
  }
}

function reachInside(point: string): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk)
      reach(point)
    },
  })
}

function wrapStep(step: Step, id: string): Step {
  return {
    ...step,
    async run(name, effect) {
      const result = await step.run(name, async () => {
        tell('begun', name, id)
        reach(`before ${name}`)
        const done = await effect()
        reach(`after ${name}`)
        return done
      })
      tell('saved', name, id)
      reach(`saved ${name}`)
      return result
    },
  }
}

const { config, secret } = loadConfig(process.env)
await startService({ config, secret, wrap, wrapStep })
