import { describe, expect, test } from 'vitest'
import { endLost } from '../../src/diagnose.ts'
import type { DiagnosisRequest } from '../../src/diagnosis/diagnosis.ts'
import { requestOf } from '../contract/records.ts'
import { id, MemoryStep, storyWorld } from './story-world.ts'

describe('a diagnosis whose run is lost', () => {
  test('in the middle is told as failed, with the evidence that is stored, and asks the pod for nothing', async () => {
    const { deps, tell, notes, containers } = await storyWorld()
    const lostAt = new MemoryStep(1, async (name) => {
      if (name === 'start-1') throw new Error('the engine forgot the run')
    })
    await expect(tell({}, lostAt)).rejects.toThrow('forgot')
    const before = await containers()
    const request = (await deps.records.get(id)) as DiagnosisRequest
    const step = new MemoryStep(2)
    await endLost(request, 'The run is lost, token=hunter2hunter2', step, deps)

    expect(step.names).toEqual(['conclude', 'seal', 'share-1', 'finish'])
    expect(await containers()).toEqual(before)
    const told = await deps.records.get(id)
    expect(told).toMatchObject({
      state: 'done',
      outcome: 'failed',
      explanation: 'The run is lost, token=***HIDDEN***',
      reported: { kind: 'written' },
    })
    expect(told?.findings.map(({ check }) => check)).toContain('log')
    expect(await deps.store.head(told?.bundle?.key ?? '')).toBeDefined()
    expect(await notes()).toHaveLength(1)
  })

  test('behind its container is told with the log and the findings that are stored', async () => {
    const { deps, tell, url } = await storyWorld()
    const lostAt = new MemoryStep(1, async (name) => {
      if (name === 'conclude') throw new Error('the engine forgot the run')
    })
    await expect(tell({}, lostAt)).rejects.toThrow('forgot')
    const request = (await deps.records.get(id)) as DiagnosisRequest
    await endLost(request, 'The run is lost', new MemoryStep(2), deps)

    const told = await deps.records.get(id)
    expect(told).toMatchObject({ outcome: 'incomplete', explanation: 'The run is lost', containers: [{ name: `${id}-1`, proven: true }] })
    expect(told?.findings.map((finding) => finding.id)).toContain(`http/${new URL(url).host}/500`)
    expect(Object.keys(told?.redactions ?? {})).toContain('env-literal')
  })

  test('is ended all the same where its evidence cannot be read', async () => {
    const { deps } = await storyWorld()
    const request = requestOf(1, { id, report: { tracker: 'bugs', key: 'bug-1' } })
    await deps.records.accept(request)
    await deps.store.create(`diagnoses/${id}/evidence.json`, new TextEncoder().encode('{'))
    await endLost(request, 'The run is lost', new MemoryStep(1), deps)
    expect(await deps.records.get(id)).toMatchObject({ state: 'done', outcome: 'failed', explanation: expect.stringContaining('The run is lost') })
  })

  test('behind its conclusion keeps its outcome, and is told if it was not', async () => {
    const { deps, tell, notes } = await storyWorld()
    const lostAt = new MemoryStep(1, async (name) => {
      if (name === 'share-1') throw new Error('the engine forgot the run')
    })
    await expect(tell({}, lostAt)).rejects.toThrow('forgot')
    const before = await deps.records.get(id)
    expect(before).toMatchObject({ outcome: 'complete' })
    const step = new MemoryStep(2)
    await endLost(before as DiagnosisRequest, 'The run is lost', step, deps)

    expect(step.names).toEqual(['conclude', 'share-1', 'finish'])
    const told = await deps.records.get(id)
    expect(told).toMatchObject({ state: 'done', outcome: 'complete', bundle: before?.bundle, findings: before?.findings })
    expect(await notes()).toHaveLength(1)
  })
})
