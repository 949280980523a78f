import { describe, expect, it } from 'vitest'
import { form, json, problemOf, publicUrl, setUp } from './setup.ts'

describe('POST /v1/diagnoses', () => {
  it('accepts JSON: 202, a Location, a record and a started run', async () => {
    const { ask, deps, runs } = await setUp()
    const body = {
      pod: 'shop/cart-57bcf49487-ddmpn',
      container: 'app',
      profile: 'restricted',
      checks: ['http=http://stock:8080/x?y=$(id);`id`|&', 'processes'],
      report: 'redmine:12',
      reason: 'checkout fails',
    }
    const response = await ask('/v1/diagnoses', json(body))
    expect(response.status).toBe(202)
    const { id, links } = (await response.json()) as { id: string; links: unknown }
    expect(id).toMatch(/^ad-[0-9a-z]{20}$/)
    expect(response.headers.get('location')).toBe(`${publicUrl}/v1/diagnoses/${id}`)
    expect(links).toEqual({
      self: `${publicUrl}/v1/diagnoses/${id}`,
      page: `${publicUrl}/diagnoses/${id}`,
      log: `${publicUrl}/v1/diagnoses/${id}/log`,
    })
    expect(await deps.records.get(id)).toMatchObject({
      id,
      requester: 'alice',
      cluster: 'main',
      target: { kind: 'pod', namespace: 'shop', name: 'cart-57bcf49487-ddmpn' },
      container: 'app',
      profile: 'restricted',
      checks: [{ name: 'http', param: 'http://stock:8080/x?y=$(id);`id`|&' }, { name: 'processes' }],
      report: { tracker: 'redmine', key: '12' },
      reason: 'checkout fails',
      state: 'accepted',
    })
    expect(runs.started).toEqual([id])
  })

  it('accepts a form, as curl -d sends it, with checks repeated', async () => {
    const { ask, deps } = await setUp()
    const response = await ask(
      '/v1/diagnoses',
      form('pod=shop/cart-0&checks=dns%3Dstock.shop.svc&checks=tcp=stock:8080&reason=two+words&report=redmine:3'),
    )
    expect(response.status).toBe(202)
    const { id } = (await response.json()) as { id: string }
    expect(await deps.records.get(id)).toMatchObject({
      checks: [
        { name: 'dns', param: 'stock.shop.svc' },
        { name: 'tcp', param: 'stock:8080' },
      ],
      reason: 'two words',
    })
  })

  it('leaves an accepted record for the sweeper when the run cannot be started', async () => {
    const { ask, deps, runs, logged } = await setUp()
    runs.failure = new Error('the engine is away')
    const response = await ask('/v1/diagnoses', json({ pod: 'shop/cart-0' }))
    expect(response.status).toBe(202)
    const { id } = (await response.json()) as { id: string }
    expect(await deps.records.unstarted(10)).toEqual([id])
    expect(logged).toContainEqual(expect.objectContaining({ level: 'warn', data: { id, error: 'Error: the engine is away' } }))
  })

  it('takes secrets out of the reason before it is stored', async () => {
    const { create, deps } = await setUp()
    const id = await create({ pod: 'shop/cart-0', reason: 'password hunter2 does not work' })
    expect((await deps.records.get(id))?.reason).toBe('password ***HIDDEN*** does not work')
  })

  it.each([
    ['workload', 'shop/deployment/cart', { kind: 'workload', namespace: 'shop', workload: 'deployment', name: 'cart' }],
    ['selector', 'shop/app.kubernetes.io/name=cart', { kind: 'selector', namespace: 'shop', selector: 'app.kubernetes.io/name=cart' }],
    ['selector', { namespace: 'shop', labels: { tier: 'web', app: 'cart' } }, { kind: 'selector', namespace: 'shop', selector: 'app=cart,tier=web' }],
  ])('takes a %s: %j', async (field, value, target) => {
    const { create, deps } = await setUp()
    expect((await deps.records.get(await create({ [field]: value })))?.target).toEqual(target)
  })

  it.each([
    ['the URL of the report', 'https://tracker.example.org/issues/12'],
    ['tracker and key', 'redmine:12'],
  ])('takes a report by %s', async (_, report) => {
    const { create, deps } = await setUp()
    expect((await deps.records.get(await create({ pod: 'shop/cart-0', report })))?.report).toEqual({ tracker: 'redmine', key: '12' })
  })
})

