import { afterEach, describe, expect, test } from 'vitest'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import { realClusters } from '../../src/hosts/real.ts'
import { bearerContract } from './bearer.ts'
import { type Recorder, recordingServer } from './tls-server.ts'

bearerContract()

describe('a cluster by url and token, on Node', () => {
  const signal = AbortSignal.timeout(20_000)
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close()
  })
  const started = async (...args: Parameters<typeof recordingServer>): Promise<Recorder> => {
    const server = await recordingServer(...args)
    open.push(server)
    return server
  }

  async function clusterAt(url: string, secret = 'made-up\n') {
    const input: ConfigInput = {
      publicUrl: 'https://autodiagnose.example',
      clusters: { production: { url, token: { env: 'TOKEN' } } },
      store: { kind: 'files', directory: 'none' },
    }
    const made = await realClusters(configSchema.parse(input), () => secret)
    open.unshift(made)
    const cluster = made.clusters.get('production')
    if (!cluster) throw new Error('there is no cluster')
    return cluster
  }

  test('is asked with the token', async () => {
    const server = await started('plain')
    const cluster = await clusterAt(`http://127.0.0.1:${server.port}/base/`)
    expect(await cluster.version(signal)).toEqual({ major: '1' })
    await cluster.mayI({ verb: 'get', resource: 'pods', namespace: 'shop' }, signal)
    const path = '/base/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    expect(server.arrived).toMatchObject([
      { method: 'GET', path: '/base/version', headers: { authorization: 'Bearer made-up' } },
      { method: 'POST', path, headers: { authorization: 'Bearer made-up', 'content-type': 'application/json' } },
    ])
    expect(server.arrived[1]?.body).toContain('"resource":"pods"')
  })

  test('is not followed elsewhere', async () => {
    const elsewhere = await started('plain')
    const server = await started('plain', () => ({ status: 307, location: `http://127.0.0.1:${elsewhere.port}/version` }))
    await expect((await clusterAt(`http://127.0.0.1:${server.port}`)).version(signal)).rejects.toThrow('answers 307')
    expect(elsewhere.arrived).toEqual([])
  })

  test('is not opened with a token that is none', async () => {
    await expect(clusterAt('https://api.example', 'one\ntwo')).rejects.toThrow(
      'Cannot start with clusters "production": clusters.production.token is no bearer token',
    )
  })
})
