import { describe, expect, it } from 'vitest'
import { hashToken } from '../../src/diagnosis/admit/token-hash.ts'
import { form, json, problemOf, publicUrl, realClock, setUp, tokens } from './setup.ts'

describe('credentials', () => {
  it('are needed for every path of the API, also for those that there are not', async () => {
    const { ask, runs } = await setUp()
    for (const [path, init] of [
      ['/v1/diagnoses', {}],
      ['/v1/diagnoses', json({ pod: 'shop/cart-0' })],
      ['/v1/diagnoses/ad-00000000000000000000', {}],
      ['/v1/diagnoses/ad-00000000000000000000/log', {}],
      ['/v1/diagnoses/ad-00000000000000000000/bundle', {}],
      ['/v1/diagnoses/ad-00000000000000000000', { method: 'DELETE' }],
      ['/v1/preflight', json({ pod: 'shop/cart-0' })],
      ['/v1/injection', json({ paused: true })],
      ['/v1/nothing', {}],
    ] as const) {
      const response = await ask(path, { ...init, as: null })
      expect([path, response.status]).toEqual([path, 401])
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="autodiagnose"')
      expect((await problemOf(response)).type).toBe(`${publicUrl}/problems/unauthorized`)
    }
    expect(runs.started).toEqual([])
  })

  it('are asked for before the body is looked at', async () => {
    const { ask } = await setUp()
    expect((await ask('/v1/diagnoses', { ...form('%zz'), as: null })).status).toBe(401)
  })

  it.each([
    ['an unknown token', 'Bearer made-up-token-of-mallory', /No principal has this token/],
    ['another scheme', `Basic ${btoa('alice:x')}`, /not of the form "Bearer TOKEN"/],
    ['a configured hash in place of its token', 'HASH', /No principal/],
    ['no token', 'Bearer ', /not of the form/],
    ['two tokens', `Bearer ${tokens.alice} ${tokens.bob}`, /not of the form/],
    ['a huge token', `Bearer ${'x'.repeat(5000)}`, /not of the form/],
  ])('are refused: %s', async (_, header, detail) => {
    const { request } = await setUp()
    const authorization = header === 'HASH' ? `Bearer ${await hashToken(tokens.alice)}` : header
    const response = await request('/v1/diagnoses', { headers: { authorization } })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="autodiagnose", error="invalid_token"')
    const problem = await problemOf(response)
    expect(problem.detail).toMatch(detail)
    expect(problem.detail).not.toContain('made-up')
  })

  it('are taken whatever the case of the scheme', async () => {
    const { request } = await setUp()
    expect((await request('/v1/diagnoses', { headers: { authorization: `bearer ${tokens.alice}` } })).status).toBe(200)
  })

  it('may be several tokens of one principal', async () => {
    const principals = [{ name: 'alice', tokenHashes: [await hashToken('made-up-old-token'), await hashToken('made-up-new-token')] }]
    const { request } = await setUp({ principals })
    for (const token of ['made-up-old-token', 'made-up-new-token']) {
      expect((await request('/v1/diagnoses', { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    }
  })
})

describe('policy', () => {
  it.each<[string, Record<string, unknown>, 'alice' | 'bob' | 'olga' | 'nobody', RegExp]>([
    ['principal', { pod: 'shop/cart-0' }, 'nobody', /No rule of the policy allows "nobody" anything/],
    ['namespace', { pod: 'bank/teller-0' }, 'alice', /Namespace "bank" is not among those that "alice" may diagnose in cluster "main"/],
    ['kube-system for everyone', { pod: 'kube-system/coredns-0' }, 'olga', /Nobody may diagnose in namespace "kube-system"/],
    ['kube-system by workload', { workload: 'kube-system/deployment/coredns' }, 'olga', /Nobody may/],
    ['kube-system by selector', { selector: 'kube-system/app=x' }, 'olga', /Nobody may/],
    [
      'profile',
      { pod: 'shop/cart-0', profile: 'sysadmin' },
      'alice',
      /Profile "sysadmin" is not among those that "alice" may use in namespace "shop"/,
    ],
    [
      'checks',
      { pod: 'bank/teller-0', profile: 'restricted', checks: ['dns=x', 'tcp=x:1'] },
      'bob',
      /No rule allows "bob" all of "dns=x", "tcp=x:1"/,
    ],
    ['the parameter of a check', { pod: 'bank/teller-0', profile: 'restricted', checks: ['http=http://vault'] }, 'bob', /"http=http:\/\/vault"/],
    ['the default checks', { pod: 'bank/teller-0', profile: 'restricted' }, 'bob', /all of the default checks/],
    ['report', { pod: 'bank/teller-0', profile: 'restricted', checks: ['dns=x'], report: 'redmine:1' }, 'bob', /Report "redmine:1" is not among/],
  ])('denies by %s: 403, saying so', async (_, body, as, detail) => {
    const { ask, runs, deps } = await setUp()
    const response = await ask('/v1/diagnoses', { ...json(body), as })
    expect(response.status).toBe(403)
    expect(response.headers.get('www-authenticate')).toBeNull()
    const problem = await problemOf(response)
    expect(problem.type).toBe(`${publicUrl}/problems/forbidden`)
    expect(problem.detail).toMatch(detail)
    expect(runs.started).toEqual([])
    expect(await deps.records.countActive()).toBe(0)
  })

  it('allows what one rule allows in every dimension', async () => {
    const { create } = await setUp()
    await create({ pod: 'shop-eu/cart-0' })
    await create({ pod: 'bank/teller-0', profile: 'restricted', checks: ['dns=x', 'http=http://teller:8080/'] }, 'bob')
  })

  it('does not put two rules together', async () => {
    const policy = [
      { principals: ['alice'], namespaces: ['shop'], profiles: ['restricted' as const] },
      { principals: ['alice'], namespaces: ['bank'], profiles: ['general' as const] },
    ]
    const { ask } = await setUp({ policy })
    const response = await ask('/v1/diagnoses', json({ pod: 'shop/cart-0', profile: 'general' }))
    expect((await problemOf(response)).detail).toBe('Profile "general" is not among those that "alice" may use in namespace "shop"')
  })

  it('is empty by default, and denies', async () => {
    const { ask } = await setUp({ policy: [] })
    expect((await ask('/v1/diagnoses', json({ pod: 'shop/cart-0' }))).status).toBe(403)
    expect((await ask('/v1/diagnoses')).status).toBe(403)
  })

  it('denies a cluster', async () => {
    const { ask } = await setUp({ policy: [{ principals: ['alice'], clusters: ['edge'], namespaces: ['*'] }] })
    expect((await problemOf(await ask('/v1/diagnoses', json({ pod: 'shop/cart-0' })))).detail).toMatch(/Cluster "main" is not among those/)
  })
})

describe('reading', () => {
  it('answers alike for a diagnosis that there is not and one that the caller may not see', async () => {
    const { ask, create } = await setUp()
    const id = await create()
    const missing = id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    for (const [path, method] of [
      ['', 'GET'],
      ['/log', 'GET'],
      ['/log?follow', 'GET'],
      ['/bundle', 'GET'],
      ['', 'DELETE'],
    ] as const) {
      const answers = await Promise.all(
        [id, missing].map(async (one) => {
          const response = await ask(`/v1/diagnoses/${one}${path}`, { method, as: 'bob' })
          const { requestId, ...body } = await problemOf(response)
          expect(requestId).toBe(response.headers.get('x-request-id'))
          return JSON.stringify(body).replaceAll(one, 'ID')
        }),
      )
      expect(answers[0]).toBe(answers[1])
      expect(answers[0]).toContain('"status":404')
    }
    expect((await ask(`/v1/diagnoses/${id}`)).status).toBe(200)
  })

  it('is checked by cluster and namespace, not by who asked', async () => {
    const { ask, create } = await setUp()
    expect((await ask(`/v1/diagnoses/${await create()}`, { as: 'olga' })).status).toBe(200)
  })

  it('lists only what the caller may see', async () => {
    const { ask, create } = await setUp()
    const shop = await create()
    const bank = await create({ pod: 'bank/teller-0', profile: 'restricted', checks: ['dns=x'] }, 'bob')
    const idsFor = async (as: 'alice' | 'bob' | 'olga') => {
      const { diagnoses } = (await (await ask('/v1/diagnoses', { as })).json()) as { diagnoses: { id: string }[] }
      return diagnoses.map(({ id }) => id).sort()
    }
    expect(await idsFor('alice')).toEqual([shop])
    expect(await idsFor('bob')).toEqual([bank])
    expect(await idsFor('olga')).toEqual([shop, bank].sort())
  })
})

describe('Idempotency-Key', () => {
  const post = (body: unknown, key: string) => {
    const init = json(body)
    return { ...init, headers: { ...(init.headers as Record<string, string>), 'idempotency-key': key } }
  }

  it('gives the same diagnosis again for the same body, however it is written', async () => {
    const { ask, runs } = await setUp()
    const first = await ask('/v1/diagnoses', post({ pod: 'shop/cart-0', reason: 'x' }, '"k1"'))
    const again = await ask('/v1/diagnoses', {
      ...form('reason=x&pod=shop/cart-0'),
      headers: { ...form('').headers, 'idempotency-key': 'k1' } as Record<string, string>,
    })
    expect([first.status, again.status]).toEqual([202, 202])
    expect(((await again.json()) as { id: string }).id).toBe(((await first.json()) as { id: string }).id)
    expect(runs.started).toHaveLength(1)
  })

  it('answers 200 once the diagnosis is over', async () => {
    const { ask, deps } = await setUp()
    const first = await ask('/v1/diagnoses', post({ pod: 'shop/cart-0' }, 'k1'))
    const { id } = (await first.json()) as { id: string }
    await deps.records.update(id, { state: 'done', outcome: 'complete' })
    const again = await ask('/v1/diagnoses', post({ pod: 'shop/cart-0' }, 'k1'))
    expect(again.status).toBe(200)
    expect(await again.json()).toMatchObject({ id, outcome: 'complete' })
  })

  it('is refused with another body', async () => {
    const { ask, runs } = await setUp()
    await ask('/v1/diagnoses', post({ pod: 'shop/cart-0' }, 'k1'))
    const response = await ask('/v1/diagnoses', post({ pod: 'shop/cart-1' }, 'k1'))
    expect(response.status).toBe(422)
    expect((await problemOf(response)).type).toBe(`${publicUrl}/problems/idempotency-key-reused`)
    expect(runs.started).toHaveLength(1)
  })

  it('belongs to its principal', async () => {
    const { ask, runs } = await setUp()
    await ask('/v1/diagnoses', post({ pod: 'shop/cart-0' }, 'k1'))
    expect((await ask('/v1/diagnoses', { ...post({ pod: 'shop/cart-1' }, 'k1'), as: 'olga' })).status).toBe(202)
    expect(runs.started).toHaveLength(2)
  })

  it('wins once, when many come at the same time', async () => {
    const { ask, runs } = await setUp()
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/v1/diagnoses', post({ pod: 'shop/cart-0' }, 'k1'))))
    const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { id: string }).id))
    expect(new Set(ids).size).toBe(1)
    expect(runs.started).toHaveLength(1)
  })

  it.each(['', '""', 'with space', 'x'.repeat(256)])('is refused when it is %j', async (key) => {
    const { ask } = await setUp()
    const problem = await problemOf(await ask('/v1/diagnoses', post({ pod: 'shop/cart-0' }, key)))
    expect([problem.status, problem.detail]).toEqual([400, expect.stringContaining('Idempotency-Key')])
  })
})

describe('Prefer: wait', () => {
  const prefer = (text: string) => ({ ...json({ pod: 'shop/cart-0' }), headers: { 'content-type': 'application/json', prefer: text } })

  it('waits until the diagnosis is over', async () => {
    const { ask, deps, runs } = await setUp()
    runs.start = async (id) => void (await deps.records.update(id, { state: 'sealing' }))
    const answer = ask('/v1/diagnoses', prefer('respond-async, wait=30'))
    const [id = ''] = await new Promise<string[]>((resolve) => {
      const look = async () => {
        const found = await deps.records.list({}, { limit: 1 })
        if (found.length > 0) resolve(found.map((one) => one.id))
        else setTimeout(look, 5)
      }
      void look()
    })
    await deps.records.update(id, { state: 'done', outcome: 'complete' })
    const response = await answer
    expect(response.status).toBe(200)
    expect(response.headers.get('preference-applied')).toBe('wait=30')
    expect(await response.json()).toMatchObject({ id, state: 'done', outcome: 'complete' })
  })

  it('answers 202 when the time is over', async () => {
    const { ask } = await setUp()
    const response = await ask('/v1/diagnoses', prefer('wait=0'))
    expect([response.status, response.headers.get('preference-applied')]).toEqual([202, 'wait=0'])
    expect(response.headers.get('location')).toContain('/v1/diagnoses/ad-')
  })

  it('waits 60 s at most', async () => {
    let now = 1_700_000_000_000
    const sleep = (ms: number) => {
      now += ms
      return realClock.sleep(0)
    }
    const { ask } = await setUp({}, { clock: { now: () => now, sleep } })
    const before = now
    const response = await ask('/v1/diagnoses', prefer('wait=3600'))
    expect([response.status, response.headers.get('preference-applied'), now - before]).toEqual([202, 'wait=60', 60_000])
  })

  it('is ignored when it makes no sense', async () => {
    const { ask } = await setUp()
    const response = await ask('/v1/diagnoses', prefer('wait=soon'))
    expect([response.status, response.headers.get('preference-applied')]).toEqual([202, null])
  })
})
