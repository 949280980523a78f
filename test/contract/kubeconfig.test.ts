import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { inClusterTransport } from '../../src/ports/cluster/in-cluster.ts'
import { kubeconfigTransport } from '../../src/ports/cluster/kubeconfig.ts'
import { connectProxy, pem, type Recorder, recordingServer, socksProxy } from './tls-server.ts'

let directory: string
const open: { close(): Promise<void> }[] = []
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  await mkdir(join(directory, 'tls'))
  for (const name of ['ca', 'client', 'client-key']) await writeFile(join(directory, 'tls', `${name}.pem`), pem(name))
})
afterAll(async () => {
  for (const one of open) await one.close()
  await rm(directory, { recursive: true })
})

async function started<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const one = await starting
  open.push(one)
  return one
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
let files = 0
/** Writes a kubeconfig of one context, beside whose file relative paths begin. */
async function write(user: object, cluster: object, contexts?: object[]): Promise<string> {
  const file = join(directory, `config-${++files}`)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    contexts: contexts ?? [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
  }
  await writeFile(file, stringify(config))
  return file
}
const at = ({ port }: Recorder) => ({ server: `https://127.0.0.1:${port}`, 'certificate-authority': 'tls/ca.pem' })
const ask = (path = '/version') => new Request(`https://anywhere.example${path}`)

/** What arrives at a server when this user asks for the version. */
async function arrivedBy(user: object, cluster: object = {}) {
  const server = await started(recordingServer('server'))
  const transport = kubeconfigTransport({ file: await write(user, { ...at(server), ...cluster }) })
  const response = await transport(ask())
  expect([response.status, await response.json()]).toEqual([200, { major: '1' }])
  return server.arrived[0]
}

async function script(name: string, body: string): Promise<void> {
  await writeFile(join(directory, name), `#!/bin/sh\n${body}\n`)
  await chmod(join(directory, name), 0o755)
}

describe('credentials of a kubeconfig', () => {
  test('a certificate in files beside it', async () => {
    const user = { 'client-certificate': 'tls/client.pem', 'client-key': 'tls/client-key.pem' }
    expect(await arrivedBy(user)).toMatchObject({ client: 'client-by-certificate' })
  })

  test('a certificate inside', async () => {
    const user = { 'client-certificate-data': base64(pem('client')), 'client-key-data': base64(pem('client-key')) }
    const cluster = { 'certificate-authority': undefined, 'certificate-authority-data': base64(pem('ca')) }
    expect(await arrivedBy(user, cluster)).toMatchObject({ client: 'client-by-certificate' })
  })

  test('a token', async () => {
    expect((await arrivedBy({ token: 'made-up-token' }))?.headers.authorization).toBe('Bearer made-up-token')
  })

  test('a user and password', async () => {
    expect((await arrivedBy({ username: 'me', password: 'made:up' }))?.headers.authorization).toBe(`Basic ${base64('me:made:up')}`)
  })

  test('a token of OpenID Connect', async () => {
    const token = `${base64('{"alg":"none"}')}.${base64(JSON.stringify({ exp: 4_102_444_800 }))}.made-up`
    const user = { 'auth-provider': { name: 'oidc', config: { 'client-id': 'x', 'id-token': token, 'idp-issuer-url': 'https://idp.example' } } }
    expect((await arrivedBy(user))?.headers.authorization).toBe(`Bearer ${token}`)
  })

  test('a plugin beside it that gives a token, and is told what to give', async () => {
    const credential = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}'
    await script('plugin', `printf '${credential}' "$(printf %s "$1 $PLACE $KUBERNETES_EXEC_INFO" | base64 | tr -d '\\n')"`)
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin', args: ['get'], env: [{ name: 'PLACE', value: 'here' }] }
    const token = (await arrivedBy({ exec }))?.headers.authorization?.replace('Bearer ', '') ?? ''
    const info = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}'
    expect(Buffer.from(token, 'base64').toString()).toBe(`get here ${info}`)
  })

  test('a plugin that gives a certificate', async () => {
    const status = { clientCertificateData: pem('client'), clientKeyData: pem('client-key') }
    await writeFile(
      join(directory, 'credential.json'),
      JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }),
    )
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'cat', args: [join(directory, 'credential.json')] }
    expect(await arrivedBy({ exec })).toMatchObject({ client: 'client-by-certificate' })
  })

  test('who to act as', async () => {
    const user = { token: 'made-up', as: 'jane', 'as-groups': ['a', 'b'], 'as-uid': '7', 'as-user-extra': { 'Scopes/x': ['y'] } }
    expect((await arrivedBy(user))?.headers).toMatchObject({
      'impersonate-user': 'jane',
      'impersonate-group': 'a, b',
      'impersonate-uid': '7',
      'impersonate-extra-scopes%2fx': 'y',
    })
  })

  test('are read anew when the server does not accept them', async () => {
    const server = await started(recordingServer('server', ({ headers }) => ({ status: headers.authorization === 'Bearer new' ? 200 : 401 })))
    await writeFile(join(directory, 'token'), 'old\n')
    const transport = kubeconfigTransport({ file: await write({ tokenFile: 'token', token: 'not this one' }, at(server)) })
    expect((await transport(ask())).status).toBe(401)
    await writeFile(join(directory, 'token'), 'new\n')
    const response = await transport(new Request('https://x/y', { method: 'PATCH', body: '{"a":1}' }))
    expect(response.status).toBe(200)
    expect(server.arrived.slice(2).map(({ method, body, headers }) => [method, body, headers.authorization])).toEqual([
      ['PATCH', '{"a":1}', 'Bearer old'],
      ['PATCH', '{"a":1}', 'Bearer new'],
    ])
  })
})

