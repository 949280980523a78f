import { describe, expect, test, vi } from 'vitest'
import { ClusterForbidden, ClusterUnavailable, type Raw } from '../../src/ports/cluster/cluster.ts'
import { answering, container, pod, rbac, type Scripted, signal, status, thePod } from './scripted-cluster.ts'
import { wallClock } from './wall-clock.ts'

/** Answers that a healthy cluster does not give on demand; where a real one was seen to give one, the words are its own (v1.34). */

const get = (...answers: Scripted[]) => answering(...answers).cluster.getPod(pod, signal)
const add = (...answers: Scripted[]) => answering(...answers).cluster.addEphemeralContainer(pod, 'u1', container, {}, signal)

describe('a call', () => {
  test.each([
    [
      'no connection',
      new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:6443') }),
      'connect ECONNREFUSED 127.0.0.1:6443',
    ],
    ['credentials that have run out', status(401, 'Unauthorized'), 'does not accept our credentials (401 Unauthorized)'],
    ['too many requests', status(429, 'too many requests, please try again later'), 'answers 429: too many requests'],
    ['a server that fails', status(500, 'etcdserver: request timed out'), 'answers 500: etcdserver: request timed out'],
    ['the page of a proxy', new Response('<h1>502\nBad   Gateway</h1>', { status: 502 }), 'answers 502: <h1>502 Bad Gateway</h1>'],
    ['an empty answer', new Response(null, { status: 503 }), 'answers 503: nothing'],
    ['a cut answer', new Response('{"kind":"Po'), 'JSON'],
  ])('may succeed later after %s', async (_, answer, words) => {
    const error = await get(answer).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ClusterUnavailable)
    expect((error as Error).message).toMatch(/^Cannot read pod "shop\/cart": .*cluster "test"/)
    expect((error as Error).message).toContain(words)
  })

  test('ends when nobody answers', async () => {
    const silent = (request: Request) =>
      new Promise<Response>((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)))
    await expect(get(silent)).rejects.toThrow('Cannot read pod "shop/cart": cannot reach the API server of cluster "test": no answer within 0.2 s')
  })

  test('ends when the answer is longer than 16 MiB, wherever it is so', async () => {
    const page = new Uint8Array(1024 ** 2).fill(0x20)
    let sent = 0
    let cancelled = false
    const endless = new ReadableStream({
      pull(controller) {
        sent += 1
        controller.enqueue(page)
      },
      cancel() {
        cancelled = true
      },
    })
    const { cluster } = answering(new Response(endless))
    await expect(cluster.getPod(pod, signal)).rejects.toThrow('Cannot read pod "shop/cart": cluster "test": its answer has more than 16 MiB')
    expect(sent).toBeLessThan(24)
    expect(cancelled).toBe(true)
  })

  test('is not redirected', async () => {
    await expect(get(new Response(null, { status: 302, headers: { location: 'https://elsewhere/' } }))).rejects.toThrow('answers 302')
  })

  test('is forbidden only by a server that is ready', async () => {
    const starting = answering(rbac(), new Response('[-]poststarthook/rbac failed', { status: 500 }))
    await expect(starting.cluster.getPod(pod, signal)).rejects.toThrow(ClusterUnavailable)
    expect(starting.requests.map(({ path }) => path)).toEqual(['/api/v1/namespaces/shop/pods/cart', '/readyz'])
    expect(await get(rbac(), new Response('ok'), Response.json(thePod))).toEqual(thePod)
    await expect(get(rbac(), new Response('ok'), rbac())).rejects.toThrow(ClusterForbidden)
    await expect(get(rbac(), status(404, 'the server could not find the requested resource', {}), rbac())).rejects.toThrow(ClusterForbidden)
  })

  test('never leaves its path', async () => {
    for (const name of ['..', '.', '']) await expect(answering().cluster.getPod({ ...pod, name }, signal)).rejects.toThrow(RangeError)
    const { cluster, requests } = answering(status(404, 'pods "a/b?c" not found'))
    expect(await cluster.getPod({ ...pod, name: 'a/b?c' }, signal)).toBeUndefined()
    expect(requests[0]?.path).toBe('/api/v1/namespaces/shop/pods/a%2Fb%3Fc')
  })
})

