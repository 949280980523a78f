import { describe, expect, it } from 'vitest'
import text from '../../docs/api.md?raw'
import { problems } from '../../src/api/problems.ts'
import { requestSchema } from '../../src/diagnosis/accept/request.ts'
import type { Cluster } from '../../src/ports/cluster/cluster.ts'
import { form, json, problemOf, publicUrl, setUp } from './setup.ts'

describe('every answer', () => {
  it('has a request id and the headers that keep browsers safe', async () => {
    const { request } = await setUp()
    for (const path of ['/healthz', '/v1/diagnoses', '/nothing', '/openapi.json']) {
      const { headers } = await request(path)
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    }
  })

  it('keeps the request id of a proxy in front', async () => {
    const { request } = await setUp()
    expect((await request('/healthz', { headers: { 'x-request-id': 'from-the-proxy-1' } })).headers.get('x-request-id')).toBe('from-the-proxy-1')
  })
})

describe('errors', () => {
  it('404 for what there is not', async () => {
    const { request } = await setUp()
    const problem = await problemOf(await request('/nothing'))
    expect([problem.status, problem.type]).toEqual([404, `${publicUrl}/problems/not-found`])
  })

  it.each([
    ['PUT', '/v1/diagnoses', 'GET, HEAD, POST'],
    ['POST', '/v1/diagnoses/ad-00000000000000000000/log', 'GET, HEAD'],
    ['DELETE', '/healthz', 'GET, HEAD'],
    ['PATCH', '/v1/diagnoses/ad-00000000000000000000', 'GET, HEAD, DELETE'],
  ])('405 for %s %s, with Allow', async (method, path, allow) => {
    const { ask } = await setUp()
    const response = await ask(path, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')?.split(', ').sort()).toEqual(allow.split(', ').sort())
    expect((await problemOf(response)).type).toBe(`${publicUrl}/problems/method-not-allowed`)
  })

  it('500 leaks nothing, and the log has the causes', async () => {
    const { ask, deps, logged } = await setUp()
    deps.records.list = () => Promise.reject(new Error('Cannot list', { cause: new Error('table "diagnoses" is corrupt') }))
    const response = await ask('/v1/diagnoses')
    const text = await response.clone().text()
    const problem = await problemOf(response)
    expect([problem.status, problem.requestId]).toEqual([500, response.headers.get('x-request-id')])
    expect(text).not.toMatch(/corrupt|Cannot list|src\//)
    const [line] = logged.filter(({ level }) => level === 'error')
    expect(line?.data).toMatchObject({
      requestId: problem.requestId,
      error: expect.stringMatching(/Cannot list[\s\S]*caused by: Error: table "diagnoses" is corrupt/),
    })
  })
})

describe('injection', () => {
  it('takes a form, too', async () => {
    const { ask } = await setUp({ policy: [{ principals: ['olga'], namespaces: ['*'], operator: true }] })
    for (const paused of [true, false])
      expect(await (await ask('/v1/injection', { ...form(`paused=${paused}`), as: 'olga' })).json()).toMatchObject({ paused })
    const refused = await ask('/v1/injection', { ...form('paused=maybe'), as: 'olga' })
    expect(refused.status).toBe(422)
  })

  it('is paused and resumed by operators', async () => {
    const { ask } = await setUp()
    expect(await (await ask('/v1/injection')).json()).toEqual({ paused: false, harmed: [], harmedCount: 0, pausedByConfiguration: false })
    const paused = await ask('/v1/injection', { ...json({ paused: true }), as: 'olga' })
    expect(await paused.json()).toMatchObject({ paused: true, by: 'olga' })
    expect(await (await ask('/v1/injection')).json()).toMatchObject({ paused: true, by: 'olga' })
    const refused = await ask('/v1/injection', json({ paused: false }))
    expect([refused.status, (await problemOf(refused)).detail]).toEqual([403, expect.stringContaining('"alice" an operator')])
    await ask('/v1/injection', { ...json({ paused: false }), as: 'olga' })
    expect(await (await ask('/v1/injection')).json()).toMatchObject({ paused: false })
  })

  it('shows what was harmed to those who may see it, and to operators', async () => {
    const policy = [
      { principals: ['alice'], namespaces: ['shop'] },
      { principals: ['bob'], namespaces: ['bank'] },
      { principals: ['olga'], namespaces: ['none'], operator: true },
    ]
    const { ask, create, deps } = await setUp({ policy })
    const [shop, bank] = [await create(), await create({ pod: 'bank/teller-0' }, 'bob')]
    await deps.records.setValue('injection', { paused: true, harmed: [shop, bank] })
    const seen = async (as: 'alice' | 'bob' | 'olga') => (await (await ask('/v1/injection', { as })).json()) as object
    expect(await seen('alice')).toMatchObject({ harmed: [shop], harmedCount: 2 })
    expect(await seen('bob')).toMatchObject({ harmed: [bank], harmedCount: 2 })
    expect(await seen('olga')).toMatchObject({ harmed: [shop, bank], harmedCount: 2 })
    const nobody = await ask('/v1/injection', { as: 'nobody' })
    expect([nobody.status, JSON.stringify(await problemOf(nobody))]).toEqual([403, expect.not.stringContaining(shop)])
    const kept = await ask('/v1/injection', { ...json({ paused: true }), as: 'olga' })
    expect(await kept.json()).toMatchObject({ harmed: [shop, bank], harmedCount: 2 })
  })

  it.each([{}, { paused: 'yes' }, { paused: true, until: 'x' }])('refuses %j', async (body) => {
    const { ask } = await setUp()
    expect((await ask('/v1/injection', { ...json(body), as: 'olga' })).status).toBe(422)
  })
})

describe('health', () => {
  const cluster = (version: () => Promise<Record<string, unknown>>) => new Map([['main', { version } as unknown as Cluster]])

  it('is alive', async () => {
    const { request } = await setUp()
    const response = await request('/healthz')
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
  })

  it('is ready with its records and its store, and tells of clusters', async () => {
    const { request } = await setUp({}, { clusters: cluster(() => Promise.reject(new Error('no route'))) })
    const response = await request('/readyz')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ ready: true, records: 'ok', store: 'ok', clusters: { main: 'unavailable' } })
  })

  it.each(['records', 'store'] as const)('is not ready without its %s', async (part) => {
    const { request, deps, logged } = await setUp()
    deps[part].check = () => Promise.reject(new Error('it is gone'))
    const response = await request('/readyz')
    const text = await response.text()
    expect(response.status).toBe(503)
    expect(JSON.parse(text)).toMatchObject({ ready: false, [part]: 'unavailable' })
    expect(text).not.toContain('gone')
    expect(JSON.stringify(logged)).toContain('it is gone')
  })

  it('waits 2 s at most', async () => {
    const clock = { now: () => 0, sleep: (ms: number) => (ms === 2000 ? Promise.resolve() : Promise.reject(new Error(`slept ${ms}`))) }
    const { request } = await setUp({}, { clock, clusters: cluster(() => new Promise(() => undefined)) })
    expect(await (await request('/readyz')).json()).toMatchObject({ clusters: { main: 'unavailable' } })
  })
})