describe('the way of a kubeconfig', () => {
  test('has the path of the server’s URL before that of the request', async () => {
    const server = await started(recordingServer('server'))
    const cluster = { ...at(server), server: `https://localhost:${server.port}/k8s/clusters/c-1/` }
    await kubeconfigTransport({ file: await write({}, cluster) })(ask('/api/v1/pods?watch=1&a=%2F'))
    expect(server.arrived[0]?.path).toBe('/k8s/clusters/c-1/api/v1/pods?watch=1&a=%2F')
  })

  test('keeps its connection', async () => {
    const server = await started(recordingServer('server'))
    const transport = kubeconfigTransport({ file: await write({ token: 'made-up' }, at(server)) })
    for (let time = 0; time < 8; time++) await (await transport(ask())).text()
    // A connection may not be free again yet when the next request leaves.
    expect(Math.max(...server.arrived.map(({ connection }) => connection))).toBeLessThan(4)
  })

  test('checks the server’s certificate', async () => {
    const [server, named] = [await started(recordingServer('server')), await started(recordingServer('named'))]
    const reach = async (cluster: object) => kubeconfigTransport({ file: await write({ token: 'made-up' }, cluster) })(ask())
    await expect(reach({ server: `https://127.0.0.1:${server.port}` })).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/certificate/) },
    })
    await expect(reach(at(named))).rejects.toMatchObject({ cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
    expect((await reach({ ...at(named), 'tls-server-name': 'kubernetes.example' })).status).toBe(200)
    expect((await reach({ server: `https://127.0.0.1:${server.port}`, 'insecure-skip-tls-verify': true })).status).toBe(200)
    expect([server.arrived.length, named.arrived.length]).toEqual([1, 1])
  })

  test('leads through a proxy', async () => {
    const [http, socks] = [await started(connectProxy()), await started(socksProxy())]
    for (const [scheme, proxy] of [
      ['http', http],
      ['socks5', socks],
    ] as const) {
      const server = await started(recordingServer('server'))
      const cluster = { ...at(server), 'proxy-url': `${scheme}://127.0.0.1:${proxy.port}` }
      expect((await kubeconfigTransport({ file: await write({ token: 'made-up' }, cluster) })(ask())).status).toBe(200)
      expect(proxy.asked).toEqual([`127.0.0.1:${server.port}`])
      expect(server.arrived).toMatchObject([{ headers: { authorization: 'Bearer made-up' } }])
    }
  })

  test('is not left by a redirect', async () => {
    const elsewhere = await started(recordingServer('server'))
    const server = await started(recordingServer('server', () => ({ status: 302, location: `https://127.0.0.1:${elsewhere.port}/` })))
    expect((await kubeconfigTransport({ file: await write({ token: 'made-up' }, at(server)) })(ask())).status).toBe(302)
    expect(elsewhere.arrived).toEqual([])
  })

  test('is plain HTTP on this machine only, as kubectl proxy serves', async () => {
    const server = await started(recordingServer('plain'))
    expect((await kubeconfigTransport({ file: await write({}, { server: `http://127.0.0.1:${server.port}` }) })(ask())).status).toBe(200)
    const file = await write({}, { server: 'http://cluster.example' })
    expect(() => kubeconfigTransport({ file })).toThrow('server "http://cluster.example" is plain HTTP')
  })

  test('ends with the caller', async () => {
    const server = await started(recordingServer('server'))
    const transport = kubeconfigTransport({ file: await write({}, at(server)) })
    const reason = new Error('enough')
    await expect(transport(new Request('https://x/', { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason)
  })
})

describe('a kubeconfig that is wrong', () => {
  test.each([
    ['has no such context', { context: 'other' }, 'there is no context "other"; it has main'],
    ['names no cluster that is in it', { contexts: [{ name: 'main', context: { cluster: 'x', user: 'u' } }] }, 'context "main" names cluster "x"'],
    ['names no user who is in it', { contexts: [{ name: 'main', context: { cluster: 'c', user: 'x' } }] }, 'context "main" names user "x"'],
    ['has no context', { contexts: [] }, 'there is no context "main"; it has none'],
    ['has a bad server', { server: 'cluster:6443/' }, 'server "cluster:6443" of cluster "c" is no URL of https'],
  ])('%s', async (_, { context, contexts, server = 'https://x.example' }: { context?: string; contexts?: object[]; server?: string }, words) => {
    const file = await write({}, { server }, contexts)
    expect(() => kubeconfigTransport({ file, ...(context ? { context } : {}) })).toThrow(`Cannot use kubeconfig "${file}": ${words}`)
  })

  test('is not there, or not YAML', async () => {
    expect(() => kubeconfigTransport({ file: join(directory, 'none') })).toThrow(/Cannot use kubeconfig ".*none": ENOENT/)
    await writeFile(join(directory, 'broken'), 'clusters: [')
    expect(() => kubeconfigTransport({ file: join(directory, 'broken') })).toThrow(/Cannot use kubeconfig ".*broken": /)
  })

  test('is broken near a credential, which is not shown', async () => {
    await writeFile(join(directory, 'leak'), 'users:\n- user:\n    token: made-up-token-abcdef\n   password: made-up-123\n')
    const complain = (): unknown => kubeconfigTransport({ file: join(directory, 'leak') })
    expect(complain).toThrow(/Cannot use kubeconfig ".*leak": /)
    expect(complain).not.toThrow(/made-up/)
  })

  test('has a plugin that fails', async () => {
    await script('failing', 'echo "log in first" >&2; exit 1')
    const file = await write({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './failing' } }, { server: 'https://127.0.0.1:1' })
    await expect(kubeconfigTransport({ file })(ask())).rejects.toThrow(`cannot get the credentials of kubeconfig "${file}": log in first`)
  })
})