test('what no client knows and microseconds are kept', async () => {
  const odd = {
    ...thePod,
    spec: { containers: [], newField: { of: ['2031'] } },
    status: { at: '2026-11-23T22:41:13.123456Z', exact: '9007199254740993' },
  }
  expect(await get(Response.json(odd))).toEqual(odd)
  const event = { eventTime: '2026-11-23T22:41:13.123456Z', novelty: null }
  const { cluster } = answering(Response.json({ kind: 'EventList', items: [event] }))
  expect((await cluster.listPodEvents(pod, 'u1', signal)).items).toEqual([event])
})

test('lists have pages', async () => {
  const page = (name: string, next?: string) => Response.json({ metadata: next ? { continue: next } : {}, items: [{ metadata: { name } }] })
  const { cluster, requests } = answering(page('a', 'x/=y'), page('b'))
  const pods = await cluster.listPods('shop', 'app in (a,b)', signal)
  expect(pods.map(({ metadata }) => metadata.name)).toEqual(['a', 'b'])
  expect(requests.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('continue'))).toEqual([null, 'x/=y'])
})

test('metrics may be missing, and why they cannot be read is told', async () => {
  const metrics = (...answers: Scripted[]) => answering(...answers).cluster.podMetrics(pod, signal)
  expect(await metrics(status(404, 'the server could not find the requested resource', {}))).toBeUndefined()
  expect(await metrics(status(404, 'podmetrics.metrics.k8s.io "shop/cart" not found', { name: 'shop/cart' }))).toBeUndefined()
  await expect(metrics(status(503, 'service unavailable'))).rejects.toThrow(ClusterUnavailable)
  const forbidden = await metrics(rbac, new Response('ok'), rbac).catch((error: unknown) => error)
  expect(forbidden).toBeInstanceOf(ClusterForbidden)
  expect((forbidden as Error).message).toMatch(/^Cannot read metrics of pod "shop\/cart": .*User "x" cannot get resource "pods"/)
})

test('rights that cannot be asked for are unknown', async () => {
  const what = { verb: 'get', resource: 'pods', namespace: 'shop' }
  expect(await answering(status(404, 'the server could not find the requested resource', {})).cluster.mayI(what, signal)).toBeUndefined()
  const asked = answering(Response.json({ status: { allowed: false, reason: 'no' } }, { status: 201 }))
  expect(await asked.cluster.mayI({ ...what, subresource: 'log' }, signal)).toBe(false)
  expect(JSON.parse(asked.requests[0]?.body ?? '').spec).toEqual({
    resourceAttributes: { verb: 'get', resource: 'pods', subresource: 'log', group: '', namespace: 'shop' },
  })
})

