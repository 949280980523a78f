import { describe, expect, test } from 'vitest'
import { type BearerOptions, bearerTransport } from '../../src/ports/cluster/bearer.ts'
import { ClusterForbidden, ClusterUnavailable } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import type { ServiceAccountToken } from '../../src/ports/cluster/service-account-tokens.ts'

const url = 'https://api.example:6443'
const hour = 3_600_000
const anywhere = (path: string, init?: RequestInit) => new Request(`https://anywhere.example${path}`, init)

type Scripted = Response | Error | ((request: Request) => Response | Promise<Response>)

/** A fetch that gives these answers, one after another, and remembers what it was asked; and a clock that stands. */
function script(...answers: Scripted[]) {
  const asked: { readonly request: Request; readonly what: string; readonly token: string | null; readonly body: string }[] = []
  const clock = { at: Date.parse('2026-11-25T12:00:00Z'), now: () => clock.at, sleep: async () => undefined }
  const fetch = async (request: Request) => {
    const answer = answers[asked.length]
    const token = request.headers.get('authorization')
    asked.push({ request, what: `${request.method} ${request.url.replace(url, '')}`, token, body: await request.clone().text() })
    if (answer === undefined) throw new Error(`unexpected request ${request.method} ${request.url}`)
    if (answer instanceof Error) throw answer
    return typeof answer === 'function' ? answer(request) : answer
  }
  const transport = (options: Partial<BearerOptions> = {}) => bearerTransport({ name: 'test', url, token: 'configured', fetch, clock, ...options })
  const cluster = (options: Partial<BearerOptions> = {}) =>
    kubernetesCluster({ name: 'test', transport: transport({ serviceAccount, ...options }), clock, timeoutMs: 5000 })
  return { asked, clock, transport, cluster }
}

const serviceAccount = 'tools/autodiagnose'
const tokenPath = 'POST /api/v1/namespaces/tools/serviceaccounts/autodiagnose/token'
/** As an API server of 1.34 answers, whose clock shows `at`. */
const minted = (token: string, at: number, lifeMs = hour) =>
  Response.json(
    { kind: 'TokenRequest', status: { token, expirationTimestamp: new Date(at + lifeMs).toISOString().replace('.000', '') } },
    { status: 201, headers: { date: new Date(at).toUTCString() } },
  )
const failure = (code: number, message: string) => () => Response.json({ kind: 'Status', status: 'Failure', message, code }, { status: code })
const unauthorized = failure(401, 'Unauthorized')
const mayNotMint = failure(
  403,
  'serviceaccounts "autodiagnose" is forbidden: User "x" cannot create resource "serviceaccounts/token" in API group "" in the namespace "tools"',
)

