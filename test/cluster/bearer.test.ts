import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { bearerTransport } from '../../src/ports/cluster/bearer.ts'
import { ClusterForbidden, ClusterUnavailable } from '../../src/ports/cluster/cluster.ts'
import { dispatch } from '../../src/ports/cluster/dispatch.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import type { ServiceAccountToken } from '../../src/ports/cluster/service-account-tokens.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { kubectl, useNamespace } from './environment.ts'
import { apply, render } from './manifests.ts'
import { create, kubectlAgain } from './pods.ts'

/** A service outside of the cluster: what it has is the token of infra/kubernetes/external. */
describe('bearerTransport', () => {
  const signal = AbortSignal.timeout(300_000)
  const service = useNamespace('bearer-service')
  const watched = useNamespace('bearer-watched')
  const pod = { namespace: watched, name: 'target' }
  const serviceAccount = `${service}/autodiagnose`
  let server = ''
  let configured = ''
  let dispatcher: Agent

  beforeAll(async () => {
    const outside = (await render('external', service)).filter(({ kind }) => !/^(Namespace|ValidatingAdmission)/.test(kind))
    await apply([...outside, ...(await render('watched', service, watched))])
    // It need not run.
    const spec = { containers: [{ name: 'app', image: 'registry.example.com/none:1' }] }
    await create(watched, { kind: 'Pod', metadata: { name: pod.name }, spec })
    const view = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']))
    const { server: url, 'certificate-authority-data': ca } = view.clusters[0].cluster
    server = url
    dispatcher = new Agent(ca ? { connect: { ca: Buffer.from(ca, 'base64').toString() } } : {})
    configured = await vi.waitFor(
      async () => {
        const { data } = JSON.parse(await kubectl(['-n', service, 'get', 'secret', 'autodiagnose-token', '-o', 'json']))
        expect(data?.token).toBeTypeOf('string')
        return Buffer.from(data.token, 'base64').toString()
      },
      { timeout: 30_000, interval: 300 },
    )
    // Roles are taken up a moment after they were made.
    await vi.waitFor(() => open().cluster.getPod(pod, signal), { timeout: 30_000, interval: 300 })
  })
  afterAll(() => dispatcher?.close())

  interface As {
    /** Default: that of infra/kubernetes/external. */
    readonly token?: string
    /** Default: infra/kubernetes' own. `none`: the token itself does everything. */
    readonly account?: string
    readonly tokens?: Map<string, ServiceAccountToken>
  }
  /** A cluster, the tokens that it holds, and the end of each path that it asked for with the status that came back. */
  function open({ token = configured, account = serviceAccount, tokens = new Map() }: As = {}) {
    const asked: string[] = []
    const fetch = async (request: Request) => {
      const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
      const response = await dispatch(request, body, { server: new URL(request.url).origin, headers: [], dispatcher })
      asked.push(`${new URL(request.url).pathname.split('/').at(-1)} ${response.status}`)
      return response
    }
    const by = account === 'none' ? {} : { serviceAccount: account }
    const transport = bearerTransport({ name: 'test', url: server, token, ...by, tokens, fetch, clock: wallClock })
    const cluster = kubernetesCluster({ name: 'test', transport, clock: wallClock })
    const failure = () => cluster.getPod(pod, signal).then(String, (error: unknown) => error as Error)
    return { cluster, failure, asked, held: () => tokens.values().next().value }
  }

  test('reads the pod with a token that it asked for', async () => {
    const { cluster, asked, held } = open()
    expect(await cluster.getPod(pod, signal)).toMatchObject({ metadata: pod })
    expect(await cluster.mayI({ verb: 'patch', resource: 'pods', subresource: 'ephemeralcontainers', namespace: watched }, signal)).toBe(true)
    expect(asked).toEqual(['token 201', 'target 200', 'selfsubjectaccessreviews 201'])
    const minutes = ((held()?.renewAt ?? 0) - Date.now()) / 60_000
    expect(minutes, 'four fifths of an hour, but for a second or two').toBeGreaterThan(47)
    expect(minutes).toBeLessThan(48.1)
  })

  test('reads nothing with the token of the configuration itself', async () => {
    const failure = await open({ account: 'none' }).failure()
    expect(failure).toBeInstanceOf(ClusterForbidden)
    expect(failure).toMatchObject({
      message: expect.stringContaining(`"system:serviceaccount:${service}:autodiagnose-token" cannot get resource "pods"`),
    })
  })

  test('replaces a token that is not accepted', async () => {
    const tokens = new Map<string, ServiceAccountToken>()
    const { cluster, asked } = open({ tokens })
    await cluster.getPod(pod, signal)
    for (const [key, held] of tokens) tokens.set(key, { ...held, token: 'not-a-token' })
    expect(await cluster.getPod(pod, signal)).toMatchObject({ metadata: pod })
    expect(asked.slice(2)).toEqual(['target 401', 'token 201', 'target 200'])
  })

  test('says which right the token of the configuration lacks', async () => {
    const noRight = await open({ account: `${service}/default` }).failure()
    expect(noRight).toBeInstanceOf(ClusterForbidden)
    const words = `clusters.test.token may not ask for tokens of service account "${service}/default"; apply infra/kubernetes/external`
    expect(noRight).toMatchObject({ message: expect.stringContaining(words) })
    const noToken = await open({ token: 'not-a-token' }).failure()
    expect(noToken).toBeInstanceOf(ClusterUnavailable)
    expect(noToken).toMatchObject({ message: expect.stringContaining('does not accept our credentials (401 clusters.test.token, which asks') })
  })

  test('goes on when its account was deleted and made anew', async () => {
    const { cluster, asked, held } = open()
    await cluster.getPod(pod, signal)
    const before = held()?.token
    await kubectlAgain(['-n', service, 'delete', 'serviceaccount', 'autodiagnose'])
    expect(await open().failure()).toMatchObject({ name: 'ClusterForbidden', message: expect.stringContaining('there is no service account') })
    await apply((await render('external', service)).filter(({ kind }) => kind === 'ServiceAccount'))
    // The API server remembers for some seconds whom it knew.
    await vi.waitFor(
      async () => {
        expect(await cluster.getPod(pod, signal)).toMatchObject({ metadata: pod })
        expect(held()?.token).not.toBe(before)
      },
      { timeout: 60_000, interval: 500 },
    )
    expect(asked.slice(-3)).toEqual(['target 401', 'token 201', 'target 200'])
  })
})