test('who we are is asked of the API server, and not known of one that cannot tell', async () => {
  const review = { status: { userInfo: { username: 'system:serviceaccount:autodiagnose:autodiagnose' } } }
  const { cluster, requests } = answering(Response.json(review, { status: 201 }))
  expect(await cluster.whoAmI(signal)).toBe('system:serviceaccount:autodiagnose:autodiagnose')
  expect(requests).toMatchObject([{ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews' }])
  expect(await answering(status(404, 'the server could not find the requested resource', {})).cluster.whoAmI(signal)).toBeUndefined()
})

describe('adding a container', () => {
  test('is a strategic-merge patch with the pod’s UID', async () => {
    const { cluster, requests } = answering(Response.json(thePod), Response.json(thePod))
    for (const dryRun of [true, false]) await cluster.addEphemeralContainer(pod, 'u1', container, { dryRun }, signal)
    const path = '/api/v1/namespaces/shop/pods/cart/ephemeralcontainers?'
    expect(requests.map((request) => [request.method, request.path, request.type])).toEqual([
      ['PATCH', `${path}dryRun=All&fieldValidation=Strict`, 'application/strategic-merge-patch+json'],
      ['PATCH', `${path}fieldValidation=Strict`, 'application/strategic-merge-patch+json'],
    ])
    for (const { body } of requests) expect(JSON.parse(body)).toEqual({ metadata: { uid: 'u1' }, spec: { ephemeralContainers: [container] } })
  })

  test.each([
    ['subresource-absent', status(404, 'the server could not find the requested resource', {}), '1.25'],
    ['pod-not-found', status(404, 'pods "cart" not found', { name: 'cart', kind: 'pods' }), '"shop/cart"'],
    ['admission', status(403, 'admission webhook "images.example.com" denied the request: image not signed'), 'image not signed'],
    ['admission', status(400, 'admission webhook "images.example.com" denied the request without explanation'), 'images.example.com'],
    [
      'admission',
      status(422, "pods \"cart\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no tools here"),
      'no tools here',
    ],
    ['admission', status(403, 'pods "cart" is forbidden: node "a" is not allowed to modify it'), 'node "a"'],
    [
      'pod-security',
      status(403, 'pods "cart" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)'),
      'hostNetwork',
    ],
    [
      'impossible-policy',
      status(
        403,
        'admission webhook "v.example.com" denied the request: validation error: CPU and memory resource requests and memory limits are required for containers. rule validate-resources failed at path /spec/ephemeralContainers/0/resources/limits/',
      ),
      'exempt',
    ],
    [
      'impossible-policy',
      status(403, 'admission webhook "v.example.com" denied the request: [limits] container <ad-1> has no resource limits'),
      'exempt',
    ],
    [
      'invalid',
      status(422, 'Pod "cart" is invalid: spec.ephemeralContainers[0].image: Required value', {
        name: 'cart',
        causes: [{ field: 'spec.ephemeralContainers[0].image', message: 'Required value' }],
      }),
      'Required value',
    ],
    ['invalid', status(413, 'Request entity too large: limit is 3145728'), 'too large'],
  ])('is refused with %s', async (code, answer, words) => {
    const refused = await add(answer)
    expect(refused).toMatchObject({ kind: 'refused', code })
    if (refused.kind === 'refused') expect(refused.message).toContain(words)
  })

  const changed = () =>
    status(422, 'Pod "cart" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "ad-1" may not be changed\n@@ -1 +1 @@', {
      name: 'cart',
      kind: 'Pod',
      causes: [
        {
          reason: 'FieldValueForbidden',
          field: 'spec.ephemeralContainers',
          message: 'Forbidden: existing ephemeral containers "ad-1" may not be changed\n@@',
        },
      ],
    })
  const holding = (stored: Raw, uid = 'u1') =>
    Response.json({ ...thePod, metadata: { ...thePod.metadata, uid }, spec: { containers: [], ephemeralContainers: [stored] } })

  test('is done where a webhook altered what is stored', async () => {
    expect(await add(changed(), holding({ ...container, image: 'mirror.example.com/autodiagnose:1', env: [{ name: 'X' }] }))).toEqual({
      kind: 'added',
    })
    expect(await add(changed(), holding({ ...container, args: ['--diagnosis=ad-1', 'dns=b'] }))).toMatchObject({ kind: 'refused', code: 'invalid' })
    expect(await add(changed(), holding(container, 'u2'))).toMatchObject({ kind: 'refused', code: 'invalid' })
  })

  test('is tried again after a conflict, a few times', async () => {
    const conflict = () => status(409, 'Operation cannot be fulfilled on pods "cart": the object has been modified')
    expect(await add(conflict(), conflict(), Response.json(thePod))).toEqual({ kind: 'added' })
  })

  test('may succeed later where conflicts do not end', async () => {
    const conflict = () => status(409, 'Operation cannot be fulfilled on pods "cart": the object has been modified')
    const error = await add(conflict, conflict, conflict, conflict, conflict).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ClusterUnavailable)
    expect((error as Error).message).toMatch(/^Cannot add container "ad-1" to pod "shop\/cart": .*the object has been modified$/)
  })

  test('may succeed later where admission itself fails', async () => {
    await expect(add(status(500, 'Internal error occurred: failed calling webhook "images.example.com": connection refused'))).rejects.toThrow(
      ClusterUnavailable,
    )
  })
})

describe('a log', () => {
  const open = (answer: Response | Error) => answering(answer).cluster.openLog(pod, 'ad-1', { follow: true }, signal)
  const unexpected = { causes: [{ reason: 'UnexpectedServerResponse', message: 'pod "cart_shop" not found' }], name: 'cart', kind: 'pods/log' }
  test.each([
    ['wait', status(400, 'container "ad-1" in pod "cart" is waiting to start: PodInitializing')],
    ['wait', status(404, 'the server could not find the requested resource ( pods/log cart)', unexpected)],
    ['wait', status(400, 'container "ad-1" in pod "cart" is not available')],
    ['gone', status(400, 'container ad-1 is not valid for pod cart')],
    ['gone', status(404, 'pods "cart" not found', { name: 'cart', kind: 'pods' })],
  ])('has to %s', async (kind, answer) => {
    expect(await open(answer)).toMatchObject({ kind, message: expect.any(String) })
  })

  test('may be had later where the kubelet does not answer', async () => {
    await expect(
      open(status(500, 'Get "https://10.0.0.1:10250/containerLogs/…": dial tcp 10.0.0.1:10250: connect: connection refused')),
    ).rejects.toThrow(ClusterUnavailable)
  })

  test('is asked for by whole seconds', async () => {
    const { cluster, requests } = answering(new Response('x'))
    await cluster.openLog(pod, 'ad-1', { follow: true, sinceTime: '2026-11-23T22:41:13Z' }, signal)
    expect(Object.fromEntries(new URLSearchParams(requests[0]?.path.split('?')[1]))).toEqual({
      container: 'ad-1',
      timestamps: 'true',
      follow: 'true',
      sinceTime: '2026-11-23T22:41:13Z',
    })
  })

  test('begins when the first line comes, and may be silent', async () => {
    let late: (response: Response) => void = () => undefined
    const opened = answering(() => new Promise<Response>((resolve) => (late = resolve))).cluster.openLog(pod, 'ad-1', { follow: true }, signal)
    const first = await Promise.race([opened, wallClock.sleep(400)])
    expect(first, 'the time limit of other calls is 200 ms').toBeUndefined()
    late(new Response('line'))
    expect(await opened).toMatchObject({ kind: 'open' })
  })
})

describe('a refusal whose words do not come', () => {
  const stalled = (code: number) => () => new Response(new ReadableStream({}), { status: code })
  const never = () => new Promise<Response>(() => undefined)

  test.each<[string, Scripted[]]>([
    ['a 403', [stalled(403)]],
    ['an error', [stalled(500)]],
    ['whether the server is ready', [rbac, never]],
  ])('ends after the time limit, also of a stream: %s', async (_, answers) => {
    const opened = answering(...answers).cluster.openLog(pod, 'ad-1', { follow: true }, signal)
    await expect(opened).rejects.toThrow('no answer within 0.2 s')
    await expect(get(...answers)).rejects.toThrow('no answer within 0.2 s')
  })

  test('ends when the caller aborts', async () => {
    for (const answers of [[stalled(403)], [stalled(404)], [rbac, never]]) {
      const stop = new AbortController()
      const { cluster, requests } = answering(...answers)
      const opened = cluster.openLog(pod, 'ad-1', { follow: true }, stop.signal).catch((error: unknown) => error)
      await vi.waitFor(() => expect(requests).toHaveLength(answers.length))
      stop.abort(new Error('enough'))
      expect(await opened).toMatchObject({ message: 'enough' })
    }
  })
})
