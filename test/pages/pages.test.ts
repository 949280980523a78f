import { describe, expect, it } from 'vitest'
import { start } from '../../src/diagnosis/cursor.ts'
import { encodeSegment, segmentKey } from '../../src/diagnosis/segment.ts'
import { type Setup, setUp } from '../app/setup.ts'
import { browser, logIn } from './log-in.ts'

describe('a page', () => {
  it('escapes all that others wrote', async () => {
    const setup = await setUp()
    const hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)>\'&lt;'
    const id = await setup.create({ pod: 'shop/cart-0', reason: hostile, report: 'redmine:1', checks: [`cgroup=${hostile}`] })
    await setup.print(id, 1, `not ok 1 - ${hostile}\n${hostile}\n`)
    await setup.deps.records.update(id, {
      state: 'done',
      outcome: 'refused',
      explanation: hostile,
      refusal: { code: 'invalid', message: hostile },
      findings: [
        { id: hostile, check: hostile, severity: 'error', title: hostile, evidence: hostile, cause: hostile, next: hostile, source: 'container' },
      ],
      containers: [{ name: hostile, profile: 'restricted', image: hostile, gaps: [hostile] }],
      redactions: { [hostile]: 1 },
      pod: { name: hostile, uid: hostile, node: hostile, container: hostile },
      reported: { kind: 'written', noteId: '1', url: 'javascript:alert(3)', at: '2026-01-01T00:00:00.000Z' },
    })
    const { cookie } = await logIn(setup)
    for (const path of [
      '/',
      `/diagnoses/${id}`,
      `/?${new URLSearchParams({ pod: hostile })}`,
      `/?${new URLSearchParams({ state: hostile })}`,
      `/login?${new URLSearchParams({ next: `/${hostile}` })}`,
      `/${encodeURIComponent(hostile)}`,
    ]) {
      const text = await (await setup.app.request(path, { headers: { ...browser, cookie } })).text()
      expect(text).toContain('<!doctype html>')
      expect(text).not.toMatch(/<script>|<img|onerror=alert\(2\)>|href="javascript:/)
    }
    const page = await (await setup.app.request(`/diagnoses/${id}`, { headers: { cookie } })).text()
    expect(page.match(/&lt;script&gt;alert\(1\)/g)?.length).toBeGreaterThan(12)
  })

  it('shows the end of a long log only, from the beginning of a line', async () => {
    const setup = await setUp()
    const id = await setup.create()
    for (let segment = 1; segment <= 4; segment++)
      await setup.print(id, segment, `segment ${segment} ${'x'.repeat(80)}\n`.repeat(1000), segment === 4)
    await setup.deps.records.update(id, { state: 'done', outcome: 'complete' })
    const { cookie } = await logIn(setup)
    const text = await (await setup.app.request(`/diagnoses/${id}`, { headers: { cookie } })).text()
    expect(text).toContain('Only its end is shown here')
    expect(text).toMatch(/<pre class="log" id="log" tabindex="0"><span>segment [23] x{80}\n/)
    expect(text).toContain('segment 4 ')
    expect(text.length).toBeLessThan(300_000)
  })

  it('reads no more of a log than it shows, artifacts in between left out', async () => {
    const setup = await setUp()
    const id = await setup.create()
    for (let segment = 1; segment <= 12; segment++) await setup.print(id, segment, `segment ${segment} ${'x'.repeat(80)}\n`.repeat(1000))
    const artifact = { cursor: { ...start, segment: 13 }, artifact: { name: 'heap', index: 1, binary: true } }
    await setup.deps.store.create(segmentKey(id, `${id}-1`, 13), encodeSegment(artifact, new TextEncoder().encode('artifact\n')))
    await setup.print(id, 14, 'last of the first\n', true)
    await setup.deps.store.create(segmentKey(id, `${id}-2`, 1), encodeSegment({ cursor: start }, new TextEncoder().encode('the second\n')))
    const { cookie } = await logIn(setup)
    const read = readKeys(setup)
    const text = await (await setup.app.request(`/diagnoses/${id}`, { headers: { cookie } })).text()
    expect(text).toMatch(/<span>segment 12 x{80}\n<\/span><span>last of the first\n<\/span><span>the second\n<\/span><\/pre>/)
    expect(text).not.toContain('artifact')
    expect(read.map((key) => key.slice(-9))).toEqual(['-2/000001', '-1/000014', '-1/000013', '-1/000012', '-1/000011'])
  })

  it('is had without its log, and without the store, by who has the log already', async () => {
    const setup = await setUp()
    const id = await setup.create()
    await setup.print(id, 1, 'TAP version 14\n')
    const { cookie } = await logIn(setup)
    const read = readKeys(setup)
    const ask = async (prefer: string) => (await setup.app.request(`/diagnoses/${id}`, { headers: { ...browser, cookie, prefer } })).text()
    const text = await ask('return=minimal')
    expect(text).toContain('<pre class="log" id="log" tabindex="0"></pre>')
    expect(text).toContain('waiting to start')
    expect(read).toEqual([])
    expect(await ask('return=representation')).toContain('TAP version 14')
  })

  it('of an error keeps the status and explains', async () => {
    const setup = await setUp()
    const { cookie } = await logIn(setup)
    const response = await setup.app.request('/?limit=7000', { headers: { ...browser, cookie } })
    expect([response.status, response.headers.get('content-type')]).toEqual([400, 'text/html; charset=UTF-8'])
    expect(await response.text()).toContain('expected a whole number of 1 to 100')
  })

  it('takes empty fields of the filter for none', async () => {
    const setup = await setUp()
    const id = await setup.create()
    const { cookie } = await logIn(setup)
    const response = await setup.app.request('/?state=&outcome=&namespace=shop&pod=&requester=&report=', { headers: { ...browser, cookie } })
    expect(await response.text()).toContain(`/diagnoses/${id}`)
  })

  it('is found under the path of a proxy', async () => {
    const setup = await setUp({ publicUrl: 'https://tools.example.org/diagnose' })
    const id = await setup.create()
    const response = await setup.app.request(`/diagnoses/${id}`, { headers: browser })
    expect(response.headers.get('location')).toBe(`/diagnose/login?${new URLSearchParams({ next: `/diagnose/diagnoses/${id}` })}`)
    const login = await (await setup.app.request('/login?next=/diagnose/', { headers: browser })).text()
    for (const link of ['href="/diagnose/assets/style.css"', 'action="/diagnose/login"', 'value="/diagnose/"']) expect(login).toContain(link)
    expect(await (await setup.app.request('/login?next=/elsewhere', { headers: browser })).text()).toContain('value="/diagnose/"')
  })
})

