import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readCorpus } from '../faults/corpus.ts'
import { runCorpus } from '../faults/run-corpus.ts'
import { needsLab } from './environment.ts'

const folder = fileURLToPath(new URL('../lab/faults', import.meta.url))

/** A few of each kind; `npm run test:faults` runs all of them, and keeps the score. */
const names = ['backend-500', 'name-unknown', 'listens-localhost', 'config-key-missing', 'healthy-web']

describe('a real fault', { timeout: 600_000 }, () => {
  needsLab()

  test('is the first finding, and there is none where nothing is wrong', async () => {
    const results = await runCorpus(readCorpus(folder, names), { folder })
    const told = results.map(({ one, verdict, note, diagnosis }) => [one.name, verdict, ...(verdict === 'ok' ? [] : [note, diagnosis?.findings])])
    expect(told).toEqual(names.toSorted().map((name) => [name, 'ok']))
  })
})