describe('POST /v1/diagnoses refuses', () => {
  it.each<[string, Record<string, unknown>, string, RegExp]>([
    ['no target', {}, 'pod', /exactly one of pod, workload and selector; none/],
    ['an unknown field', { pod: 'shop/cart-0', prioriti: 'high' }, 'prioriti', /unknown field; the fields are pod, workload/],
    ['a wrong type', { pod: 7 }, 'pod', /expected string/],
    ['a pod without its namespace', { pod: 'cart-0' }, 'pod', /namespace\/name such as/],
    ['a pod in capitals', { pod: 'shop/Cart' }, 'pod', /namespace\/name/],
    ['a pod that climbs', { pod: 'shop/../x' }, 'pod', /namespace\/name/],
    ['an unknown kind of workload', { workload: 'shop/cronjob/cart' }, 'workload', /kinds are deployment/],
    ['a selector without labels', { selector: 'shop' }, 'selector', /namespace\/selector/],
    ['a selector of another type', { selector: 7 }, 'selector', /expected string or object/],
    ['a selector with an unknown field', { selector: { namespace: 'shop', labels: {}, x: 1 } }, 'selector.x', /unknown field/],
    ['a selector that is none', { selector: 'shop/app=a b' }, 'selector', /no label requirement/],
    ['a wrong name of a container', { pod: 'shop/cart-0', container: '-app' }, 'container', /name of a container/],
    ['an unknown profile', { pod: 'shop/cart-0', profile: 'root' }, 'profile', /expected one of "auto"/],
    ['an unknown check', { pod: 'shop/cart-0', checks: ['processes', 'rm'] }, 'checks[1]', /unknown check; known are cgroup, processes, /],
    ['checks in one string', { pod: 'shop/cart-0', checks: 'dns' }, 'checks', /expected array/],
    ['a check with an empty parameter', { pod: 'shop/cart-0', checks: ['disk='] }, 'checks[0]', /parameter is empty/],
    ['a check that lacks its parameter', { pod: 'shop/cart-0', checks: ['http'] }, 'checks[0]', /as in http=http/],
    ['a parameter with a line break', { pod: 'shop/cart-0', checks: ['disk=/a\nb'] }, 'checks[0]', /printable/],
    ['a parameter that is too long', { pod: 'shop/cart-0', checks: [`disk=/${'a'.repeat(600)}`] }, 'checks[0]', /at most 512/],
    ['another scheme than http', { pod: 'shop/cart-0', checks: ['http=file:///etc/passwd'] }, 'checks[0]', /http:\/\/ or https/],
    ['a host that is none', { pod: 'shop/cart-0', checks: ['dns=-x.'] }, 'checks[0]', /name of a host/],
    ['a port out of range', { pod: 'shop/cart-0', checks: ['tcp=stock:70000'] }, 'checks[0]', /1 to 65535/],
    ['an unknown cluster', { pod: 'shop/cart-0', cluster: 'mars' }, 'cluster', /unknown cluster; you may use main/],
    ['an unknown tracker', { pod: 'shop/cart-0', report: 'jira:X-1' }, 'report', /unknown tracker "jira"; configured are redmine/],
    ['a key that is none', { pod: 'shop/cart-0', report: 'redmine:x' }, 'report', /no number/],
    ['a URL of no tracker', { pod: 'shop/cart-0', report: 'https://example.com/issues/1' }, 'report', /no tracker knows/],
    ['a report that is none', { pod: 'shop/cart-0', report: '12' }, 'report', /tracker:key/],
    ['a long reason', { pod: 'shop/cart-0', reason: 'x'.repeat(501) }, 'reason', /at most 500/],
  ])('%s, naming the field', async (_, body, field, message) => {
    const { ask, runs } = await setUp()
    const response = await ask('/v1/diagnoses', json(body))
    expect(response.status).toBe(422)
    const problem = await problemOf(response)
    expect(problem.type).toBe(`${publicUrl}/problems/invalid-request`)
    expect(problem.errors).toEqual([expect.objectContaining({ field, message: expect.stringMatching(message) })])
    expect(problem.detail).toContain(`${field}: `)
    expect(runs.started).toEqual([])
  })

  it('two targets, naming both', async () => {
    const { ask } = await setUp()
    const { errors } = await problemOf(await ask('/v1/diagnoses', json({ pod: 'shop/cart-0', selector: 'shop/app=cart' })))
    expect(errors).toEqual([
      { field: 'pod', value: 'shop/cart-0', message: 'expected exactly one of pod, workload and selector; given are pod and selector' },
      { field: 'selector', value: 'shop/app=cart', message: 'expected exactly one of pod, workload and selector; given are pod and selector' },
    ])
  })

  it('several things at once, telling all, with values cut to 100 characters', async () => {
    const { ask } = await setUp()
    const body = { pod: 'shop/cart-0', checks: [`nonsense${'x'.repeat(200)}`, 'dns'], cluster: 'mars', report: 'x' }
    const { errors } = await problemOf(await ask('/v1/diagnoses', json(body)))
    expect(errors?.map(({ field }) => field)).toEqual(['cluster', 'checks[0]', 'checks[1]', 'report'])
    expect(errors?.[1]?.value).toHaveLength(100)
  })

  it('a password in a URL, without telling it', async () => {
    const { ask } = await setUp()
    const response = await ask('/v1/diagnoses', json({ pod: 'shop/cart-0', checks: ['http=http://admin:s3cret@stock/'] }))
    const text = await response.text()
    expect(response.status).toBe(422)
    expect(text).toContain('must not hold a user or password')
    expect(text).not.toContain('s3cret')
  })

  it('what the redactor takes for a secret, without telling it', async () => {
    const { ask } = await setUp()
    const response = await ask('/v1/diagnoses', json({ pod: 'shop/cart-0', checks: ['http=http://stock/?key=hunter2'] }))
    const text = await response.text()
    expect(text).toContain('looks like a secret')
    expect(text).not.toContain('hunter2')
  })

  it.each<[string, RequestInit, number, string, RegExp]>([
    [
      'another content type',
      { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<x/>' },
      415,
      'unsupported-media-type',
      /"text\/xml"; send application\/json/,
    ],
    ['a form with files', { method: 'POST', body: new FormData() }, 415, 'unsupported-media-type', /multipart/],
    ['no content type', { method: 'POST', body: new Uint8Array([123, 125]) }, 415, 'unsupported-media-type', /no Content-Type/],
    ['broken JSON', { ...json({}), body: '{"pod": ' }, 400, 'malformed-request', /not JSON/],
    ['bytes that are no text', { ...json({}), body: new Uint8Array([0xff, 0xfe]) }, 400, 'malformed-request', /not UTF-8/],
    ['a form without values', form('pod'), 400, 'malformed-request', /"pod" without a value/],
    ['a form with wrong escapes', form('pod=%zz'), 400, 'malformed-request', /percent-encoded/],
    ['a form with a field twice', form('pod=shop/a&pod=shop/b'), 400, 'malformed-request', /"pod" twice/],
    ['JSON that is no object', json([1]), 422, 'invalid-request', /expected object/],
    ['an empty body', { ...json({}), body: '' }, 400, 'malformed-request', /not JSON/],
    [
      'JSON that is nested too deeply',
      { ...json({}), body: `{"checks":${'['.repeat(30_000)}${']'.repeat(30_000)}}` },
      400,
      'malformed-request',
      /100 levels/,
    ],
    ['1 MB', json({ pod: 'x'.repeat(1_000_000) }), 413, 'body-too-large', /65536/],
  ])('%s', async (_, init, status, slug, detail) => {
    const { ask } = await setUp()
    const response = await ask('/v1/diagnoses', init)
    const problem = await problemOf(response)
    expect([response.status, problem.type]).toEqual([status, `${publicUrl}/problems/${slug}`])
    expect(problem.detail).toMatch(detail)
  })

  it('1 MB that comes in chunks of unannounced length', async () => {
    const { ask } = await setUp()
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1
        if (sent > 1000) controller.close()
        else controller.enqueue(new Uint8Array(1024))
      },
    })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' } as RequestInit
    expect((await ask('/v1/diagnoses', init)).status).toBe(413)
    expect(sent).toBeLessThan(100)
  })

  it('an unknown query parameter', async () => {
    const { ask } = await setUp()
    const problem = await problemOf(await ask('/v1/diagnoses?folow', json({ pod: 'shop/cart-0' })))
    expect(problem.errors).toEqual([{ field: 'folow', value: '', message: 'unknown field; the fields are follow' }])
  })
})