describe('open pages', () => {
  it('explain every problem under its type', async () => {
    const { app } = await setUp()
    const { problems } = await import('../../src/api/problems.ts')
    const list = await (await app.request('/problems')).text()
    for (const [slug, { title }] of Object.entries(problems)) {
      expect(list).toContain(`href="/problems/${slug}"`)
      const response = await app.request(`/problems/${slug}`)
      expect(response.status).toBe(200)
      expect((await response.text()).toLowerCase()).toContain(title.toLowerCase().slice(0, 12))
    }
    expect((await app.request('/problems/constructor')).status).toBe(404)
  })

  it('describe the API from its own document', async () => {
    const { app } = await setUp()
    const text = await (await app.request('/docs')).text()
    for (const part of [
      'POST /v1/diagnoses',
      'GET /v1/diagnoses/{id}/bundle',
      'idempotency-key',
      'href="#schema-DiagnosisRequest"',
      'id="schema-Finding"',
    ])
      expect(text).toContain(part)
  })

  it('come with style and script that may be kept, if they are the same', async () => {
    const { app } = await setUp()
    for (const path of ['/assets/style.css', '/assets/live.js', '/assets/icon.svg']) {
      const first = await app.request(path)
      expect([path, first.status, first.headers.get('x-content-type-options')]).toEqual([path, 200, 'nosniff'])
      const again = await app.request(path, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
      expect(again.status).toBe(304)
    }
  })
})

/** The keys that are read from the store from now on. */
function readKeys({ deps }: Setup): readonly string[] {
  const keys: string[] = []
  const get = deps.store.get.bind(deps.store)
  deps.store.get = (key, options) => {
    keys.push(key)
    return get(key, options)
  }
  return keys
}
