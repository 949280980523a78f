import { describe, expect, it } from 'vitest'
import { maxSessions } from '../../src/diagnosis/admit/sessions.ts'
import { hashToken } from '../../src/diagnosis/admit/token-hash.ts'
import { publicUrl, realClock, type Setup, setUp, tokens } from '../app/setup.ts'
import { browser, logIn } from './log-in.ts'

describe('login', () => {
  it('is asked for by every page, and remembers where one wanted to go', async () => {
    const { app, create } = await setUp()
    const id = await create()
    for (const path of ['/', `/diagnoses/${id}`, '/?namespace=shop', `/v1/diagnoses/${id}/bundle`, '/diagnoses/ad-00000000000000000000']) {
      const response = await app.request(path, { headers: browser })
      expect([response.status, response.headers.get('location')]).toEqual([303, `/login?${new URLSearchParams({ next: path })}`])
    }
  })

  it('gives a cookie that scripts cannot read and that is not the token', async () => {
    const setup = await setUp()
    const { setCookie, location } = await logIn(setup, tokens.alice, '/diagnoses/x')
    expect(location).toBe('/diagnoses/x')
    expect(setCookie).toMatch(/^__Host-autodiagnose=[0-9a-f]+\.[0-9a-f]{64}; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    expect(setCookie).not.toContain(tokens.alice)
    expect(setCookie).not.toContain((await hashToken(tokens.alice)).slice(7))
  })

  it('needs no Secure where the service is reached by http', async () => {
    const setup = await setUp({ publicUrl: 'http://diagnose.example.org' })
    const response = await setup.app.request('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://diagnose.example.org' },
      body: `token=${tokens.alice}`,
    })
    expect(response.headers.get('set-cookie')).toMatch(/^autodiagnose=/)
    expect(response.headers.get('set-cookie')).not.toContain('Secure')
  })

  it('says so when nobody has the token, and keeps where to go on', async () => {
    const { app } = await setUp()
    const response = await app.request('/login', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      body: 'token=made-up-wrong&next=%2Fdiagnoses%2Fx',
    })
    expect([response.status, response.headers.get('set-cookie')]).toEqual([401, null])
    const text = await response.text()
    expect(text).toContain('Nobody has this token')
    expect(text).toContain('value="/diagnoses/x"')
    expect(text).not.toContain('made-up-wrong')
  })

  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '\\\\evil.example',
    'javascript:alert(1)',
    '/..//evil.example',
    '',
    '/%2F/../../\\evil',
  ])('does not go on to another site: %j', async (next) => {
    const setup = await setUp()
    const { location } = await logIn(setup, tokens.alice, next)
    const url = new URL(location ?? '', publicUrl)
    expect([url.origin, location?.startsWith('//')]).toEqual([publicUrl, false])
  })

  it('lasts over a restart, ends with its time and with its token, and at logout', async () => {
    let now = Date.now()
    const setup = await setUp({}, { clock: { ...realClock, now: () => now } })
    const { deps } = setup
    const { cookie } = await logIn(setup)
    const { createApp } = await import('../../src/app.ts')
    const look = async (app: Setup['app'], header: string) => (await app.request('/', { headers: { ...browser, cookie: header } })).status
    expect(await look(createApp(deps), cookie)).toBe(200)

    const revoked = {
      ...deps.config,
      principals: deps.config.principals.map((one) => (one.name === 'alice' ? { ...one, tokenHashes: [`sha256:${'0'.repeat(64)}`] } : one)),
    }
    expect(await look(createApp({ ...deps, config: revoked }), cookie)).toBe(303)

    now += 23 * 3_600_000
    expect(await look(setup.app, cookie)).toBe(200)
    now += 2 * 3_600_000
    expect(await look(setup.app, cookie)).toBe(303)

    const second = await logIn(setup)
    const out = await setup.app.request('/logout', { method: 'POST', headers: { cookie: second.cookie, origin: publicUrl } })
    expect([out.status, out.headers.get('location')]).toEqual([303, '/login'])
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0')
    expect(await look(setup.app, second.cookie)).toBe(303)
  })

  it('cannot be had from what the database holds, nor by changing the name', async () => {
    const setup = await setUp()
    const { cookie } = await logIn(setup)
    const stored = JSON.stringify(await setup.deps.records.getValue('sessions/alice'))
    const [name = '', value = ''] = cookie.split('=')
    const [who = '', chance = ''] = value.split('.')
    expect(stored).not.toContain(chance)
    const hex = (text: string) => Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, '0')).join('')
    const hash = Object.keys(JSON.parse(stored) as Record<string, unknown>)[0] ?? ''
    for (const forged of [
      `${hex('olga')}.${chance}`,
      `${who}.${hash}`,
      `${who}.__proto__`,
      `${who}.`,
      who,
      '',
      `${who}.${chance.slice(1)}`,
      'zz.zz',
    ]) {
      const response = await setup.app.request('/', { headers: { ...browser, cookie: `${name}=${forged}` } })
      expect([forged, response.status]).toEqual([forged, 303])
    }
  })

  it('keeps a bounded number of sessions, the newest', async () => {
    const setup = await setUp()
    const first = await logIn(setup)
    let last = first
    for (let at = 0; at < maxSessions; at++) last = await logIn(setup)
    const look = async (cookie: string) => (await setup.app.request('/', { headers: { ...browser, cookie } })).status
    expect([await look(first.cookie), await look(last.cookie)]).toEqual([303, 200])
  })
})

