import { describe, expect, it } from 'vitest'
import { diagnosisSchema } from '../../src/api/view.ts'
import type { Comparison } from '../../src/diagnosis/comparison.ts'
import { twinOf } from '../../src/diagnosis/comparison.ts'
import { start } from '../../src/diagnosis/cursor.ts'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import { encodeSegment, segmentKey } from '../../src/diagnosis/segment.ts'
import { form, json, publicUrl, setUp } from './setup.ts'

const own: Finding = { id: 'disk/full/data', check: 'disk', severity: 'warn', title: '/data is at 97 %', source: 'container' }
const shared: Finding = { id: 'dns/x', check: 'dns', severity: 'error', title: 'x is not found', source: 'container', alsoOn: 'cart-1' }
const comparison: Comparison = {
  twin: { name: 'cart-1', uid: 'u', node: 'n2', container: 'app' },
  containers: [{ name: 'ad-x-1', image: 'registry.example/autodiagnose:1', proven: true }],
  specs: [{ what: 'node', target: 'n1', twin: 'n2' }],
  facts: [{ check: 'disk', target: [], twin: ['/data <3 % used>'] }],
  findings: [{ id: 'tcp/y', check: 'tcp', severity: 'warn', title: 'y refuses' }],
}

async function compared() {
  const world = await setUp()
  const id = await world.create({ pod: 'shop/cart-0', compare: true })
  await world.deps.records.update(id, { state: 'done', outcome: 'complete', findings: [own, shared], comparison })
  return { ...world, id }
}

describe('compare', () => {
  it('is taken from JSON and from a form, and is kept only where it is wanted', async () => {
    const { ask } = await setUp()
    const body = { pod: 'shop/cart-0' }
    expect(await (await ask('/v1/diagnoses', json({ ...body, compare: true }))).json()).toMatchObject({ compare: true })
    expect(await (await ask('/v1/diagnoses', form('pod=shop/cart-0&compare=true'))).json()).toMatchObject({ compare: true })
    expect(await (await ask('/v1/diagnoses', json({ ...body, compare: false }))).json()).not.toHaveProperty('compare')
    const wrong = await ask('/v1/diagnoses', json({ ...body, compare: 'yes' }))
    expect([wrong.status, await wrong.text()]).toEqual([422, expect.stringContaining('compare')])
  })

  it('makes another request under the same Idempotency-Key', async () => {
    const { ask } = await setUp()
    const keyed = (body: object) => {
      const init = json(body)
      return ask('/v1/diagnoses', { ...init, headers: { ...(init.headers as Record<string, string>), 'idempotency-key': 'k' } })
    }
    expect((await keyed({ pod: 'shop/cart-0' })).status).toBe(202)
    expect((await keyed({ pod: 'shop/cart-0', compare: false })).status).toBe(202)
    expect((await keyed({ pod: 'shop/cart-0', compare: true })).status).toBe(422)
  })

  it('is shown whole, as its schema says, with the log of the replica', async () => {
    const { ask, id, deps } = await compared()
    const body = await (await ask(`/v1/diagnoses/${id}`)).json()
    expect(diagnosisSchema.strict().parse(body)).toEqual(body)
    expect(body).toMatchObject({ comparison, findings: [own, shared], links: { twinLog: `${publicUrl}/v1/diagnoses/${id}/log?twin` } })
    const put = (part: string, text: string) =>
      deps.store.create(
        segmentKey(part, `${id}-1`, 1),
        encodeSegment({ cursor: { ...start, segment: 1, end: 'proven' } }, new TextEncoder().encode(text)),
      )
    await put(id, 'ok 1 - of the target\n')
    await put(twinOf(id), 'ok 1 - of the replica\n')
    expect(await (await ask(`/v1/diagnoses/${id}/log`)).text()).toBe('ok 1 - of the target\n')
    expect(await (await ask(`/v1/diagnoses/${id}/log?twin`)).text()).toBe('ok 1 - of the replica\n')
    const live = await (await ask(`/v1/diagnoses/${id}/log?follow`)).text()
    expect(live).toContain('# finding: error: x is not found (also on the healthy replica cart-1)\n')
    expect(live).toContain('# healthy replica: cart-1 on node n2\n# differs: node: n1; replica: n2\n')
    expect(live).toContain('# found on the replica alone: warn: y refuses\n')
  })

  it('comes on the page in the order of what tells most, and escaped', async () => {
    const { ask, id } = await compared()
    const page = await (await ask(`/diagnoses/${id}`, { headers: { accept: 'text/html' } })).text()
    expect(page.indexOf(own.title)).toBeLessThan(page.indexOf(shared.title))
    expect(page).toContain('also on the healthy replica cart-1')
    expect(page).toContain('/data &lt;3 % used&gt;')
    expect(page).toContain(`/v1/diagnoses/${id}/log?twin`)
    expect(page).toContain('warn: y refuses')
  })
})
