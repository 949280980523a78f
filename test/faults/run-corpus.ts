import { slots } from '../../src/diagnosis/gather/slots.ts'
import type { FaultCase } from './corpus.ts'
import { diagnosticImage } from './diagnostic-image.ts'
import { startApi } from './ready.ts'
import { type Result, runCase, type World } from './run-case.ts'
import { startFaultService } from './service.ts'

export interface CorpusOptions {
  readonly folder: string
  /** Cases that are up at once; default 9. */
  readonly up?: number
  /** Those of them that are diagnosed at once; default 3: harm.perNode allows no more on one node. */
  readonly atOnce?: number
  readonly keep?: boolean
  readonly signal?: AbortSignal
  /** Is told of each case as it is done, in no order. */
  readonly onResult?: (result: Result) => void
}

/** Diagnoses every case through a service of its own against the lab. The results are in the order of the cases. */
export async function runCorpus(cases: readonly FaultCase[], options: CorpusOptions): Promise<readonly Result[]> {
  const { folder, up = 9, atOnce = 3, keep = false, signal = new AbortController().signal, onResult } = options
  const service = await startFaultService(await diagnosticImage(), { toolsets: await toolsetsOf(cases) })
  const api = await startApi()
  try {
    const world: World = { folder, service, api, turn: slots(atOnce), keep, signal }
    const results: Result[] = []
    const queue = cases.map((one, at) => ({ one, at }))
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const result = await runCase(next.one, world)
        results[next.at] = result
        onResult?.(result)
      }
    }
    const ended = await Promise.allSettled(Array.from({ length: up }, work))
    for (const one of ended) if (one.status === 'rejected') throw one.reason
    return results
  } finally {
    api.close()
    await service.stop()
  }
}

/** Those that the cases ask for, with the profile that their tools want. */
async function toolsetsOf(cases: readonly FaultCase[]): Promise<Record<string, { image: string; profile: 'auto' | 'netadmin' }>> {
  const toolsets: Awaited<ReturnType<typeof toolsetsOf>> = {}
  for (const name of new Set(cases.flatMap(({ asked }) => asked?.toolset ?? []))) {
    toolsets[name] = { image: await diagnosticImage(name), profile: name === 'net' ? 'netadmin' : 'auto' }
  }
  return toolsets
}