/** What {@link bearerTransport} does, on every host. */
export function bearerContract(): void {
  const pod = { namespace: 'shop', name: 'cart' }
  const signal = () => AbortSignal.timeout(20_000)

  describe('bearerTransport', () => {
    test('sends the request to its server, with the token', async () => {
      const { asked, transport } = script(Response.json({}))
      const init = { method: 'PATCH', headers: { 'content-type': 'application/strategic-merge-patch+json' }, body: '{"metadata":{}}' }
      await transport({ url: `${url}/k8s/clusters/c-1/`, token: ' made-up\n' })(anywhere('/api/v1/pods?limit=5&continue=a%2Fb', init))
      expect(asked).toMatchObject([{ what: 'PATCH /k8s/clusters/c-1/api/v1/pods?limit=5&continue=a%2Fb', token: 'Bearer made-up', body: init.body }])
      expect(asked[0]?.request.headers.get('content-type')).toBe('application/strategic-merge-patch+json')
    })

    test('lets the token go nowhere else', async () => {
      const redirect = new Response(null, { status: 307, headers: { location: 'https://elsewhere.example/' } })
      const { asked, transport } = script(redirect)
      expect(await transport()(anywhere('/version'))).toBe(redirect)
      expect(asked.map(({ request }) => request.redirect)).toEqual(['manual'])
    })

    test('gives back the stream as it comes', async () => {
      const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('line\n')) })
      const { transport } = script(new Response(body))
      const reader = (await transport()(anywhere('/log'))).body?.getReader()
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('line\n')
      await reader?.cancel()
    })

    test.each([
      ['with the token of the configuration', undefined],
      ['while it asks for another', serviceAccount],
    ])('ends when the caller aborts, %s', async (_, account) => {
      const silent = ({ signal }: Request) => new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      const { transport } = script(silent)
      const stop = new AbortController()
      const answer = transport({ serviceAccount: account })(anywhere('/log', { signal: stop.signal })).catch((error: unknown) => error)
      setTimeout(() => stop.abort(new Error('enough')), 20)
      expect(await answer).toMatchObject({ message: 'enough' })
    })

    test.each([
      ['empty', ' \n', 'clusters.test.token is empty'],
      ['of two lines', 'hidden-one\nhidden-two', 'clusters.test.token is no bearer token'],
      ['a whole header', 'Bearer hidden', 'clusters.test.token is no bearer token'],
      ['not of ASCII', 'hidden–one', 'clusters.test.token is no bearer token'],
    ])('refuses a token that is %s, and does not repeat it', (_, token, words) => {
      expect(() => script().transport({ token })).toThrow(words)
      expect(() => script().transport({ token })).not.toThrow('hidden')
    })

    test.each([
      ['https://user:hidden@api.example', 'clusters.test.url has a user'],
      ['https://api.example?token=hidden', 'clusters.test.url has a user, a query'],
      ['http://api.example', 'clusters.test.url "http://api.example" is plain HTTP'],
      ['http://127.example', 'is plain HTTP'],
    ])('refuses the URL %s', (wrong, words) => {
      expect(() => script().transport({ url: wrong })).toThrow(words)
      expect(() => script().transport({ url: wrong })).not.toThrow('hidden')
    })

    test('takes plain HTTP on this machine', async () => {
      const { asked, transport } = script(Response.json({}))
      await transport({ url: 'http://127.0.0.1:8001' })(anywhere('/version'))
      expect(asked[0]?.what).toBe('GET http://127.0.0.1:8001/version')
    })
  })

  describe('bearerTransport with a service account', () => {
    test('asks for a token, once, and uses the one of the configuration for nothing else', async () => {
      const { asked, clock, transport } = script(() => minted('short', clock.at), Response.json({ of: 1 }), Response.json({ of: 2 }))
      const send = transport({ url: `${url}/prefix`, serviceAccount })
      for (const of of [1, 2]) expect(await (await send(anywhere('/version'))).json()).toEqual({ of })
      expect(asked.map(({ what, token }) => [what, token])).toEqual([
        [tokenPath.replace(' ', ' /prefix'), 'Bearer configured'],
        ['GET /prefix/version', 'Bearer short'],
        ['GET /prefix/version', 'Bearer short'],
      ])
      expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600 },
      })
      expect(asked.map(({ request }) => request.redirect)).toEqual(['manual', 'manual', 'manual'])
    })

    test.each([
      ['the life that the server gave', 600_000, 0],
      ['its life, whatever our clock shows', hour, -2 * hour],
    ])('asks anew after four fifths of %s', async (_, life, skew) => {
      const { asked, clock, transport } = script(
        () => minted('first', clock.at + skew, life),
        new Response(),
        new Response(),
        () => minted('second', clock.at + skew, life),
        new Response(),
      )
      const send = transport({ serviceAccount })
      await send(anywhere('/a'))
      clock.at += 0.8 * life - 1
      await send(anywhere('/b'))
      clock.at += 1
      await send(anywhere('/c'))
      expect(asked.map(({ token }) => token?.slice(7))).toEqual(['configured', 'first', 'first', 'configured', 'second'])
    })

    test('sends a request once more, with a new token, when the one it had is not accepted', async () => {
      const { asked, clock, transport } = script(unauthorized, () => minted('second', clock.at), Response.json({ well: true }))
      const tokens = new Map([[`test ${url} ${serviceAccount}`, { token: 'first', renewAt: clock.at + hour }]])
      const patch = anywhere('/api/v1/x', { method: 'PATCH', body: '{"a":1}' })
      expect(await (await transport({ serviceAccount, tokens })(patch)).json()).toEqual({ well: true })
      expect(asked.map(({ what, token, body }) => [what, token, body.slice(0, 7)])).toEqual([
        ['PATCH /api/v1/x', 'Bearer first', '{"a":1}'],
        [tokenPath, 'Bearer configured', '{"apiVe'],
        ['PATCH /api/v1/x', 'Bearer second', '{"a":1}'],
      ])
    })

    test('does so once', async () => {
      const { asked, clock, transport } = script(
        () => minted('first', clock.at),
        unauthorized,
        () => minted('second', clock.at),
        unauthorized,
      )
      expect((await transport({ serviceAccount })(anywhere('/version'))).status).toBe(401)
      expect(asked).toHaveLength(4)
    })

    test('takes the token that another request got meanwhile', async () => {
      const tokens = new Map<string, ServiceAccountToken>()
      const key = `test ${url} ${serviceAccount}`
      const renewed = () => {
        tokens.set(key, { token: 'second', renewAt: clock.at + hour })
        return unauthorized()
      }
      const { asked, clock, transport } = script(() => minted('first', clock.at), renewed, new Response())
      await transport({ serviceAccount, tokens })(anywhere('/version'))
      expect(asked.map(({ token }) => token?.slice(7))).toEqual(['configured', 'first', 'second'])
    })

    test('shares tokens of one account at one server of one cluster, as plain data', async () => {
      const tokens = new Map<string, ServiceAccountToken>()
      const answers = ['one', 'other account', 'other server', 'other cluster'].flatMap((token): Scripted[] => [
        () => minted(token, clock.at),
        new Response(),
      ])
      const { asked, clock, transport } = script(...answers, new Response())
      const send = (options: Partial<BearerOptions> = {}) => transport({ serviceAccount, tokens, ...options })(anywhere('/version'))
      await send()
      await send({ serviceAccount: 'tools/other' })
      await send({ url: 'https://other.example' })
      // Behind VPC services all clusters may have the same URL.
      await send({ name: 'other' })
      expect(asked.at(-1)?.token).toBe('Bearer other cluster')
      await send({ url: `${url}/` })
      expect(asked.at(-1)?.token).toBe('Bearer one')
      expect(structuredClone(tokens)).toEqual(tokens)
    })

    test.each([['tools'], ['tools/'], ['a/b/c']])('refuses the account %j', (wrong) => {
      expect(() => script().transport({ serviceAccount: wrong })).toThrow(`clusters.test.serviceAccount "${wrong}" is no service account`)
    })

    test.each<[string, Scripted, string]>([
      [
        'the configured token is not accepted',
        unauthorized,
        'not accept our credentials (401 clusters.test.token, which asks for tokens of service account "tools/autodiagnose", is not accepted: Unauthorized)',
      ],
      [
        'too many ask',
        failure(429, 'slow down'),
        'answers 429: asked for a token of service account "tools/autodiagnose", the API server answers 429: slow down',
      ],
      ['the server fails', failure(503, 'etcd is away'), 'answers 503: etcd is away'],
      ['a proxy answers', new Response('<h1>502\nBad   Gateway</h1>', { status: 502 }), 'answers 502: <h1>502 Bad Gateway</h1>'],
      [
        'nobody answers',
        new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }),
        'cannot reach the API server of cluster "test": connect ECONNREFUSED',
      ],
      ['a page comes in the place of a token', new Response('<h1>Log in</h1>'), 'the answer holds no token'],
      ['the token has no end', Response.json({ status: { token: 'hidden' } }, { status: 201 }), 'the answer holds no token'],
    ])('may succeed later where %s', async (_, answer, words) => {
      const error = await script(answer)
        .cluster()
        .getPod(pod, signal())
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ClusterUnavailable)
      expect((error as Error).message).toMatch(/^Cannot read pod "shop\/cart": /)
      expect((error as Error).message).toContain(words)
      expect((error as Error).message).not.toContain('hidden')
    })

    const ready = () => new Response('ok')
    test.each<[string, Scripted[], string]>([
      [
        'the right to ask',
        [mayNotMint, mayNotMint, ready, mayNotMint],
        'clusters.test.token may not ask for tokens of service account "tools/autodiagnose"; apply infra/kubernetes/external, whose Role allows it: serviceaccounts "autodiagnose" is forbidden',
      ],
      [
        'the account',
        [failure(404, 'serviceaccounts "autodiagnose" not found')],
        'there is no service account "tools/autodiagnose" at clusters.test.url; apply infra/kubernetes/external, or correct clusters.test.serviceAccount: serviceaccounts "autodiagnose" not found',
      ],
      ['sense', [new Response(null, { status: 302 })], 'the API server answers 302: nothing'],
    ])('is forbidden, and not gone, where %s is missing', async (_, answers, words) => {
      const { asked, cluster } = script(...answers)
      const error = await cluster()
        .getPod(pod, signal())
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ClusterForbidden)
      expect((error as Error).message).toContain(`Cannot read pod "shop/cart": `)
      expect((error as Error).message).toContain(words)
      expect(asked).toHaveLength(answers.length)
      expect(asked.map(({ what }) => what).filter((what) => what !== tokenPath && what !== 'GET /readyz')).toEqual([])
    })

    test('may succeed later where a server forbids everything because it is starting', async () => {
      const { asked, cluster } = script(mayNotMint, mayNotMint, new Response('[-]poststarthook/rbac failed', { status: 500 }))
      const error = await cluster()
        .getPod(pod, signal())
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ClusterUnavailable)
      expect((error as Error).message).toContain('still starting')
      expect(asked.at(-1)).toMatchObject({ what: 'GET /readyz', token: 'Bearer configured' })
    })
  })
}