describe('inClusterTransport', () => {
  test('sends the token of now', async () => {
    const server = await started(recordingServer('server'))
    const account = await mkdtemp(join(directory, 'account-'))
    await writeFile(join(account, 'ca.crt'), pem('ca'))
    const transport = inClusterTransport({ host: '127.0.0.1', port: String(server.port), directory: account })
    for (const token of ['one', 'two\n']) {
      await writeFile(join(account, 'token'), token)
      await (await transport(ask())).text()
    }
    expect(server.arrived.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two'])
  })

  test('says what keeps it from its files', async () => {
    const ask = (account: string) => inClusterTransport({ host: '127.0.0.1', port: '1', directory: account })(new Request('https://x/'))
    const empty = await mkdtemp(join(directory, 'account-'))
    await expect(ask(empty)).rejects.toThrow(/cannot read the service account: ENOENT: .*automountServiceAccountToken: false$/)
    for (const name of ['token', 'ca.crt']) await mkdir(join(empty, name))
    await expect(ask(empty)).rejects.toThrow(/cannot read the service account: EISDIR: (?!.*automount)/)
  })

  test('says that it is not in a pod', () => {
    expect(() => inClusterTransport({ host: '', port: '443' })).toThrow(/Cannot use inCluster: .*outside of a pod, configure a kubeconfig/)
  })
})