describe('a session', () => {
  it('works for the API too, for reading', async () => {
    const setup = await setUp()
    const { cookie } = await logIn(setup)
    expect((await setup.app.request('/v1/diagnoses', { headers: { cookie } })).status).toBe(200)
  })

  it.each([
    ['from another site, by Origin', { origin: 'https://evil.example' }],
    ['from another site, by Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site', origin: publicUrl }],
    ['from a sister site', { 'sec-fetch-site': 'same-site' }],
    ['from nowhere', {}],
    ['from a sandboxed frame', { origin: 'null' }],
  ])('changes nothing %s', async (_, headers: Record<string, string>) => {
    const setup = await setUp()
    const id = await setup.create()
    const { cookie } = await logIn(setup)
    const sent = { ...headers, cookie, 'content-type': 'application/x-www-form-urlencoded' }
    const answers = [
      await setup.app.request(`/diagnoses/${id}/cancel`, { method: 'POST', headers: sent }),
      await setup.app.request(`/v1/diagnoses/${id}`, { method: 'DELETE', headers: sent }),
      await setup.app.request('/v1/diagnoses', { method: 'POST', headers: sent, body: 'pod=shop/cart-0' }),
      await setup.app.request('/logout', { method: 'POST', headers: sent }),
      await setup.app.request('/login', { method: 'POST', headers: sent, body: `token=${tokens.bob}` }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403])
    expect(await setup.deps.records.get(id)).toMatchObject({ cancelRequested: false })
    expect(setup.runs.started).toEqual([id])
  })

  it('cancels from our own page', async () => {
    const setup = await setUp()
    const id = await setup.create()
    const { cookie } = await logIn(setup)
    const response = await setup.app.request(`/diagnoses/${id}/cancel`, { method: 'POST', headers: { cookie, origin: publicUrl } })
    expect([response.status, response.headers.get('location')]).toEqual([303, `/diagnoses/${id}`])
    expect(await setup.deps.records.get(id)).toMatchObject({ cancelRequested: true })
  })

  it('sees what policy lets its principal see', async () => {
    const setup = await setUp()
    const id = await setup.create()
    const { cookie } = await logIn(setup, tokens.bob)
    const response = await setup.app.request(`/diagnoses/${id}`, { headers: { ...browser, cookie } })
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('There is nothing here')
    expect(await (await setup.app.request('/', { headers: { ...browser, cookie } })).text()).not.toContain(id)
  })
})