describe('/openapi.json', () => {
  it('describes every route of the API, with what it needs and all that it may answer', async () => {
    const { app, request } = await setUp()
    const document = (await (await request('/openapi.json')).json()) as {
      openapi: string
      paths: Record<string, Record<string, { responses: Record<string, unknown>; security?: unknown }>>
    }
    expect(document.openapi).toBe('3.1.0')
    const described = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`))
    const routed = app.routes
      .filter(({ method, path }) => method !== 'ALL' && /^\/(v1|healthz|readyz)/.test(path))
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`)
    expect(described.sort()).toEqual([...new Set(routed)].sort())
    for (const [path, methods] of Object.entries(document.paths)) {
      if (!path.startsWith('/v1/')) continue
      // Each source of a webhook has credentials of its own.
      const security = path.startsWith('/v1/webhooks/') ? [] : [{ token: [] }]
      for (const operation of Object.values(methods)) expect([path, operation.security, '401' in operation.responses]).toEqual([path, security, true])
    }
  })

  it('holds the schema of the request, with its bounds', async () => {
    const { request } = await setUp()
    const { components } = (await (await request('/openapi.json')).json()) as {
      components: { schemas: { DiagnosisRequest: { additionalProperties?: boolean; properties: Record<string, unknown> } } }
    }
    expect(components.schemas.DiagnosisRequest).toMatchObject({
      additionalProperties: false,
      properties: { reason: { maxLength: 500 }, checks: { maxItems: 20 } },
    })
    expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(['Diagnosis', 'Finding', 'Problem']))
  })
})

describe('docs/api.md', () => {
  it('lists every problem with its status, and no other', () => {
    const listed = [...text.matchAll(/^\| `([a-z-]+)` \| (\d+) \|/gm)].map(([, slug, status]) => [slug, Number(status)])
    expect(listed).toEqual(Object.entries(problems).map(([slug, { status }]) => [slug, status]))
  })

  it('lists every field of a request', () => {
    for (const field of Object.keys(requestSchema.shape)) expect(text).toContain(`| \`${field}\` |`)
  })
})

describe('the log of the service', () => {
  it('says who asked for what, and never a token or a query', async () => {
    const { ask, request, logged } = await setUp()
    const { headers } = await ask('/v1/diagnoses?reason=hunter2&pod=x')
    await request('/healthz')
    expect(logged).toEqual([
      {
        level: 'info',
        message: 'Request',
        data: {
          requestId: headers.get('x-request-id'),
          method: 'GET',
          path: '/v1/diagnoses',
          status: 400,
          ms: expect.any(Number),
          principal: 'alice',
        },
      },
    ])
  })
})
