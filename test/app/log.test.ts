import { describe, expect, it } from 'vitest'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import { StoreUnavailable } from '../../src/ports/store/store.ts'
import { eventually, json, problemOf, publicUrl, setUp } from './setup.ts'

const finding: Finding = { id: 'http/500', check: 'http', severity: 'error', title: 'http://stock:8080 answers 500', source: 'container' }

describe('GET /v1/diagnoses/:id/log', () => {
  it('gives what is stored until now', async () => {
    const { ask, create, print } = await setUp()
    const id = await create()
    await print(id, 1, 'TAP version 14\n')
    await print(id, 2, 'ok 1 - <b>x</b>\n')
    const response = await ask(`/v1/diagnoses/${id}/log`)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await response.text()).toBe('TAP version 14\nok 1 - <b>x</b>\n')
  })

  it('follows: each line as it comes, and at the end outcome, findings and links', async () => {
    const { ask, create, deps, print } = await setUp()
    const id = await create({ pod: 'shop/cart-0', report: 'redmine:7' })
    const response = await ask(`/v1/diagnoses/${id}/log?follow`)
    const lines = reader(response)
    await print(id, 1, 'TAP version 14\n')
    expect(await lines.until('TAP version 14\n')).toBe('TAP version 14\n')
    await print(id, 2, 'not ok 1 - http://stock:8080 answers 500', true)
    await lines.until('answers 500')
    await deps.records.update(id, {
      state: 'done',
      outcome: 'complete',
      findings: [finding, { ...finding, severity: 'warn', title: 'two\nlines' }],
      bundle: { key: `diagnoses/${id}/bundle.tar.gz`, bytes: 3, filename: 'x.tar.gz' },
      reported: { kind: 'written', noteId: '9', url: 'https://tracker.example.org/issues/7#note-1', at: '2026-01-01T00:00:00.000Z' },
    })
    expect(await lines.rest()).toBe(
      [
        'TAP version 14',
        'not ok 1 - http://stock:8080 answers 500',
        '',
        '# outcome: complete',
        '# finding: error: http://stock:8080 answers 500',
        '# finding: warn: two lines',
        `# diagnosis: ${publicUrl}/diagnoses/${id}`,
        `# bundle: ${publicUrl}/v1/diagnoses/${id}/bundle`,
        '# report: https://tracker.example.org/issues/7#note-1',
        '',
      ].join('\n'),
    )
  })

  it('waits for the note on the bug report before it ends', async () => {
    const { ask, create, deps } = await setUp()
    const id = await create({ pod: 'shop/cart-0', report: 'redmine:7' })
    await deps.records.update(id, { state: 'sharing', outcome: 'refused', refusal: { code: 'static-pod', message: 'it is static' } })
    const lines = reader(await ask(`/v1/diagnoses/${id}/log?follow`))
    await deps.records.update(id, { state: 'done', reported: { kind: 'rejected', message: 'no such issue', at: '2026-01-01T00:00:00.000Z' } })
    const text = await lines.rest()
    expect(text).toContain('# outcome: refused\n# refused: it is static\n# finding: none\n')
    expect(text).toContain('# report: rejected: no such issue\n')
  })

  it('stops reading, and only that, when the reader goes away', async () => {
    let reads = 0
    const { ask, create, deps } = await setUp()
    const id = await create()
    const get = deps.store.get.bind(deps.store)
    deps.store.get = (...given) => {
      reads += 1
      return get(...given)
    }
    const response = await ask(`/v1/diagnoses/${id}/log?follow`)
    const body = response.body?.getReader()
    const read = body?.read()
    await eventually('it reads', () => reads > 0)
    await body?.cancel()
    // By the standard with done; in workerd, whose own streams bring it, with an error.
    await read?.catch(() => undefined)
    const after = reads
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(reads - after).toBeLessThanOrEqual(1)
    expect(await deps.records.get(id)).toMatchObject({ state: 'accepted', cancelRequested: false })
  })

  it('answers 503 while the store is away, and nothing is sent yet', async () => {
    const { ask, create, deps, print, logged } = await setUp()
    const id = await create()
    await print(id, 1, 'TAP version 14\n')
    deps.store.get = () => Promise.reject(new StoreUnavailable('Cannot get "x" in bucket "inner-words"'))
    const response = await ask(`/v1/diagnoses/${id}/log`)
    expect(response.headers.get('retry-after')).toBe('10')
    const problem = await problemOf(response)
    expect([problem.status, problem.detail]).toEqual([503, 'The object store cannot be used now; try again'])
    expect(JSON.stringify(logged)).toContain('inner-words')
  })

  it('says so when the log cannot be read any further', async () => {
    const { ask, create, deps, print, logged } = await setUp()
    const id = await create()
    await print(id, 1, 'TAP version 14\n')
    const get = deps.store.get.bind(deps.store)
    deps.store.get = (key, options) => (key.endsWith('000002') ? Promise.reject(new Error('disk on fire')) : get(key, options))
    const text = await (await ask(`/v1/diagnoses/${id}/log?follow`)).text()
    expect(text).toMatch(/^TAP version 14\n\n# the log cannot be read any further now; look again: https/)
    expect(text).not.toContain('fire')
    expect(JSON.stringify(logged)).toContain('disk on fire')
  })
})

describe('POST /v1/diagnoses?follow', () => {
  it('greets at once, streams the log and ends with the links', async () => {
    const { ask, deps, print, runs } = await setUp()
    const response = await ask('/v1/diagnoses?follow', json({ pod: 'shop/cart-0' }))
    const lines = reader(response)
    const [id = ''] = runs.started
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('location')).toBe(`${publicUrl}/v1/diagnoses/${id}`)
    expect(await lines.until('\n# http')).toContain(`# diagnosis ${id} of pod shop/cart-0\n# ${publicUrl}/diagnoses/${id}\n`)
    await print(id, 1, 'TAP version 14\n1..0\n', true)
    await lines.until('1..0')
    await deps.records.update(id, { state: 'done', outcome: 'complete' })
    expect(await lines.rest()).toMatch(/TAP version 14\n1\.\.0\n\n# outcome: complete\n# finding: none\n# diagnosis: .*\n$/)
  })

  it('answers errors as problems', async () => {
    const { ask } = await setUp()
    expect((await problemOf(await ask('/v1/diagnoses?follow', json({})))).status).toBe(422)
  })
})

/** Reads a body piece by piece. */
function reader(response: Response): { until(text: string): Promise<string>; rest(): Promise<string> } {
  const body = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const until = async (wanted: (now: string) => boolean) => {
    while (!wanted(text)) {
      const next = await body?.read()
      if (!next || next.done) return text
      text += next.value
    }
    return text
  }
  return { until: (wanted) => until((now) => now.includes(wanted)), rest: () => until(() => false) }
}
