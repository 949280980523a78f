import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { isLab, kubectl, needsLab } from './environment.ts'
import { useService } from './service.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../lab/faults/fault', import.meta.url))
const fault = async (...args: readonly string[]): Promise<string> => (await run(program, [...args])).stdout.trim()

const faulty = ['backend-500', 'name-unknown', 'listens-localhost']
const cases = [...faulty, 'healthy-web']
const namespaceOf = (name: string) => `fault-${name}`

describe('a real fault', { timeout: 60_000 }, () => {
  needsLab()
  const pods = new Map<string, string>()
  beforeAll(async () => {
    if (!isLab) return
    // The first builds the image; a namespace of an earlier run may still be going.
    for (const name of cases) await vi.waitFor(() => fault('up', name), { timeout: 60_000, interval: 1000 })
    await Promise.all(
      cases.map(async (name) => {
        const [namespace, pod] = (await fault('wait', name)).split(' ')
        pods.set(name, `${namespace}/${pod}`)
      }),
    )
  }, 90_000)
  afterAll(async () => {
    if (isLab) await kubectl(['delete', 'namespace', ...cases.map(namespaceOf), '--ignore-not-found', '--wait=false'])
  })
  // Just started, their memory is not measured yet.
  const service = useService({ watched: cases.map(namespaceOf), harm: { unknownHeadroom: 'inject' } })

  test.concurrent.each(faulty)('is the first finding: %s', async (name) => {
    const { findings } = await service.diagnose({ pod: pods.get(name) })
    // The name of the case is the name of its namespace, and gives it away.
    const first = findings[0]?.title.replaceAll(namespaceOf(name), '') ?? ''
    expect(first, JSON.stringify(findings)).toMatch(new RegExp(await fault('meta', name, 'expect'), 'i'))
  })

  test.concurrent('is not found where there is none', async () => {
    const { findings, outcome } = await service.diagnose({ pod: pods.get('healthy-web') })
    expect(outcome).toBe('complete')
    // Of its start the events may still tell.
    expect(findings.filter(({ severity, source }) => severity === 'error' || source === 'container')).toEqual([])
  })
})