describe('POST /v1/diagnoses with several clusters', () => {
  const clusters = { main: { inCluster: true as const }, edge: { inCluster: true as const }, vault: { inCluster: true as const } }
  const policy = [{ principals: ['alice'], clusters: ['main', 'edge'], namespaces: ['shop'] }]

  it('needs the name of one, and lists those that the caller may use', async () => {
    const { ask } = await setUp({ clusters, policy })
    const { errors } = await problemOf(await ask('/v1/diagnoses', json({ pod: 'shop/cart-0' })))
    expect(errors).toEqual([{ field: 'cluster', message: 'name the cluster; you may use main, edge' }])
  })

  it('answers alike for a cluster that there is not and one that the caller may not use', async () => {
    const { ask } = await setUp({ clusters, policy })
    const answers = await Promise.all(
      ['vault', 'mars'].map(async (cluster) => problemOf(await ask('/v1/diagnoses', json({ pod: 'shop/cart-0', cluster })))),
    )
    expect(answers.map(({ status, errors }) => [status, errors?.[0]?.message])).toEqual([
      [422, 'unknown cluster; you may use main, edge'],
      [422, 'unknown cluster; you may use main, edge'],
    ])
  })

  it('takes a named one', async () => {
    const { create, deps } = await setUp({ clusters, policy })
    expect((await deps.records.get(await create({ pod: 'shop/cart-0', cluster: 'edge' })))?.cluster).toBe('edge')
  })
})
