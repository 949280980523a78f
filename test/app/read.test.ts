import { describe, expect, it } from 'vitest'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import { problemOf, publicUrl, setUp } from './setup.ts'

const finding: Finding = { id: 'http/500', check: 'http', severity: 'error', title: 'http://stock:8080 answers 500', source: 'container' }

describe('GET /v1/diagnoses/:id', () => {
  it('shows what the records have, with links to what is there', async () => {
    const { ask, create, deps } = await setUp()
    const id = await create({ pod: 'shop/cart-0', report: 'redmine:7' })
    await deps.records.update(id, {
      state: 'done',
      outcome: 'complete',
      findings: [finding],
      bundle: { key: `diagnoses/${id}/bundle.tar.gz`, bytes: 3, filename: 'x.tar.gz' },
      reported: { kind: 'written', noteId: '9', url: 'https://tracker.example.org/issues/7#note-1', at: '2026-01-01T00:00:00.000Z' },
    })
    const response = await ask(`/v1/diagnoses/${id}`)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toMatchObject({
      id,
      state: 'done',
      findings: [finding],
      links: { bundle: `${publicUrl}/v1/diagnoses/${id}/bundle`, report: 'https://tracker.example.org/issues/7#note-1' },
    })
  })

  it('is described by its schema', async () => {
    const { ask, create } = await setUp()
    const { diagnosisSchema } = await import('../../src/api/view.ts')
    const body = await (await ask(`/v1/diagnoses/${await create()}`)).json()
    expect(diagnosisSchema.strict().parse(body)).toEqual(body)
  })
})

describe('GET /v1/diagnoses/:id/bundle', () => {
  const bundle = { key: 'diagnoses/x/bundle.tar.gz', bytes: 3, filename: 'support-bundle-x.tar.gz' }

  it('is 409 with Retry-After before there is one', async () => {
    const { ask, create } = await setUp()
    const response = await ask(`/v1/diagnoses/${await create()}/bundle`)
    expect([response.status, response.headers.get('retry-after')]).toEqual([409, '5'])
    expect((await problemOf(response)).type).toBe(`${publicUrl}/problems/bundle-not-ready`)
  })

  it('is 404 when the diagnosis ended without, or it is gone', async () => {
    const { ask, create, deps } = await setUp()
    const without = await create()
    await deps.records.update(without, { state: 'done', outcome: 'failed', explanation: 'the store was away' })
    expect((await problemOf(await ask(`/v1/diagnoses/${without}/bundle`))).detail).toContain('the store was away')
    const gone = await create()
    await deps.records.update(gone, { state: 'done', outcome: 'complete', bundle })
    expect((await problemOf(await ask(`/v1/diagnoses/${gone}/bundle`))).type).toBe(`${publicUrl}/problems/no-bundle`)
  })

  it('streams from a store that has no URLs', async () => {
    const { ask, create, deps } = await setUp()
    const id = await create()
    await deps.store.create(bundle.key, new Uint8Array([1, 2, 3]))
    await deps.records.update(id, { state: 'done', outcome: 'complete', bundle })
    const response = await ask(`/v1/diagnoses/${id}/bundle`)
    expect([response.status, response.headers.get('content-disposition')]).toEqual([200, 'attachment; filename="support-bundle-x.tar.gz"'])
    expect([response.headers.get('content-type'), response.headers.get('content-length')]).toEqual(['application/gzip', '3'])
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([1, 2, 3])
    const head = await ask(`/v1/diagnoses/${id}/bundle`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([200, '3', null])
  })

  it('redirects to a store that has', async () => {
    const { ask, create, deps } = await setUp()
    const id = await create()
    await deps.records.update(id, { state: 'done', outcome: 'complete', bundle })
    await deps.store.create(bundle.key, Uint8Array.of(1, 2, 3))
    deps.store.downloadUrl = (key, { filename, expiresSeconds }) =>
      Promise.resolve(`https://store.example.org/${key}?name=${filename}&for=${expiresSeconds}`)
    const response = await ask(`/v1/diagnoses/${id}/bundle`)
    expect([response.status, response.headers.get('location')]).toEqual([
      302,
      'https://store.example.org/diagnoses/x/bundle.tar.gz?name=support-bundle-x.tar.gz&for=300',
    ])
    expect(response.headers.get('cache-control')).toBe('no-store')
    await deps.store.remove(bundle.key)
    expect((await problemOf(await ask(`/v1/diagnoses/${id}/bundle`))).status).toBe(404)
  })
})

describe('DELETE /v1/diagnoses/:id', () => {
  it('sets the flag and tells what becomes of the container', async () => {
    const { ask, create, deps } = await setUp()
    const id = await create()
    const response = await ask(`/v1/diagnoses/${id}`, { method: 'DELETE' })
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({
      message: expect.stringContaining('runs until its own deadline'),
      diagnosis: { id, cancelRequested: true },
    })
    expect((await deps.records.get(id))?.cancelRequested).toBe(true)
    expect((await ask(`/v1/diagnoses/${id}`, { method: 'DELETE' })).status).toBe(202)
  })

  it('is 409 when it is over', async () => {
    const { ask, create, deps } = await setUp()
    const id = await create()
    await deps.records.update(id, { state: 'done', outcome: 'complete' })
    expect((await problemOf(await ask(`/v1/diagnoses/${id}`, { method: 'DELETE' }))).type).toBe(`${publicUrl}/problems/already-done`)
  })
})
